# Questions that conditions of a change ask on the node, with what every node has: /proc, and curl, wget or bash where
# they are there.
# shellcheck shell=sh disable=SC2154
# listens PORT: whether something listens on it for TCP
listens() {
    HEX=$(printf '%04X' "$1")
    cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v p="$HEX" '$4 == "0A" { n = split($2, a, ":"); if (a[n] == p) f = 1 } END { exit !f }'
}
# runs COMM SECONDS [ARGUMENT]: whether a process of that name has run for so long, with that argument (or, where it begins
# with `!`, without any that begins so)
runs() {
    NOW=$(cut -d. -f1 /proc/uptime)
    HZ=$(getconf CLK_TCK 2>/dev/null || echo 100)
    set +f
    for PROC in /proc/[0-9]*; do
        set -f
        [ "$(cat "$PROC/comm" 2>/dev/null)" = "$1" ] || continue
        BEGAN=$(sed 's/.*) //' "$PROC/stat" 2>/dev/null | cut -d' ' -f20)
        [ -n "$BEGAN" ] && [ $((NOW - BEGAN / HZ)) -ge "$2" ] || continue
        case ${3:-} in
        '') return 0 ;;
        '!'*) tr '\0' '\n' <"$PROC/cmdline" 2>/dev/null | cut -c1-"$((${#3} - 1))" | grep -qxF -- "${3#?}" || return 0 ;;
        *) tr '\0' '\n' <"$PROC/cmdline" 2>/dev/null | grep -qxF -- "$3" && return 0 ;;
        esac
    done
    set -f
    return 1
}
# answers URL: whether it answers well; true where nothing here can ask
answers() {
    if command -v curl >/dev/null 2>&1; then
        K=/var/lib/kubelet/pki/kubelet-client-current.pem
        [ -f "$K" ] || K=
        within 10 curl -fsk ${K:+--cert "$K" --key "$K"} -o /dev/null "$1" 2>/dev/null
    elif command -v wget >/dev/null 2>&1; then
        case $1 in https:*) return 0 ;; esac
        within 10 wget -q -O /dev/null "$1" 2>/dev/null
    else return 0
    fi
}
# unit_up UNIT SECONDS: whether systemd has had it up for so long
unit_up() {
    [ "$(command systemctl is-active "$1" 2>/dev/null)" = active ] || return 1
    SINCE=$(command systemctl show -p ActiveEnterTimestampMonotonic "$1" 2>/dev/null | cut -d= -f2)
    [ $(($(cut -d. -f1 /proc/uptime) - ${SINCE:-0} / 1000000)) -ge "$2" ]
}
