#!/usr/bin/env bash
# Runs every test and says how long each part took. Stops at the first part that
# fails; within `cargo test` all test binaries run before that is decided.
set -euo pipefail
cd "$(dirname "$0")/.."

TARGET=${CARGO_TARGET_DIR:-target}
names=() tenths=()

tenths_now() { echo "$(($(date +%s%N) / 100000000))"; }

# part NAME COMMAND…: runs the command with its output untouched, and times it.
part() {
  local name=$1 start status=0
  shift
  printf '\n== %s\n' "$name"
  start=$(tenths_now)
  "$@" || status=$?
  names+=("$name") tenths+=("$(($(tenths_now) - start))")
  [ "$status" -eq 0 ] || { printf '\n%s: failed (exit %s)\n' "$name" "$status" >&2; exit "$status"; }
}

times() {
  local index total=0
  [ "${#names[@]}" -gt 0 ] || return 0
  printf '\n%-24s %9s\n' part seconds
  for index in "${!names[@]}"; do
    printf '%-24s %7d.%d\n' "${names[index]}" $((tenths[index] / 10)) $((tenths[index] % 10))
    total=$((total + tenths[index]))
  done
  printf '%-24s %7d.%d\n' total $((total / 10)) $((total % 10))
}
trap times EXIT

# Third-party clients that tests drive; each has its own lock file, from npm or pip.
install_clients() {
  local lock folder
  for lock in tests/clients/*/requirements.txt; do
    [ -e "$lock" ] || continue
    folder=${lock%/*}
    if [ "$folder/.venv/installed" -nt "$lock" ]; then
      echo "$folder: up to date"
    else
      echo "$folder: pip install"
      (cd "$folder" && python3 -m venv --clear .venv &&
        .venv/bin/pip install --quiet --disable-pip-version-check --require-hashes \
          -r requirements.txt && touch .venv/installed) || return
    fi
  done
  for lock in tests/clients/*/package-lock.json; do
    [ -e "$lock" ] || continue
    folder=${lock%/*}
    if [ "$folder/node_modules/.package-lock.json" -nt "$lock" ]; then
      echo "$folder: up to date"
    else
      echo "$folder: npm ci"
      (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund) || return
    fi
  done
}

part setup scripts/setup.sh build test
# setup.sh may have put a newer Node.js here.
if [ -d "$TARGET/tools/bin" ]; then
  PATH="$(cd "$TARGET/tools/bin" && pwd):$PATH"
  export PATH
fi
part clients install_clients
part tidy cargo run --quiet --locked -p xtask -- tidy
# One build for all: crates/server has a test of its binary, so the binary is built with the tests.
part build cargo test --locked --workspace --no-run
part 'cargo test' cargo test --locked --workspace --no-fail-fast
