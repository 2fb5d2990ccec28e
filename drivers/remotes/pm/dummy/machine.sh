# The machines of the dummy cloud: their names and ids, records and private addresses. Sourced after lib.sh.

# open_machine DEPLOY_ID HOST: afterwards `present` tells whether it exists.
open_machine() {
    host=${2:-} deploy_id=${1:-}
    open_cloud
    [ "$deploy_id" ] || fail "usage: $action DEPLOY_ID HOST ..."
    name_of_id "$deploy_id" || return 0
    subject=$name
    load_record
}

# The id is a spelling of the name, so it needs no index that could be half-written or get lost.
id_of_name() {
    deploy_id=dummy:$1
    case $1 in
    provision-*) ! hex48 "${1#provision-}" || deploy_id=dummy-${1#provision-} ;;
    esac
}

name_of_id() {
    case $1 in
    dummy-*) hex48 "${1#dummy-}" && name=provision-${1#dummy-} ;;
    dummy:*) safe_name "${1#dummy:}" && name=${1#dummy:} ;;
    *) return 1 ;;
    esac
}

hex48() {
    case $1 in
    *[!0-9a-f]*) return 1 ;;
    esac
    [ ${#1} -eq 48 ]
}

# A name is used as a file name.
safe_name() {
    case $1 in
    '' | .* | -* | */* | *[[:cntrl:]]*) return 1 ;;
    esac
    [ ${#1} -le 200 ]
}

load_record() {
    record=$cloud/machines/$name
    COMPLETE=''
    [ ! -r "$record" ] || read_pairs take_fact "$record"
}

# A record without COMPLETE=1 was being written when its writer died: no machine.
present() {
    [ "$COMPLETE" = 1 ] || return 1
    [ "$VISIBLE_FROM" ] || return 0
    set_now
    whole "$VISIBLE_FROM" || return 1
    [ "$now" -ge "$VISIBLE_FROM" ]
}

require_machine() {
    present || fail "machine $deploy_id does not exist"
}

start_up() {
    [ "$STATE" = error ] || set -- STATE=running "$@"
    if [ "$BOOT" ]; then
        after "$BOOT"
        set -- "BOOTED_AT=$moment" "$@"
    fi
    [ $# -eq 0 ] || note "$@"
}

# destroy: the record goes first; as long as it exists nobody else may get its address.
destroy() {
    if [ "$LIST_LAG" ] && present; then
        after "$LIST_LAG"
        note "GHOST_UNTIL=$moment"
        mv -f "$record" "$cloud/ghosts/$name" 2>/dev/null || [ ! -e "$record" ] || fail "cannot remove $record"
    fi
    set --
    [ ! -e "$record" ] || set -- "$record"
    first_ip
    tries=0
    while [ $tries -lt 32 ]; do
        next_ip
        tries=$((tries + 1))
        ! owns_ip "$ip" || set -- "$@" "$cloud/ips/$ip"
    done
    # Past 32 neighbours only the record knows the address.
    case $IP in
    '' | */* | .*) ;;
    *) ! owns_ip "$IP" || set -- "$@" "$cloud/ips/$IP" ;;
    esac
    [ $# -eq 0 ] || rm -f "$@" || fail "cannot remove $record"
}

# Private addresses come from 198.18.0.0/15, probed from a number that depends on the name alone:
# whoever deploys a name again meets the address that a killed deploy of that name has reserved.

first_ip() {
    number=${name#"${name%?????}"}
    case $number in
    '' | *[!0-9a-f]*)
        number=$(printf %s "$name" | cksum)
        number=${number%% *}
        ;;
    *) number=0x$number ;;
    esac
    number=$((number & 131071))
}

next_ip() {
    # .0 and .255 look like network and broadcast addresses to careless programs.
    case $((number & 255)) in
    0) number=$((number + 1)) ;;
    255) number=$(((number + 2) & 131071)) ;;
    esac
    ip=198.$((18 + (number >> 16))).$((number >> 8 & 255)).$((number & 255))
    number=$(((number + 1) & 131071))
}

owns_ip() {
    [ -r "$cloud/ips/$1" ] || return 1
    owner=''
    IFS= read -r owner 2>/dev/null <"$cloud/ips/$1" || : # it may have been removed just now
    [ "$owner" = "$name" ]
}
