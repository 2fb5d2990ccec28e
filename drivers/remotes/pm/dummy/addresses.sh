# The public addresses of the dummy cloud, one file each. Sourced after lib.sh.

ID='' TAG='' DEPLOY_ID=''

take_address() {
    case $1 in
    ID | IP | TAG | DEPLOY_ID | COMPLETE) eval "$1=\$2" ;;
    esac
}

# load_address FILE: succeeds if it holds a whole record.
load_address() {
    ID='' IP='' TAG='' DEPLOY_ID='' COMPLETE=''
    record=$1
    [ ! -r "$record" ] || read_pairs take_address "$record"
    [ "$COMPLETE" = 1 ]
}

# load_address_by_id ID
load_address_by_id() {
    case $1 in
    dummy-ip-*[!0-9.]* | dummy-ip- | dummy-ip-.*) return 1 ;;
    dummy-ip-*) load_address "$cloud/addresses/${1#dummy-ip-}" ;;
    *) return 1 ;;
    esac
}
