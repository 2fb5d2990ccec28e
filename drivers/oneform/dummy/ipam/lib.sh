# What the scripts of this folder share. They get the request on stdin: XML in base64.
request=$(base64 -d)

# The text of one element of the address range.
ar() {
    printf '%s' "$request" | tr -d '\n' | sed -n "s/.*<AR>.*<$1>\([^<]*\)<\/$1>.*<\/AR>.*/\1/p"
}

addresses=$ONE_HOME/dummy/oneform-addresses

die() {
    echo "$1" >&2
    exit 1
}
