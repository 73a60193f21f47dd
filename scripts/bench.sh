#!/usr/bin/env bash
# Load scenarios, each run against a fresh server with an empty data folder on free ports.
# Expects release builds; `make bench` and `make bench-compare` make them first.
#
#   scripts/bench.sh                  the standard scenarios; with ROUNDS above 1 medians, too
#   scripts/bench.sh compare A B      two servers in turn: A B A B …, then medians and ratios
#
# A and B are executables, or git revisions that are built in a temporary worktree. ROUNDS says
# how often (1; 5 for compare). SCENARIO picks some of the standard ones by name, or is one with
# its own options, as crosstalk-bench takes them. DIALECT is what clients speak: wukong, or one of
# those that have the first four standard scenarios. Reports are left as JSON in target/bench/.
set -euo pipefail
cd "$(dirname "$0")/.."

# What crosstalk-bench is given, after where the server is. One sender per group: each of its
# messages is 99 deliveries.
STANDARD=(
  'direct --pairs 50 --window 16 --seconds 20'
  'group --groups 10 --members 100 --senders 1 --window 4 --seconds 10'
  'fanout --members 10000 --online 1000 --senders 4 --window 1 --seconds 10'
  'idle --connections 2000 --seconds 5'
  'sync --conversations 2000 --users 4 --rounds 10'
  'mixed --users 400 --rate 1000 --seconds 10'
  'storm --clients 2000'
)
# Those that every dialect has.
COMMON='direct group fanout idle'
DIALECT=${DIALECT:-}
# What is compared unless SCENARIO says otherwise.
COMPARED='direct group'
# What the server is given: every listener on a free port of loopback, and no limit per user,
# which is there to stop a load like this.
LISTENERS=(http wukong_tcp wukong_ws wukong_api mqtt_tcp wg)
SETS=(limits.send_rate=0)

TARGET=${CARGO_TARGET_DIR:-target}
BIN=$TARGET/release
REPORTS=$TARGET/bench
mkdir -p "$REPORTS"
# Not in /tmp: where that is memory, fsync would cost nothing and the numbers lie.
dir=$(mktemp -d "$TARGET/bench.XXXXXX")
server=
failed=0

alive() { [ -n "$server" ] && kill -0 "$server" 2>/dev/null; }

stop() {
  local tries=0
  if alive; then
    kill -TERM "$server" 2>/dev/null || true
    while alive && [ "$((tries += 1))" -le 100 ]; do sleep 0.1; done
    if alive; then
      echo 'bench: the server did not stop in 10 s, killing it' >&2
      kill -KILL "$server" 2>/dev/null || true
    fi
    wait "$server" 2>/dev/null || true
  fi
  server=
}

remove_source() {
  if [ -e "$dir/source" ]; then git worktree remove --force "$dir/source"; fi
}

# shellcheck disable=SC2317 # the trap calls it
finish() {
  local status=$?
  stop
  remove_source
  if [ "$status" -ne 0 ] && [ "$status" -ne 130 ] && [ -e "$dir/server.log" ]; then
    echo 'bench: last lines of the server:' >&2
    tail -n 20 "$dir/server.log" >&2
  fi
  rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# start EXECUTABLE
start() {
  local sets=() set listener tries=0
  for set in "${SETS[@]}"; do sets+=(--set "$set"); done
  for listener in "${LISTENERS[@]}"; do sets+=(--set "listen.$listener=127.0.0.1:0"); done
  rm -rf "$dir/data"
  # In a session of its own: Ctrl-C is for the load generator, which then says what it saw.
  setsid "$1" serve --data-dir "$dir/data" "${sets[@]}" >"$dir/server.log" 2>&1 &
  server=$!
  until [ -s "$dir/data/listeners.json" ]; do
    alive || { echo 'bench: the server ended before it was ready' >&2; exit 1; }
    [ "$((tries += 1))" -le 300 ] || { echo 'bench: the server was not ready in 30 s' >&2; exit 1; }
    sleep 0.1
  done
}

# run EXECUTABLE REPORT OPTION…
run() {
  local executable=$1 report=$2 status=0
  shift 2
  start "$executable"
  "$BIN/crosstalk-bench" --listeners "$dir/data/listeners.json" \
    --admin-key-file "$dir/data/admin.key" --server-pid "$server" --json "$report" \
    ${DIALECT:+--dialect "$DIALECT"} "$@" ||
    status=$?
  stop
  # An interrupt went to the load generator, too: it has said what it saw.
  [ "$status" -ne 130 ] || exit 130
  return "$status"
}

# The scenarios that SCENARIO, or the argument, names, one a line.
scenarios() {
  local wanted=${SCENARIO:-$1} scenario
  case $wanted in
    *' -'*) printf '%s\n' "$wanted"; return ;;
  esac
  local name found
  for name in $wanted; do
    found=
    for scenario in "${STANDARD[@]}"; do
      if [ "${scenario%% *}" = "$name" ]; then
        found=1
        printf '%s\n' "$scenario"
      fi
    done
    [ -n "$found" ] || { echo "bench: there is no standard scenario $name" >&2; return 2; }
  done
}

