#!/bin/sh
# Some tests log in to a real SSH server of their own on loopback; without one they are skipped.
set -eu
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "without an SSH server some tests are skipped: install the package openssh-server" >&2
    exit 0
fi
echo "installing openssh-server for the tests"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update && apt-get install --yes --no-install-recommends openssh-server; } >"$log" 2>&1; then
    tail -n 25 "$log" >&2
    echo "openssh-server could not be installed; some tests will be skipped" >&2
fi
