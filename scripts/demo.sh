#!/usr/bin/env bash
# The main job end to end, as an operator would type it, in a home of its own that is removed afterwards.
# Ends with an error as soon as anything is not as it should be.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
ONE_HOME="$(mktemp -d)"
export ONE_HOME
trap 'rm -rf "$ONE_HOME"' EXIT

bold='' plain=''
if [ -t 1 ]; then bold=$'\033[1m' plain=$'\033[0m'; fi

says() { printf '\n# %s\n' "$*"; }
run() { printf '\n%s$ %s%s\n' "$bold" "$*" "$plain"; "$@" 2>&1; }
wrong() { printf 'this is not as it should be: %s\n' "$*" >&2; exit 1; }
fails() { if run "$@"; then wrong "'$*' should have failed"; fi; }

# What is wanted, what is recorded and what exists: the state, the hosts in service, the files of the dummy cloud.
is() { # ID STATE HOSTS MACHINES-THAT-EXIST
    local found
    found=$(oneprovision show "$1" -j | python -c '
import json, sys
body = json.load(sys.stdin)["DOCUMENT"]["TEMPLATE"]["PROVISION_BODY"]
hosts = body["one_objects"]["hosts"]
print(body["state"], sum(host["state"] == "on" for host in hosts))
')
    [ "$found" = "$2 $3" ] || wrong "provision $1 is '$found' and not '$2 $3'"
    found=$(find "$ONE_HOME/dummy/machines" -type f | wc -l)
    [ "$found" -eq "$4" ] || wrong "$found machines exist, and not $4"
    printf '=> provision %s is %s with %s hosts; %s machines exist\n' "$@"
}

says "A template is checked before anything is made."
run oneprovision validate examples/dummy-cluster.yaml
says "One command makes the cluster: plan first, then machines, then objects."
run oneprovision create examples/dummy-cluster.yaml
run oneprovision list
is 0 RUNNING 3 3
says "It grows and shrinks; old hosts are not touched."
run oneprovision add-host 0 --amount 2
is 0 RUNNING 5 5
run oneprovision del-host 0 --host-ids 3,4
is 0 RUNNING 3 3
says "Public addresses are leased and given back."
run oneprovision add-ip 0 --amount 1
run oneprovision network show 1
run oneprovision remove-ip 0 0
says "A provider that refuses: the old hosts stay as they are, and the rest can be retried."
echo 'CAPACITY=4' > "$ONE_HOME/dummy/cloud.conf"
fails oneprovision add-host 0 --amount 2 --fail-retry 0
is 0 SCALING_FAILURE 3 4
rm "$ONE_HOME/dummy/cloud.conf"
run oneprovision retry 0
is 0 RUNNING 5 5
says "A provider that fails at first: every call is tried again by itself."
run oneprovision create examples/rehearsal.yaml --set defaults.provision.latency=0 --fail-sleep 0.1
is 1 RUNNING 3 8
says "A machine that vanishes is noticed, and made anew."
rm "$(find "$ONE_HOME/dummy/machines" -type f | head -n 1)"
fails oneprovision orphans
run oneprovision retry 0,1 --force
is 0 RUNNING 5 8
says "Nothing exists that is not recorded, and nothing is recorded that does not exist."
run oneprovision orphans
says "The end: DONE only when the provider confirms that nothing is left."
run oneprovision deprovision 0,1 --yes
run oneprovision list --all
is 0 DONE 0 0
is 1 DONE 0 0
says "A service: roles of machines that wait for each other; the frontend runs before any worker is made."
run oneflow template create examples/web-application.json
run oneflow template instantiate 0
run oneflow scale 0 worker 3
run oneflow list
run oneflow delete 0
found=$(find "$ONE_HOME/dummy/machines" -type f | wc -l)
[ "$found" -eq 0 ] || wrong "$found machines are left of the service"
printf '\nThe main job is done: nothing is left.\n'
