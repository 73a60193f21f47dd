#!/usr/bin/env bash
# The standard load scenarios against a fresh server on free ports. Expects release
# builds of crosstalk and crosstalk-bench; `make bench` makes them first.
set -euo pipefail
cd "$(dirname "$0")/.."

# What crosstalk-bench is given, after where the server is.
DIRECT=(direct --pairs 50 --window 16 --seconds 20)
GROUP=(group --seconds 20)
# What the server is given: every listener on a free port of loopback.
LISTENERS=(http wukong_tcp wukong_ws wukong_api mqtt_tcp wg)

BIN=${CARGO_TARGET_DIR:-target}/release
# Not in /tmp: where that is memory, fsync would cost nothing and the numbers lie.
dir=$(mktemp -d "${CARGO_TARGET_DIR:-target}/bench.XXXXXX")
server=

alive() { [ -n "$server" ] && kill -0 "$server" 2>/dev/null; }

stop() {
  local status=$? tries=0
  if alive; then
    kill -TERM "$server" 2>/dev/null || true
    while alive && [ "$((tries += 1))" -le 100 ]; do sleep 0.1; done
    if alive; then
      echo 'bench: the server did not stop in 10 s, killing it' >&2
      kill -KILL "$server" 2>/dev/null || true
    fi
  fi
  [ "$status" -eq 0 ] || { echo 'bench: last lines of the server:' >&2; tail -n 20 "$dir/server.log" >&2; }
  rm -rf "$dir"
}
trap stop EXIT

sets=()
for listener in "${LISTENERS[@]}"; do sets+=(--set "listen.$listener=127.0.0.1:0"); done
"$BIN/crosstalk" serve --data-dir "$dir/data" "${sets[@]}" >"$dir/server.log" 2>&1 &
server=$!

tries=0
until [ -s "$dir/data/listeners.json" ]; do
  alive || { echo 'bench: the server ended before it was ready' >&2; exit 1; }
  [ "$((tries += 1))" -le 300 ] || { echo 'bench: the server was not ready in 30 s' >&2; exit 1; }
  sleep 0.1
done

run() {
  printf '\n== %s\n' "$*"
  "$BIN/crosstalk-bench" --listeners "$dir/data/listeners.json" \
    --admin-key-file "$dir/data/admin.key" "$@"
}
run "${DIRECT[@]}"
run "${GROUP[@]}"