rounds() {
  local rounds=${ROUNDS:-$1}
  case $rounds in
    *[!0-9]* | '' | 0) echo "bench: ROUNDS=$rounds is no number of rounds" >&2; return 2 ;;
  esac
  printf '%s\n' "$rounds"
}

standard() {
  local all round rounds options words reports=() default=${STANDARD[*]%% *}
  rounds=$(rounds 1)
  case $DIALECT in '' | wukong) ;; *) default=$COMMON ;; esac
  all=$(scenarios "$default")
  while read -r options; do
    read -ra words <<<"$options"
    for round in $(seq "$rounds"); do
      printf '\n== crosstalk-bench %s%s\n' "$options" "${DIALECT:+ --dialect $DIALECT}"
      local name=${DIALECT:+$DIALECT-}${words[0]}
      local report=$REPORTS/$name.json
      [ "$rounds" -eq 1 ] || report=$REPORTS/$name.$round.json
      rm -f "$report"
      run "$BIN/crosstalk" "$report" "${words[@]}" || failed=1
      [ ! -e "$report" ] || reports+=("$report")
    done
  done <<<"$all"
  if [ "$rounds" -gt 1 ]; then
    printf '\n== medians of %s rounds\n' "$rounds"
    "$BIN/crosstalk-bench" compare --a "${reports[@]}" || failed=1
  fi
}

# build NAME REVISION: leaves the server in $dir/NAME.
build() {
  local name=$1 revision=$2
  git rev-parse --verify --quiet "$revision^{commit}" >/dev/null ||
    { echo "bench: $revision is neither an executable nor a git revision" >&2; exit 2; }
  printf '== building %s: %s\n' "$name" "$(git log -1 --format='%h %s' "$revision")"
  git worktree add --quiet --detach "$dir/source" "$revision"
  # Revisions share a target folder, and so what they depend on. Cargo tells sources apart by
  # their times only, wherever they lie: these must be newer than what the last one left, and
  # the folder must not be that of this tree.
  find "$dir/source" -type f -exec touch {} +
  (cd "$dir/source" && CARGO_TARGET_DIR=$revisions cargo build --release --locked -p crosstalk)
  cp "$revisions/release/crosstalk" "$dir/$name"
  remove_source
}

# executable NAME WHAT: the path of a server.
prepare() {
  local name=$1 what=$2
  if [ -f "$what" ] && [ -x "$what" ]; then
    cp "$what" "$dir/$name"
  else
    build "$name" "$what"
  fi
}

compare() {
  local all round rounds options words side first=() a=() b=()
  rounds=$(rounds 5)
  all=$(scenarios "$COMPARED")
  mkdir -p "$TARGET/bench-build" "$REPORTS/compare"
  revisions=$(cd "$TARGET/bench-build" && pwd)
  prepare A "$1"
  prepare B "$2"
  rm -f "$REPORTS"/compare/*.json
  while read -r options; do
    read -ra words <<<"$options"
    for round in $(seq "$rounds"); do
      for side in A B; do
        printf '== %s, round %s of %s, %s\n' "${words[0]}" "$round" "$rounds" "$side"
        local report=$REPORTS/compare/${words[0]}.$side.$round.json
        # The machine is measured once.
        run "$dir/$side" "$report" "${words[@]}" "${first[@]}" >"$dir/report.txt" || {
          failed=1
          cat "$dir/report.txt"
        }
        first=(--skip-machine)
        [ -e "$report" ] || exit 1
        if [ "$side" = A ]; then a+=("$report"); else b+=("$report"); fi
      done
    done
  done <<<"$all"
  printf '\nA = %s\nB = %s\n\n' "$1" "$2"
  "$BIN/crosstalk-bench" compare --a "${a[@]}" --b "${b[@]}" \
    --json "$REPORTS/compare.json" || failed=1
}

# Each client is an open file, on both sides.
ulimit -Sn "$(ulimit -Hn)"
case ${1:-} in
  '') standard ;;
  compare)
    if [ $# -ne 3 ] || [ -z "$2" ] || [ -z "$3" ]; then
      echo 'bench: compare needs A and B: executables or git revisions' >&2
      exit 2
    fi
    compare "$2" "$3"
    ;;
  *) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$0"; exit 2 ;;
esac
exit "$failed"
