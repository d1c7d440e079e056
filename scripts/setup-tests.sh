#!/bin/sh
# Installs what the tests need beyond npm packages, where that is allowed; otherwise says which command does.
set -eu

# PACKAGE COMMAND…: the package is missing when one of its commands is.
missing=
need() {
  package=$1
  shift
  for command in "$@"; do
    command -v "$command" >/dev/null 2>&1 && continue
    missing="$missing $package"
    return
  done
}
need redis-server redis-server
need prometheus prometheus promtool
need prometheus-alertmanager prometheus-alertmanager amtool
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
  echo "The tests need:$missing. Install it with this system's package manager." >&2
  exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "The tests need:$missing. Run: sudo apt-get install --no-install-recommends$missing" >&2
  exit 1
fi

echo "Installing for the tests:$missing"
# RUNLEVEL=1 keeps the package from starting a server of its own.
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
apt-get update -qq
# shellcheck disable=SC2086 # one word a package
apt-get install -y -qq --no-install-recommends $missing >/dev/null
