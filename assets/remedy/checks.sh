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
