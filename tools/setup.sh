#!/usr/bin/env bash
# Makes .venv/ from uv.lock, and sees to the one system library that a wheel of ours needs.
#
# Nothing is done when the environment in .venv/ was made here from these very uv.lock and pyproject.toml.
# Otherwise uv brings .venv/ to exactly what the lock says. LightGBM needs the OpenMP runtime of the
# system (libgomp1 on Linux, libomp on macOS): it is installed where that needs no question, else named.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
cd "$root"
stamp=.venv/.made-from
wanted="$root $(cat uv.lock pyproject.toml | cksum)"

say() { printf '%s\n' "$*" >&2; }

has_libgomp() { .venv/bin/python -c 'import ctypes; ctypes.CDLL("libgomp.so.1")' 2>/dev/null; }

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

may_be_root() { [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null; }

see_to_openmp() {
  case "$(uname -s)" in
    Linux)
      has_libgomp && return
      if command -v apt-get >/dev/null && may_be_root; then
        say "The library libgomp1, which LightGBM needs, is missing: installing it by apt-get."
        as_root apt-get install -y -qq libgomp1 >/dev/null 2>&1 ||
          { as_root apt-get update -qq >/dev/null && as_root apt-get install -y -qq libgomp1 >/dev/null; } || true
        has_libgomp && return
      fi
      say "The library libgomp1, which LightGBM needs, is missing: run 'sudo apt-get install libgomp1'" \
        "(Fedora: 'sudo dnf install libgomp'; Alpine is not supported), then make setup again."
      return 1
      ;;
    Darwin)
      [ -e /opt/homebrew/opt/libomp/lib/libomp.dylib ] || [ -e /usr/local/opt/libomp/lib/libomp.dylib ] ||
        [ -e /opt/local/lib/libomp/libomp.dylib ] ||
        say "The library libomp, which LightGBM needs, was not found: run 'brew install libomp' if a model does not load."
      ;;
  esac
}

if [ -z "${PYTHON:-}" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && .venv/bin/python -I -c '' 2>/dev/null; then
  exit 0
fi
say "Making .venv from uv.lock (some minutes the first time: about 270 packages, 1 GB)."
tools/uv sync --frozen --quiet --compile-bytecode
see_to_openmp
printf '%s\n' "$wanted" >"$stamp"
say "Ready: .venv/bin/duesight, on $(.venv/bin/python --version)."
