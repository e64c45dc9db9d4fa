#!/usr/bin/env bash
# Sees to the PostgreSQL that the tests of SQL sources start for themselves (a private cluster, never the system's).
#
# Debian's package is installed where that needs no question, else named. Nothing else of duesight needs it.
set -euo pipefail

say() { printf '%s\n' "$*" >&2; }

has_postgres() { compgen -G "/usr/lib/postgresql/*/bin/pg_ctl" >/dev/null || command -v pg_ctl >/dev/null; }

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}

may_be_root() { [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null; }

install_it() { as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null 2>&1; }

has_postgres && exit 0
if command -v apt-get >/dev/null && may_be_root; then
  say "PostgreSQL, which the tests of SQL sources start, is missing: installing it by apt-get."
  install_it || { as_root apt-get update -qq >/dev/null && install_it; } || true
  has_postgres && exit 0
fi
say "PostgreSQL, which the tests of SQL sources start, is missing: run 'sudo apt-get install postgresql'; those tests fail without it."
