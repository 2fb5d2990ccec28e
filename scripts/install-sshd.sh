#!/bin/sh
# Some tests log in to a real SSH server of their own on loopback.
set -eu
if [ "$(id -u)" -ne 0 ]; then
    echo "the tests need an SSH server: install the package openssh-server" >&2
    exit 1
fi
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends openssh-server >/dev/null
