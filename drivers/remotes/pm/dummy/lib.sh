# What every action of the dummy cloud shares: its files, the rehearsal knobs, the stages of a call.
#
# An action calls: open_cloud (or open_machine of machine.sh), begin, its effect unless $lying, conclude; then it
# prints its answer.
# No value from a file or an XML is ever evaluated: `eval` below only sees names that a pattern has admitted.

LC_ALL=C # so that [a-f] in a pattern means six letters
export LC_ALL
umask 077
nl='
'
action=${0##*/} host='' subject='-' glue='' lying=''
name='' deploy_id='' record='' now='' metrics=''
LATENCY='' FAIL='' FAIL_FIRST='' FAIL_AFTER='' LIE='' HANG='' HANG_AFTER='' CRASH='' CAPACITY='' LIST_LAG=''
LATE='' GARBAGE='' BOOT='' STATE='' CPU='' MEMORY='' NETRX='' NETTX='' VMS=''
IP='' REBOOTS='' RESETS='' SNAPSHOTS=''
VISIBLE_FROM='' LISTED_FROM='' BOOTED_AT='' COMPLETE=''

# --- the cloud ---

open_cloud() {
    [ "${ONE_HOME:-}" ] || fail 'ONE_HOME is not set; it names the folder that holds the cloud'
    cloud=$ONE_HOME/dummy
    # machines/ is made last: where it exists, a killed mkdir has left nothing undone.
    [ -d "$cloud/machines" ] ||
        mkdir -p "$ONE_HOME" "$cloud" "$cloud/attempts" "$cloud/ghosts" "$cloud/ips" "$cloud/addresses" \
            "$cloud/machines" || fail "cannot make $cloud"
    [ ! -r "$cloud/cloud.conf" ] || read_pairs take_knob "$cloud/cloud.conf"
}

# --- KEY=VALUE files: the value is the rest of the line as it stands, without quoting ---

# read_pairs TAKE FILE
read_pairs() {
    glue=''
    while IFS= read -r line || { [ "$line" ] && glue=$nl; }; do
        case $line in
        \#* | =*) ;;
        *=*) pair_to "$1" "${line%%=*}" "${line#*=}" ;;
        esac
    done 2>/dev/null <"$2" # it may have been removed just now
}

# pair_to TAKE KEY VALUE: hand-written keys may be lower case.
pair_to() {
    case $2 in
    *[!A-Za-z0-9_]*) ;;
    *[a-z]*) "$1" "$(printf %s "$2" | tr a-z A-Z)" "$3" ;;
    *) "$1" "$2" "$3" ;;
    esac
}

take_knob() {
    case $1 in
    LATENCY | FAIL | FAIL_FIRST | FAIL_AFTER | LIE | HANG | HANG_AFTER | CRASH | CAPACITY | LIST_LAG | LATE | \
        GARBAGE | BOOT | STATE | CPU | MEMORY | NETRX | NETTX | VMS) eval "$1=\$2" ;;
    METRIC_?*)
        case $1 in *[!A-Z0-9_]*) return 1 ;; esac
        case " $metrics " in *" $1 "*) ;; *) metrics="$metrics $1" ;; esac
        eval "$1=\$2"
        ;;
    *) return 1 ;;
    esac
}

take_fact() {
    case $1 in
    IP | REBOOTS | RESETS | SNAPSHOTS | VISIBLE_FROM | LISTED_FROM | BOOTED_AT | COMPLETE) eval "$1=\$2" ;;
    *) take_knob "$1" "$2" ;;
    esac
}

# note KEY=VALUE...: one appended write, so that concurrent writers and readers never see half a record;
# the last line of a key counts. A record that was cancelled meanwhile cannot come back: it lacks COMPLETE=1.
note() {
    text=$glue
    for pair in "$@"; do text=$text$pair$nl; done
    printf %s "$text" >>"$record" || fail "cannot write $record"
}

# --- the stages of a call ---

