# What the actions of the driver share. A machine in use is a file $ONE_HOME/onprem/ADDRESS that holds the name it
# was given; nothing else exists, and no machine is ever touched.

LC_ALL=C
export LC_ALL
umask 077

fail() {
    printf 'ERROR MESSAGE --8<------\n%s\nERROR MESSAGE ------>8--\n' "$1" >&2
    exit 1
}

open_register() {
    [ "${ONE_HOME:-}" ] || fail 'ONE_HOME is not set; it names the folder that holds the register'
    register=$ONE_HOME/onprem
    [ -d "$register" ] || mkdir -p "$register" || fail "cannot make $register"
}

# check_address ADDRESS: it becomes the name of a file, and an argument of ssh.
check_address() {
    case $1 in
    '') fail 'the machine has no address: give hosts[].provision.ip, or use add-host --ips' ;;
    *[!0-9A-Za-z.:-]* | -* | .*) fail "'$1' is not an address" ;;
    esac
}

# owner_of ADDRESS: sets `owner`, empty where nobody has it.
owner_of() {
    owner=''
    [ ! -r "$register/$1" ] || IFS= read -r owner <"$register/$1" || :
}
