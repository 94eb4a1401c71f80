# Read-only collector: what every script that goes to a node begins and ends with; collector/node.sh or
# collector/packages.sh stands between. Runs as `sh -s -- NONCE PRIVILEGE USER UID SSH_CONNECTION`; writes framed records, nothing else.
# The body is one group, so that a script that was cut on its way runs nothing. src/probe/node/frames.rs reads the
# answer. It makes no file, takes no lock, uses no network.
# shellcheck shell=sh disable=SC1007,SC1087,SC2016,SC2026,SC2034,SC2317,SC3013
{
exec 2>/dev/null
N=$1 PRIV=$2 LOGIN=$3 LOGIN_UID=$4 CONN=$5
LC_ALL=C LANG=C
PATH=/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin:/snap/bin:$PATH
export LC_ALL LANG PATH
unset CDPATH ENV BASH_ENV
umask 077
set -f
SELF=$$ UID_NOW=$(id -u) COUNT=0
NL='
'
TAB=$(printf '\t')
WS=" $TAB$NL"
CAP=65536

# without these an empty answer would look like a node on which nothing runs
for T in awk head tr sort wc; do
    command -v $T >/dev/null && continue
    echo "collector: no $T"
    exit 127
done
# --- encoding, time, frames -------------------------------------------------------------------------------------
ENC=b64
# enc ends the shell that runs it, so that it costs no process of its own: for pipelines
if command -v base64 >/dev/null; then enc() { exec base64; }
elif command -v openssl >/dev/null; then enc() { exec openssl base64; }
else ENC=hex; enc() { exec od -An -v -tx1; }
fi
if ! command -v timeout >/dev/null; then BOUND=none
elif timeout 9 true; then BOUND=timeout
elif timeout -t 9 true; then BOUND=busybox-t
else BOUND=none
fi
# within SECONDS COMMAND...; bound does the same and ends the shell that runs it: for $(...) and pipelines
case $BOUND in
timeout) within() { timeout "$@" </dev/null; }; bound() { exec timeout "$@" </dev/null; } ;;
busybox-t) within() { timeout -t "$@" </dev/null; }; bound() { exec timeout -t "$@" </dev/null; } ;;
*) within() { shift; "$@" </dev/null; }; bound() { shift; exec "$@" </dev/null; } ;;
esac
UNBOUND=
[ "$BOUND" = none ] && UNBOUND=b
# flags_of RC [LETTERS]: F
flags_of() {
    F=${2:-}$UNBOUND
    case $1 in 124 | 137 | 143) F=${F}t ;; esac
    [ -n "$F" ] || F=-
}
# put KEY RC FLAGS ENCODED; say KEY RC FLAGS TEXT, which may wait for others until flush
put() {
    flush
    COUNT=$((COUNT + 1))
    printf '@ %s %s %s %s %s\n%s\n' "$N" "$1" "$2" "$3" "${#4}" "$4"
}
say() {
    case ${#4}:$ENC:$4 in
    0:*) L=0 P= ;;
    # only of ASCII every shell tells the length in bytes
    *:hex:* | ?????*:b64:* | *[!\ -~"$TAB$NL"]*) put "$1" "$2" "$3" "$(printf '%s\n' "$4" | enc)"; return ;;
    *)
        L=$((${#4} + 1)) P=$4$NL
        case $((L % 3)) in 1) P=$P$NL$NL ;; 2) P=$P$NL ;; esac
        ;;
    esac
    COUNT=$((COUNT + 1)) HEADS="$HEADS$1 $2 $3 $L " WAITING=$WAITING$P
    # what hangs may hang again, and then this answer is cut
    case $3 in *t*) flush ;; esac
    [ ${#WAITING} -lt 32768 ] || flush
}
# flush: sends the texts that wait. Each was filled up with line feeds to a multiple of three bytes, so that one base64
# encodes all of them and none shares a group of four with the next; what was filled in is `=` in the group's end.
HEADS= WAITING=
flush() {
    [ -n "$HEADS" ] || return 0
    printf '%s' "$WAITING" | enc | awk -v nonce="$N" -v heads="$HEADS" '{ s = s $0 } END {
        n = split(heads, h, " "); at = 1
        for (i = 1; i < n; i += 4) {
            size = int((h[i + 3] + 2) / 3) * 4; e = substr(s, at, size); at += size
            if (h[i + 3] % 3) { fill = substr("==", h[i + 3] % 3); e = substr(e, 1, size - length(fill)) fill }
            print "@ " nonce " " h[i] " " h[i + 1] " " h[i + 2] " " size
            print e
        }
    }'
    HEADS= WAITING=
}
# text KEY PATH: the first CAP bytes of a file that was found to be regular
text() {
    if [ ! -r "$2" ]; then put "$1" 0 f ''; return; fi
    E=$(head -c $((CAP + 1)) "$2" | enc)
    F=-
    # base64 of more than CAP bytes is longer than this, whatever its line breaks
    if [ ${#E} -gt $((CAP * 4 / 3)) ] && [ "$(head -c $((CAP + 1)) "$2" | wc -c)" -gt "$CAP" ]; then
        E=$(head -c "$CAP" "$2" | enc) F=c
    fi
    put "$1" 0 "$F" "$E"
}
# state PATH: S is here, absent, forbidden (a directory above cannot be searched) or refused (not absolute)
state() {
    S=refused
    case $1 in /*) ;; *) return ;; esac
    S=here
    [ -e "$1" ] && return
    [ -L "$1" ] && return
    S=absent D=$1
    while D=${D%/*}; [ -n "$D" ]; do
        if [ -d "$D" ]; then
            [ -x "$D" ] || S=forbidden
            return
        fi
    done
}
# line_of PATH: V is its first line and S its state
line_of() {
    V=
    state "$1"
    [ "$S" = here ] || return 1
    if [ -r "$1" ] && { IFS= read -r V <"$1" || [ -n "$V" ]; }; then return 0; fi
    [ -r "$1" ] && [ -f "$1" ] && return 0
    S=forbidden
    return 1
}
PAIRS=
pair() { PAIRS="$PAIRS$1=$2$NL"; }
miss() { PAIRS="$PAIRS$1!$2$NL"; }
# pair_line NAME PATH: a pair of a file's first line
pair_line() { if line_of "$2"; then pair "$1" "$V"; else miss "$1" "$S"; fi; }
# pairs KEY: sends the pairs
pairs() { say "$1" 0 "${2:--}" "${PAIRS%"$NL"}"; PAIRS=; }
# trust PATH: S is here, absent, forbidden or refused: only a regular file of root's that only root may write counts, in
# a directory of which the same is true (or a sticky one). M is its time of change, O its owner, A its mode.
trust() {
    M='?' O='?' A='?'
    state "$1"
    [ "$S" = here ] || return 1
    D=${1%/*}
    T=$(bound 5 stat -c '%F|%u|%a|%Y|%d:%i' "${D:-/}" "$1")
    P=${T%%"$NL"*} T=${T#*"$NL"}
    case $T in
    symbolic*)
        case $T in symbolic*'|0|'*) ;; *) S=refused; return 1 ;; esac
        T=$(bound 5 stat -L -c '%F|%u|%a|%Y|%d:%i' "$1")
        ;;
    esac
    case $T in '') S=forbidden; return 1 ;; esac
    R=${T#*|} K=${T%%|*}
    O=${R%%|*} R=${R#*|}
    A=${R%%|*} R=${R#*|}
    M=${R%%|*}
    case $K in 'regular file' | 'regular empty file') ;; *) S=refused; return 1 ;; esac
    case $O-$A in 0-*[2367]? | 0-*[2367]) S=refused; return 1 ;; 0-*) ;; *) S=refused; return 1 ;; esac
    P=${P#*|}
    case $P in
    0'|'1???'|'*) ;;
    0'|'*[2367]?'|'* | 0'|'*[2367]'|'*) P=${P#*|}; case ${P%%|*} in *[2367]? | *[2367]) S=refused; return 1 ;; esac ;;
    0'|'*) ;;
    *) S=refused; return 1 ;;
    esac
    [ -r "$1" ] && return 0
    S=forbidden
    return 1
}

printf '@ %s BEGIN 1 %s\n' "$N" "$ENC"
pair privilege "$PRIV"
pair user "$LOGIN"
pair uid "$UID_NOW"
pair login_uid "$LOGIN_UID"
if [ -n "$CONN" ]; then pair ssh_connection "$CONN"; else miss ssh_connection absent; fi
pairs login

#@ body
flush
printf '@ %s END %s\n' "$N" "$COUNT"
exit
}