# begin: everything that may go wrong before the effect.
begin() {
    ! listed "$HANG" || exec sleep 2147483647
    [ -z "$LATENCY" ] || half_latency
    ! listed "$FAIL" || fail 'it was told to fail'
    [ -z "$FAIL_FIRST" ] || fail_first
    ! listed "$LIE" || lying=1
}

# conclude: everything that may go wrong between the effect and the answer.
conclude() {
    ! listed "$CRASH" || kill -KILL $$
    [ -z "$LATENCY" ] || half_latency
    ! listed "$HANG_AFTER" || exec sleep 2147483647
    ! listed "$FAIL_AFTER" || fail 'it was told to fail after the effect'
    if listed "$GARBAGE"; then
        printf '\000\377\376\033[31m\302{"<%s\n' "$action"
        exit 0
    fi
}

listed() {
    [ "$1" ] || return 1
    case ",$1," in
    *[,\ ]"$action"[,\ ]*) return 0 ;;
    esac
    return 1
}

half_latency() {
    to_ms "$LATENCY"
    ms=$((ms / 2))
    rest=$((ms % 1000 + 1000))
    sleep "$((ms / 1000)).${rest#1}"
}

# An attempt is counted by the exclusive creation of its file, which no race and no kill can count twice.
fail_first() {
    set -f
    IFS=', '
    for entry in $FAIL_FIRST; do
        [ "${entry%%:*}" = "$action" ] || continue
        whole "${entry#*:}" || fail "fail_first: '$entry' is not ACTION:COUNT"
        attempt=1
        while [ $attempt -le "${entry#*:}" ]; do
            ! create "$cloud/attempts/$subject.$action.$attempt" '' ||
                fail "it was told to fail attempt $attempt of ${entry#*:}"
            attempt=$((attempt + 1))
        done
    done
    unset IFS
    set +f
}

# --- small tools ---

# create FILE TEXT: succeeds for exactly one of any number of callers.
create() {
    set -C
    { printf %s "$2" >"$1"; } 2>/dev/null
    status=$?
    set +C
    return $status
}

# The kernel drops the lock when its holder dies. Where flock is missing, only quota and address races remain.
lock() {
    exec 9>>"$cloud/lock"
    flock 9 2>/dev/null || :
}

unlock() {
    exec 9>&-
}

whole() {
    case $1 in
    '' | *[!0-9]*) return 1 ;;
    esac
    [ ${#1} -le 15 ]
}

# to_ms SECONDS: the decimal number in $ms.
to_ms() {
    case $1 in
    *.*) fraction=${1#*.}000 seconds=${1%%.*} ;;
    *) fraction=000 seconds=$1 ;;
    esac
    fraction=${fraction%"${fraction#???}"}
    whole "$seconds$fraction" || fail "'$1' is not a number of seconds"
    ms=$seconds$fraction
    # 08 would be read as an octal number.
    while :; do
        case $ms in 0?*) ms=${ms#0} ;; *) break ;; esac
    done
}

# set_now: milliseconds since 1970 in $now; called only where a knob of time is set, since it costs a process.
set_now() {
    [ -z "$now" ] || return 0
    now=$(date +%s%3N)
    case $now in
    *[!0-9]*) now=$(date +%s)000 ;; # a date without %N
    esac
}

# after SECONDS: that much later than now, in $moment.
after() {
    set_now
    to_ms "$1"
    moment=$((now + ms))
}

# json_string TEXT: TEXT escaped for use between quotes, in $json.
json_string() {
    json='' rest=$1
    while :; do
        case $rest in
        *[\\\"]*)
            head=${rest%%[\\\"]*}
            tail=${rest#"$head"}
            json=$json$head\\${tail%"${tail#?}"}
            rest=${tail#?}
            ;;
        *) break ;;
        esac
    done
    json=$json$rest
}

fail() {
    printf '%s\n' 'ERROR MESSAGE --8<------' "$action of dummy${host:+ host $host} failed due to \"$1\"" \
        'ERROR MESSAGE ------>8--' >&2
    exit 1
}
