#!/usr/bin/env bash
# The standard load scenarios, each against a fresh server on free ports. Expects release
# builds of crosstalk and crosstalk-bench; `make bench` makes them first. The reports are also
# left as JSON in target/bench/.
set -euo pipefail
cd "$(dirname "$0")/.."

# What crosstalk-bench is given, after where the server is. One sender per group: each of its
# messages is 99 deliveries.
DIRECT=(direct --pairs 50 --window 16 --seconds 20)
GROUP=(group --groups 10 --members 100 --senders 1 --window 4 --seconds 10)
IDLE=(idle --connections 2000 --seconds 5)
# What the server is given: every listener on a free port of loopback, and no limit per user,
# which is there to stop a load like this.
LISTENERS=(http wukong_tcp wukong_ws wukong_api)
SETS=(limits.send_rate=0)

TARGET=${CARGO_TARGET_DIR:-target}
BIN=$TARGET/release
REPORTS=$TARGET/bench
# Not in /tmp: where that is memory, fsync would cost nothing and the numbers lie.
dir=$(mktemp -d "$TARGET/bench.XXXXXX")
server=

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

# shellcheck disable=SC2317 # the trap calls it
finish() {
  local status=$?
  stop
  if [ "$status" -ne 0 ] && [ -e "$dir/server.log" ]; then
    echo 'bench: last lines of the server:' >&2
    tail -n 20 "$dir/server.log" >&2
  fi
  rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

start() {
  local sets=() set listener tries=0
  for set in "${SETS[@]}"; do sets+=(--set "$set"); done
  for listener in "${LISTENERS[@]}"; do sets+=(--set "listen.$listener=127.0.0.1:0"); done
  rm -rf "$dir/data"
  "$BIN/crosstalk" serve --data-dir "$dir/data" "${sets[@]}" >"$dir/server.log" 2>&1 &
  server=$!
  until [ -s "$dir/data/listeners.json" ]; do
    alive || { echo 'bench: the server ended before it was ready' >&2; exit 1; }
    [ "$((tries += 1))" -le 300 ] || { echo 'bench: the server was not ready in 30 s' >&2; exit 1; }
    sleep 0.1
  done
}

failed=0
run() {
  printf '\n== crosstalk-bench %s\n' "$*"
  start
  "$BIN/crosstalk-bench" --listeners "$dir/data/listeners.json" \
    --admin-key-file "$dir/data/admin.key" --server-pid "$server" \
    --json "$REPORTS/$1.json" "$@" || failed=1
  stop
}

# Each client is an open file, on both sides.
ulimit -Sn "$(ulimit -Hn)"
mkdir -p "$REPORTS"
run "${DIRECT[@]}"
run "${GROUP[@]}"
run "${IDLE[@]}"
exit "$failed"
