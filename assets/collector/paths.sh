# Files whose mode and owner matter, and public certificates.
# A part of ../collector.sh, which has what is used here.
PATHS= STATS= NP=0 PCUT=- POINTS=
# add ROLE NAMED_BY PATH
add() {
    NP=$((NP + 1))
    if [ $NP -gt 2000 ]; then PCUT=c S=too-large; return; fi
    # where /lib is a link to /usr/lib, one file is told by one name
    case $3 in /lib/*) [ ! -L /lib ] || set -- "$1" "$2" "/usr$3" ;; esac
    state "$3"
    PATHS="$PATHS$S$TAB$1$TAB$2$TAB$3$NL"
    [ "$S" = here ] || return
    STATS="$STATS$3$NL"
    if [ -L "$3" ]; then
        V=$(readlink -f "$3")
        if [ -n "$V" ] && [ -e "$V" ]; then
            PATHS="${PATHS}here$TAB$1${TAB}link $3$TAB$V$NL"
            STATS="$STATS$V$NL"
        fi
    fi
}
look() { add "$1" - "$2"; }
# every ROLE PATTERN: what a pattern of names fits
every() {
    set +f
    IFS=
    # shellcheck disable=SC2086
    set -- "$1" $2
    IFS=$WS
    set -f
    role=$1
    shift
    for p in "$@"; do [ -e "$p" ] || [ -L "$p" ] && add "$role" - "$p"; done
}
# tree ROLE DIR [NAMED_BY]: a directory and everything in it
tree() {
    add "$1" "${3:--}" "$2"
    [ "$S" = here ] && [ -d "$2" ] || return
    role=$1 named=${3:--} top=$2 odd=
    LIST=$({ within 10 find "$top/" -xdev -print; printf '/%s\n' $?; } | head -n 1002)
    case ${LIST##*"$NL"} in
    /0 | /1) ;;
    /124 | /137 | /143) odd=timeout ;;
    *) command -v find >/dev/null || odd=unsupported ;;
    esac
    case $LIST in *"$NL"/*) [ "${LIST##*"$NL"/}" -ge 0 ] && LIST=${LIST%"$NL"/*} ;; /*) [ "${LIST#/}" -ge 0 ] && LIST= ;; esac
    # what is mounted below it was not looked into
    [ -n "$POINTS" ] || POINTS=$NL$(awk '{ print $5 }' /proc/self/mountinfo)
    case $POINTS in *"$NL$(readlink -f "$top")/"*) odd=not-visible ;; esac
    IFS=$NL
    # shellcheck disable=SC2086
    set -- $LIST
    IFS=$WS
    for p in "$@"; do
        if [ -d "$p" ] && [ ! -L "$p" ] && { [ ! -r "$p" ] || [ ! -x "$p" ]; }; then
            PATHS="${PATHS}forbidden$TAB$role${TAB}listing$TAB${p%/}$NL"
        fi
        # a name of several lines
        case $p in "$top/"*) ;; *) odd=malformed; continue ;; esac
        case $p in */) continue ;; esac
        p=$top/${p#"$top/"}
        add "$role" "$named" "$p"
        [ "$S" != absent ] || odd=malformed
    done
    [ -z "$odd" ] || PATHS="$PATHS$odd$TAB$role${TAB}listing$TAB$top$NL"
    [ $# -le 1000 ] || { PCUT=c PATHS="${PATHS}too-large$TAB$role${TAB}listing$TAB$top$NL"; }
}
known() {
    :
#@ layouts
}
layout() {
    known
    say paths 0 $PCUT "${PATHS%"$NL"}"
    IFS=$NL
    # shellcheck disable=SC2086
    set -- $STATS
    IFS=$WS
    if [ $# = 0 ]; then say stat 0 - ''; return; fi
    OUT=$(bound 15 stat -c "%F$TAB%a$TAB%u$TAB%g$TAB%U$TAB%G$TAB%Y$TAB%n" "$@")
    RC=$?
    flags_of $RC
    say stat $RC "$F" "$OUT"
}
# certificates: the public blocks of the files that may hold some
certificates() {
    IFS=$NL
    # shellcheck disable=SC2086
    set -- $STATS
    OUT= LIST= n=0
    for p in "$@"; do
        case $p in *.crt | *.pem | *.cert) ;; *) continue ;; esac
        case $NL$LIST in *"$NL$p$NL"*) continue ;; esac
        n=$((n + 1))
        [ $n -le 200 ] || break
        if [ ! -f "$p" ]; then continue; fi
        if [ -r "$p" ]; then LIST=$LIST$p$NL; else OUT="$OUT= forbidden $p$NL"; fi
    done
    F=-
    [ $n -le 200 ] || F=c
    # shellcheck disable=SC2086
    set -- $LIST
    IFS=$WS
    if [ $# -gt 0 ]; then
        V=$(bound 10 awk '
            FNR == 1 { inside = 0; print "= here " FILENAME }
            FNR > 20000 { next }
            /^-----BEGIN CERTIFICATE-----/ { inside = 1; print "-----BEGIN CERTIFICATE-----"; next }
            /^-----END CERTIFICATE-----/ { if (inside) print "-----END CERTIFICATE-----"; inside = 0; next }
            /^-----/ { inside = 0 }
            inside { sub(/\r$/, "") }
            inside && /^[A-Za-z0-9+\/=]+$/ { print }' "$@" | head -c 524289)
        [ ${#V} -le 524288 ] || F=c
        OUT=$OUT$V
    fi
    say certs 0 $F "$OUT"
}
