#!/usr/bin/env bash
# The main job end to end, as an operator would type it, in a home of its own that is removed afterwards.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
ONE_HOME="$(mktemp -d)"
export ONE_HOME
trap 'rm -rf "$ONE_HOME"' EXIT

run() { printf '\n\033[1m$ %s\033[0m\n' "$*"; "$@" 2>&1; }
says() { printf '\n# %s\n' "$*"; }
fails() { if run "$@"; then echo "this should have failed"; exit 1; fi; }

says "A template is checked before anything is made."
run oneprovision validate examples/dummy-cluster.yaml
says "One command makes the cluster: plan first, then machines, then objects."
run oneprovision create examples/dummy-cluster.yaml
run oneprovision list
says "It grows and shrinks; old hosts are not touched."
run oneprovision add-host 0 --amount 2
run oneprovision del-host 0 --host-ids 3,4
says "Public addresses are leased and given back."
run oneprovision add-ip 0 --amount 1
run oneprovision remove-ip 0 0
run oneprovision show 0
says "A provider that refuses: the old hosts stay as they are, and the rest can be retried."
echo 'CAPACITY=4' > "$ONE_HOME/dummy/cloud.conf"
fails oneprovision add-host 0 --amount 2 --fail-retry 0
rm "$ONE_HOME/dummy/cloud.conf"
run oneprovision retry 0
says "Nothing exists that is not recorded, and nothing is recorded that does not exist."
run oneprovision orphans
says "The end: DONE only when the provider confirms that nothing is left."
run oneprovision deprovision 0 --yes
run oneprovision list --all
if [ -n "$(ls -A "$ONE_HOME/dummy/machines")" ]; then echo "machines are left"; exit 1; fi
printf '\nThe main job is done: nothing is left.\n'
