# What every script of a remedy shares: words to the seat, sound paths, the state folder on the node. Runs as root, from
# standard input (`sh -s NONCE ...`) or from the node's own copy, where the dead-man's switch runs it without anybody.
# Set before: STATE (folder of all entries), E (this entry). src/remedy/node/ writes the calls and reads the answers.
# shellcheck shell=sh disable=SC2034,SC2317,SC2015
LC_ALL=C LANG=C
PATH=/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin
export LC_ALL LANG PATH
unset CDPATH ENV BASH_ENV
umask 077
set -f
DIR=$STATE/$E
# say WORD...: one line to the seat; nothing where the switch runs alone
say() { [ -z "${N:-}" ] || printf '@ %s %s\n' "$N" "$*"; }
if command -v base64 >/dev/null 2>&1; then
    b64() { base64 | tr -d '\n'; }
    unb64() { base64 -d; }
else
    b64() { openssl base64 -A; }
    unb64() { openssl base64 -d -A; }
fi
text64() { printf '%s' "$1" | b64; }
# quit WORD TEXT: ends the script with a reason
quit() {
    say fail "$1" "$(text64 "${2:-}")"
    exit 0
}
# within SECONDS COMMAND...: where the node has `timeout`
if timeout 9 true 2>/dev/null; then within() { timeout "$@"; }
elif timeout -t 9 true 2>/dev/null; then within() { timeout -t "$@"; }
else within() { shift; "$@"; }
fi
# AS: `UID:GID` of the user in whose own folders the file at hand lies, empty where they are root's. There root touches
# nothing, since the user could put a link under its hands: all of it is done with that user's rights.
AS=
# theirs COMMAND...: with that user's rights. What runs so is in the user's hands, and so is what it was given: it must
# get nothing of the seat's line, whose words only root may say
theirs() { within 20 setpriv --reuid="${AS%:*}" --regid="${AS#*:}" --clear-groups --no-new-privs -- "$@" 2>/dev/null; }
# as COMMAND...: with the rights that the file at hand asks for
as() { if [ -z "$AS" ]; then "$@"; else theirs "$@" </dev/null >/dev/null; fi; }
# own UID: AS becomes that user's; fails where nothing here can become them
own() {
    AS=''
    case $1 in 0 | '' | *[!0-9]*) return 1 ;; esac
    AS=$({ getent passwd "$1" || grep "^[^:]*:[^:]*:$1:" /etc/passwd; } 2>/dev/null | head -n 1 | cut -d: -f4)
    case $AS in '' | *[!0-9]*) AS=''; return 1 ;; esac
    AS=$1:$AS
    as true || { AS=''; return 1; }
}
contents() { if [ -z "$AS" ]; then cat "$1" 2>/dev/null; else theirs cat "$1" </dev/null; fi; }
sum() { [ -f "$1" ] && contents "$1" | sha256sum 2>/dev/null | cut -d' ' -f1; }
flush() { sync "$@" 2>/dev/null || sync; }
# sound PATH: R is the path without symbolic links, where root alone may change every folder on the way (with AS: where the
# last ones are that user's, as is what lies there, and those above are root's); else W says why
sound() {
    R='' W=''
    case $1 in
    */../* | */.. | */./* | *//*) W=strange; return 1 ;;
    /?*) ;;
    *) W=strange; return 1 ;;
    esac
    FOLDER=$(readlink -f "${1%/*}/" 2>/dev/null)
    [ -d "$FOLDER" ] || { W=no-folder; return 1; }
    R=${FOLDER%/}/${1##*/}
    if [ -L "$R" ]; then
        [ -z "$AS" ] || { W='link'; return 1; }
        R=$(readlink -f "$R" 2>/dev/null)
        [ -n "$R" ] || { W=dangling; return 1; }
    fi
    UP=$R MAY=${AS%:*}
    while :; do
        UP=${UP%/*}
        OWN=$(stat -c '%u %a' "${UP:-/}" 2>/dev/null) || { W=unread; return 1; }
        case $OWN in
        *[2367][0-7] | *[0-7][2367]) W=writable; return 1 ;;
        "0 "*)
            # whose folder it is in the end, and root's from there on
            [ -z "$AS" ] || [ "$UP" != "${R%/*}" ] || { W=owner; return 1; }
            MAY=''
            ;;
        "${MAY:-none} "*) ;;
        *) W=owner; return 1 ;;
        esac
        [ -n "$UP" ] || return 0
    done
}
# attributes PATH: A is mode, uid and gid; KIND what it is
attributes() {
    A=- KIND=absent
    if [ -f "$1" ]; then KIND=regular
    elif [ -d "$1" ]; then KIND=directory
    elif [ -e "$1" ] || [ -L "$1" ]; then KIND=other
    else return 0
    fi
    A=$(stat -c '%a %u %g' "$1" 2>/dev/null) || A=-
}
# now PATH: H is the hash of what lies there, `absent`, or `other`
now() {
    H=absent
    if [ -f "$1" ]; then H=$(sum "$1"); elif [ -e "$1" ] || [ -L "$1" ]; then H=other; fi
    [ -n "$H" ] || H=other
}
# alive PIDFILE: whether the script that wrote it still runs: its number, and the nonce of its command line
alive() {
    [ -f "$1" ] || return 1
    read -r PID MARK <"$1" || return 1
    [ -n "$PID" ] && [ -n "$MARK" ] && tr '\0' ' ' 2>/dev/null <"/proc/$PID/cmdline" | grep -q -- "$MARK"
}
NL='
'
CR=$(printf '\r')
# live: what comes on standard input goes on to standard output, bounded, and each line to the seat as it comes (descriptor 9).
# The last line, with the exit status, goes on alone. What the seat gets fits into the window of an SSH channel, so that a
# link that hangs holds no command up
live() {
    SIZE=0 COUNTED=0
    [ -z "${FOLLOWS:-}" ] || COUNTED=2000
    while IFS= read -r L || [ -n "$L" ]; do
        case $L in
        "@$N status "*) printf '%s\n' "$L"; continue ;;
        esac
        [ "$SIZE" -gt 65536 ] || printf '%.65536s\n' "$L"
        SIZE=$((SIZE + ${#L} + 1))
        tell_live
    done
}
# tell_live: L to the seat, what of it was not written over, where it is not too much. COUNTED: how many were before
tell_live() {
    # a shell looks through a long line for minutes
    [ "${#L}" -gt 2000 ] || { L=${L%"$CR"} L=${L##*"$CR"}; }
    [ -n "$L" ] && [ "$COUNTED" -lt 2000 ] || return 0
    COUNTED=$((COUNTED + 1))
    [ "$COUNTED" -lt 2000 ] || L='(more is not shown while it runs)'
    printf '@ %s says %.300s\n' "$N" "$L" >&9 2>/dev/null
}
# follow FILE: each line that is written to it goes to the seat, until TERM
follow() {
    COUNTED=0 PART='' ENDS=''
    trap 'ENDS=1' TERM
    exec 6<"$1" || return
    while :; do
        ENDING=$ENDS
        while IFS= read -r L <&6; do
            L=$PART$L PART=''
            tell_live
        done
        PART=$PART$L
        [ -z "$ENDING" ] && kill -0 "$$" 2>/dev/null || return 0
        sleep 0.2 2>/dev/null || sleep 1
    done
}
# ran COMMAND-LINE: runs one line in this shell, tells what it says as it comes, and how it ended. TOOLS: functions that it
# may call. FOLLOWS: a file that what it says goes to first
ran() {
    if [ -n "${BOOTING:-}" ]; then
        OUT=$(eval "${TOOLS:-}$1" 2>&1 </dev/null)
        RC=$?
        return "$RC"
    fi
    if [ -z "${N:-}" ]; then
        OUT=$(within "${BOUND:-120}" sh -c "${TOOLS:-}$1" 2>&1 </dev/null)
        RC=$?
        return "$RC"
    fi
    say runs "$(text64 "$1")"
    FOLLOWER=''
    {
        if [ -n "${FOLLOWS:-}" ] && true >"$FOLLOWS"; then
            follow "$FOLLOWS" &
            FOLLOWER=$!
        fi
        # nothing that is run here holds the seat's line itself
        OUT=$({
            within "${BOUND:-120}" sh -c "${TOOLS:-}$1" 2>&1 </dev/null 9>&-
            printf '\n@%s status %s\n' "$N" "$?"
        } | live)
        [ -z "$FOLLOWER" ] || { kill -s TERM "$FOLLOWER"; wait "$FOLLOWER"; } 2>/dev/null
    } 9>&1
    RC=${OUT##*"@$N status "} OUT=${OUT%"@$N status "*}
    case $RC in '' | *[!0-9]*) RC=1 ;; esac
    while :; do case $OUT in *"$NL") OUT=${OUT%"$NL"} ;; *) break ;; esac done
    say ran "$RC" "$(text64 "$1")" "$(printf '%s' "$OUT" | head -c 4000 | b64)"
    return "$RC"
}
# systemctl: during boot nothing may wait for units that wait for this one
systemctl() { command systemctl ${BOOTING:+--no-block} "$@"; }
