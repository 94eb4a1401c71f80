# Questions that conditions of a change ask on the node, with what every node has: /proc, and curl, wget or bash where
# they are there.
# shellcheck shell=sh disable=SC2154
# listens PORT: whether something listens on it for TCP
listens() {
    HEX=$(printf '%04X' "$1")
    cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v p="$HEX" '$4 == "0A" { n = split($2, a, ":"); if (a[n] == p) f = 1 } END { exit !f }'
}
# runs COMM SECONDS [TEST...]: whether one process of that name has run for so long and fits every test: ARGUMENT is among
# its own, ^ARGUMENT is not, and none begins as !BEGINNING
runs() {
    COMM=$1 LEAST=$2
    shift 2
    NOW=$(cut -d. -f1 /proc/uptime)
    HZ=$(getconf CLK_TCK 2>/dev/null || echo 100)
    set +f
    for PROC in /proc/[0-9]*; do
        set -f
        [ "$(cat "$PROC/comm" 2>/dev/null)" = "$COMM" ] || continue
        BEGAN=$(sed 's/.*) //' "$PROC/stat" 2>/dev/null | cut -d' ' -f20)
        [ -n "$BEGAN" ] && [ $((NOW - BEGAN / HZ)) -ge "$LEAST" ] || continue
        ! fits "$PROC" "$@" || return 0
    done
    set -f
    return 1
}
# began_after COMM FILE: whether one process of that name began after the file was written
began_after() {
    NOW=$(cut -d. -f1 /proc/uptime) HZ=$(getconf CLK_TCK 2>/dev/null || echo 100)
    WRITTEN=$(($(date +%s) - $(stat -c %Y "$2" 2>/dev/null || echo 0)))
    set +f
    for PROC in /proc/[0-9]*; do
        set -f
        [ "$(cat "$PROC/comm" 2>/dev/null)" = "$1" ] || continue
        BEGAN=$(sed 's/.*) //' "$PROC/stat" 2>/dev/null | cut -d' ' -f20)
        [ -z "$BEGAN" ] || [ $((NOW - BEGAN / HZ)) -gt "$WRITTEN" ] || return 0
    done
    set -f
    return 1
}
# fits PROC TEST...
fits() {
    ARGS=$(tr '\0' '\n' <"$1/cmdline" 2>/dev/null) || return 1
    shift
    tested "$@"
}
# tested TEST...: whether the lines of ARGS fit
tested() {
    for TEST; do
        case $TEST in
        '^'*) ! printf '%s\n' "$ARGS" | grep -qxF -- "${TEST#?}" || return 1 ;;
        '!'*) ! printf '%s\n' "$ARGS" | cut -c1-"$((${#TEST} - 1))" | grep -qxF -- "${TEST#?}" || return 1 ;;
        *) printf '%s\n' "$ARGS" | grep -qxF -- "$TEST" || return 1 ;;
        esac
    done
}
# said UNIT COMPONENT TEST...: for a component within another program: whether the unit's log since its start says that it
# runs the component, and with arguments that fit
said() {
    RUN=$(command systemctl show -p InvocationID "$1" 2>/dev/null | cut -d= -f2)
    [ -n "$RUN" ] || return 1
    ARGS=$(within 10 journalctl -q -o cat "_SYSTEMD_INVOCATION_ID=$RUN" 2>/dev/null | grep -F "Running $2 " | tail -n 1 | tr ' ' '\n' | tr -d '"')
    [ -n "$ARGS" ] || return 1
    shift 2
    tested "$@"
}
# answers URL: whether it answers well; true where nothing here can ask
answers() {
    K=/var/lib/kubelet/pki/kubelet-client-current.pem
    [ -f "$K" ] || K=
    AT=${1#*://}
    PAGE=/${AT#*/} AT=${AT%%/*}
    if command -v curl >/dev/null 2>&1; then
        within 10 curl -fsk ${K:+--cert "$K" --key "$K"} -o /dev/null "$1" 2>/dev/null
        return
    fi
    case $1 in
    https:*)
        command -v openssl >/dev/null 2>&1 || return 0
        printf 'GET %s HTTP/1.0\r\n\r\n' "$PAGE" |
            within 10 openssl s_client -quiet -connect "$AT" ${K:+-cert "$K" -key "$K"} 2>/dev/null | head -n 1 | grep -q ' 200'
        ;;
    *)
        if command -v bash >/dev/null 2>&1; then
            HOST=${AT%:*}
            HOST=${HOST#\[} HOST=${HOST%\]}
            # shellcheck disable=SC2016
            within 10 bash -c 'exec 3<>"/dev/tcp/$1/$2" && printf "GET %s HTTP/1.0\r\n\r\n" "$3" >&3 && head -n 1 <&3' \
                bash "$HOST" "${AT##*:}" "$PAGE" 2>/dev/null | grep -q ' 200'
        elif command -v wget >/dev/null 2>&1; then within 10 wget -q -O /dev/null "$1" 2>/dev/null
        else return 0
        fi
        ;;
    esac
}
# unit_up UNIT SECONDS: whether systemd has had it up for so long
unit_up() {
    [ "$(command systemctl is-active "$1" 2>/dev/null)" = active ] || return 1
    SINCE=$(command systemctl show -p ActiveEnterTimestampMonotonic "$1" 2>/dev/null | cut -d= -f2)
    [ $(($(cut -d. -f1 /proc/uptime) - ${SINCE:-0} / 1000000)) -ge "$2" ]
}
# ends FILE: when the first certificate in it ends, as YYYYMMDDhhmmss; nothing where it is not understood
ends() {
    sed -n '/^-----BEGIN CERTIFICATE-----/,/^-----END CERTIFICATE-----/p' "$1" 2>/dev/null | sed '/^-----END/q' | sed '/^-----/d' |
        tr -d ' \r\n' | base64 -d 2>/dev/null | od -An -v -tx1 | tr -d ' \n' | awk '
        function digits(hex, t, i) {
            for (i = 1; i < length(hex); i += 2) { if (substr(hex, i, 1) != "3") return ""; t = t substr(hex, i + 1, 1) }
            return t
        }
        {
            for (p = 1; p < length($0); p += 2) {
                is = substr($0, p, 8)
                if (is == "301e170d" && substr($0, p + 34, 4) == "170d") {
                    t = digits(substr($0, p + 38, 24))
                    print (substr(t, 1, 1) < 5 ? "20" : "19") t
                    exit
                }
                if (is == "3020170d" && substr($0, p + 34, 4) == "180f") { print digits(substr($0, p + 38, 28)); exit }
                if (is == "3022180f" && substr($0, p + 38, 4) == "180f") { print digits(substr($0, p + 42, 28)); exit }
            }
        }'
}
# ends_later COPY FILE: whether the certificate ends later than the one in the copy did
ends_later() {
    WAS=$(ends "$1") IS=$(ends "$2")
    [ "${#WAS}" = 14 ] && [ "${#IS}" = 14 ] && [ "$IS" -gt "$WAS" ] && return 0
    echo "$2 ends at ${IS:-a time that is not understood}, and before at ${WAS:-one that is not understood}"
    return 1
}
