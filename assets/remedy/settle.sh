# What the seat says to an entry that waits: that it holds, or that it must go back; and how an entry stands.
# shellcheck shell=sh disable=SC2154
# standing: S is how the entry stands
standing() {
    S=unknown
    for S in armed reverting reverted confirmed finished applying; do [ ! -e "$DIR/$S" ] || return 0; done
    S=unknown
}
entry_here() {
    [ -d "$DIR" ] && [ ! -L "$DIR" ] || quit no-entry "$E"
    sound "$DIR/x" || quit unsound "$DIR $W"
}
confirm() {
    entry_here
    if mv "$DIR/armed" "$DIR/confirmed" 2>/dev/null; then
        flush
        tidy
        say end confirmed
    else
        standing
        # a word before this one may have been cut off after its rename
        [ "$S" != confirmed ] || tidy
        say end "lost-to-$S"
    fi
    exit 0
}
take_back() {
    entry_here
    if revert seat; then report asked; fi
    standing
    say end "lost-to-$S"
    exit 0
}
how_it_stands() {
    entry_here
    standing
    W=no
    ! alive "$DIR/pid" || W=alive
    [ ! -e "$DIR/waiting" ] || W=waiting
    # armed, and neither a script nor a switch is there any more: nothing takes it back by itself
    if [ "$S$W" = armedno ] && ! alive "$DIR/sleeper"; then
        S=applying
        for U in "sitewarden-$E.timer" "sitewarden-$E.service"; do
            case $(command systemctl is-active "$U" 2>/dev/null) in active | activating | deactivating) S=armed ;; esac
        done
    fi
    HOW=whole
    [ ! -e "$DIR/unsound" ] || HOW=unsound
    [ ! -s "$DIR/left" ] || HOW=left
    say state "$S" "$W" "$HOW" "$(b64 <"$DIR/left" 2>/dev/null)"
    [ "$S" != armed ] || since
    say end told
    exit 0
}
# since: for how many seconds the switch has been armed, where that is known
since() {
    if [ -f "$DIR/sleeper" ]; then
        AGE=$(($(date +%s) - $(stat -c %Y "$DIR/sleeper" 2>/dev/null || echo 0)))
    else
        # microseconds of the clock that /proc/uptime has in seconds
        AT=$(command systemctl show -p ActiveEnterTimestampMonotonic "sitewarden-$E.timer" 2>/dev/null)
        AT=${AT#*=} AT=${AT%??????}
        UP=$(cut -d. -f1 /proc/uptime 2>/dev/null)
        case $AT$UP in *[!0-9]*) return 0 ;; esac
        [ -n "$AT" ] && [ -n "$UP" ] || return 0
        AGE=$((UP - AT))
    fi
    [ "$AGE" -lt 0 ] || say since "$AGE"
}
# entry_file NAME: a file of the entry, whole
entry_file() {
    [ -f "$DIR/$1" ] || return 0
    say kept "$1" "$(head -c 1048576 "$DIR/$1" | b64)"
}
# kept_files: what an undo needs: the manifest, and the backups that are left
kept_files() {
    entry_here
    standing
    say state "$S" no whole
    entry_file entry.json
    I=0
    COUNT=$(cat "$DIR/count" 2>/dev/null || echo 0)
    while [ "$I" -lt "$COUNT" ]; do
        I=$((I + 1))
        B=$(cat "$DIR/backup.$I" 2>/dev/null)
        [ -n "$B" ] && [ -f "$B" ] && [ ! -L "$B" ] || continue
        say backup "$I" "$(stat -c '%a %u %g' "$B")" "$(sum "$B")" "$(head -c 1048577 "$B" | b64)"
    done
    say end told
    exit 0
}
# list_entries: every entry on this node with its manifest
list_entries() {
    [ -d "$STATE" ] || { say end told; exit 0; }
    sound "$STATE/x" || quit unsound "$STATE $W"
    set +f
    for DIR in "$STATE"/*/; do
        set -f
        DIR=${DIR%/}
        [ -f "$DIR/entry.json" ] && [ ! -L "$DIR" ] || continue
        standing
        say entry "${DIR##*/}" "$S" "$(head -c 262144 "$DIR/entry.json" | b64)"
    done
    say end told
    exit 0
}
# show_code CODE: to whoever stands at the node: on its consoles, and in what a login prompt there shows. Not on the
# terminals of those who are logged in: who reads it there has not shown that there is another way in
show_code() {
    entry_here
    [ -e "$DIR/armed" ] || { standing; say end "lost-to-$S"; exit 0; }
    if command -v agetty >/dev/null 2>&1; then
        (umask 022 && mkdir -p /run/issue.d)
        printf '\nsitewarden: SSH of this node is being switched off. The code is %s\n\n' "$1" >"/run/issue.d/sitewarden-$E.issue"
    fi
    # the last of the list is /dev/console itself
    ACTIVE=$(cat /sys/class/tty/console/active 2>/dev/null)
    case $ACTIVE in *' '*) OTHERS=${ACTIVE% *} ;; *) OTHERS='' ;; esac
    case " $ACTIVE " in *' tty0 '* | *' tty1 '*) ;; *) OTHERS="$OTHERS tty0" ;; esac
    for D in console $OTHERS; do
        [ -c "/dev/$D" ] || continue
        # shellcheck disable=SC2016
        within 5 sh -c 'printf "\r\n\r\nsitewarden: SSH of this node is being switched off. The code is %s\r\n\r\n" "$1" >"$2"' \
            sh "$1" "/dev/$D" </dev/null >/dev/null 2>&1 && say shown "$(text64 "/dev/$D")"
    done
    say end told
    exit 0
}
