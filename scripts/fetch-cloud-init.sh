#!/bin/sh
# fetch-cloud-init.sh FOLDER: the cloud-init of Debian, unpacked and not installed, so that tests can have it read
# the seeds of guests. Installed, it would configure this very computer.
set -eu
[ $# -eq 1 ] || { echo "usage: $0 FOLDER" >&2; exit 2; }
packages="cloud-init python3-oauthlib python3-configobj python3-jsonpatch python3-json-pointer python3-six"
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || { echo "this is no Debian" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! apt-cache show cloud-init >/dev/null 2>&1 && [ "$(id -u)" -eq 0 ]; then apt-get -q -q update; fi
# shellcheck disable=SC2086  # several words are several packages
(cd "$work" && apt-get -q -q -o Debug::NoLocking=1 -o APT::Sandbox::User=root download $packages)
for file in "$work"/*.deb; do dpkg-deb -x "$file" "$work/unpacked"; done
rm -rf "$1"
mv "$work/unpacked/usr/lib/python3/dist-packages" "$1"
