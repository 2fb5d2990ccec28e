#!/bin/sh
# A driver in the documented old style: takes the XML from stdin, prints errors between the markers.
# All six actions are this program under six names.
set -u
action=${0##*/}
machines=$ONE_HOME/old-sh/machines
mkdir -p "$machines"

fail() {
    printf 'ERROR MESSAGE --8<------\n%s\nERROR MESSAGE ------>8--\n' "$1" >&2
    exit 1
}
tag() { sed -n "s:.*<$1>\(.*\)</$1>.*:\1:p" "$domain" | head -n 1; }
known() { [ -f "$machines/$1/state" ] || fail "$action of sh host $2 failed due to \"no machine $1\""; }

case $action in
deploy)
    domain=$1
    cat > "$domain"
    reason=$(tag FAIL)
    [ -z "$reason" ] || fail "$reason"
    id=$(tag DEPLOY_ID)
    if [ -n "$id" ]; then
        known "$id" "$2"
    else
        id=$(cd "$machines" && mktemp -d sh-XXXXXXXX)
    fi
    tag NAME > "$machines/$id/name"
    echo a > "$machines/$id/state"
    echo "$id"
    ;;
poll)
    if [ -f "$machines/$1/state" ]; then
        read -r state < "$machines/$1/state"
        echo "STATE=$state CPU=1.5 MEMORY=1024 GUEST_IP_ADDRESSES=\"192.0.2.10,192.0.2.11\""
    else
        echo STATE=d
    fi
    ;;
reboot | reset)
    known "$1" "$2"
    echo a > "$machines/$1/state"
    ;;
shutdown)
    known "$1" "$2"
    [ "$3" = SHUTDOWN_POWEROFF ] || fail "unexpected $3"
    echo p > "$machines/$1/state"
    ;;
cancel)
    rm -rf "${machines:?}/$1"
    ;;
esac
