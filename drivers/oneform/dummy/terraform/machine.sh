# machine.sh create INDEX NAME ID IP | destroy INDEX NAME: one machine of the dummy cloud, a file.
set -eu
verb=$1 index=$2 name=$3
cloud=$ONE_HOME/dummy
machines=$cloud/oneform
mkdir -p "$machines"
latency=0 fail='' fail_destroy=''
if [ -f "$cloud/oneform.conf" ]; then . "$cloud/oneform.conf"; fi
case $verb in
create)
    sleep "$latency"
    case " $fail " in *" $index "*) echo "no machine of index $index can be made" >&2; exit 1 ;; esac
    printf 'ID=%s\nIP=%s\n' "$4" "$5" >"$machines/.$name.$$"
    mv "$machines/.$name.$$" "$machines/$name"
    ;;
destroy)
    sleep "$latency"
    case " $fail_destroy " in *" $index "*) echo "the machine of index $index cannot be removed" >&2; exit 1 ;; esac
    rm -f "$machines/$name"
    ;;
esac
