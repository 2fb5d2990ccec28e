#!/bin/sh
# Some tests run virtual machines; without QEMU and what their image is made of they are skipped.
set -eu
if command -v qemu-system-x86_64 && command -v qemu-img && command -v cpio; then exit 0; fi >/dev/null
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "without QEMU some tests are skipped: install the packages qemu-system-x86 qemu-utils cpio" >&2
    exit 0
fi
echo "installing QEMU for the tests"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update && apt-get install --yes --no-install-recommends qemu-system-x86 qemu-utils cpio; } >"$log" 2>&1; then
    tail -n 25 "$log" >&2
    echo "QEMU could not be installed; some tests will be skipped" >&2
fi
