# Puts the state before an entry back: run by the switch when its time is over, at boot where the node went down
# meanwhile, or by the seat. Whoever renames `armed` first has won; the other does nothing. Every part may run twice.
# shellcheck shell=sh disable=SC2154
# about NUMBER: P is a file of the entry, AS whose rights it is touched with, MODE then the mode that it had
about() {
    [ -f "$DIR/path.$1" ] || return 1
    P=$(cat "$DIR/path.$1") AS='' MODE=''
    [ ! -f "$DIR/as.$1" ] || read -r AS MODE <"$DIR/as.$1"
}
# on_the_way: whether A is what was made of M, U and G, whole or as far as somebody came who was ended between owner and mode;
# chown takes setuid and setgid away
on_the_way() {
    # shellcheck disable=SC2086
    set -- $A
    [ "$A" != "$NM $NU $NG" ] || return 0
    [ $# = 3 ] || return 1
    case $2:$3 in "$U:$G" | "$NU:$NG") ;; *) return 1 ;; esac
    case " $((0$M)) $((0$M & 01777)) $((0$NM)) $((0$NM & 01777)) " in *" $((0$1)) "*) ;; *) return 1 ;; esac
}
# one_back NUMBER: one file
one_back() {
    about "$1" || return 0
    read -r BEFORE AFTER <"$DIR/hashes.$1"
    as rm -f "${P%/*}/.sitewarden-$E.$1"
    now "$P"
    if [ -f "$DIR/attributes.$1" ]; then
        # mode and owner alone were changed: only back where they are still what we made of them
        read -r M U G NM NU NG <"$DIR/attributes.$1"
        attributes "$P"
        [ "$A" != "$M $U $G" ] || return 0
        if on_the_way && [ ! -L "$P" ]; then
            chown "$U:$G" "$P" && chmod "00$M" "$P" && return 0
        fi
        echo "$P" >>"$DIR/left"
        return 0
    fi
    [ "$H" != "$BEFORE" ] || return 0
    if [ "$H" != "$AFTER" ]; then
        # somebody else has changed it since: not ours to overwrite
        echo "$P" >>"$DIR/left"
        return 0
    fi
    if [ "$BEFORE" = absent ]; then
        as rm -f "$P" || echo "$P" >>"$DIR/left"
        return 0
    fi
    B=$(cat "$DIR/backup.$1" 2>/dev/null)
    if [ -n "$AS" ]; then
        # the copy beside it is the user's to lose; root has one too
        K=$B B=${P%/*}/.sitewarden-$E.$1.was
        [ "$(sum "$B")" = "$BEFORE" ] || theirs sh -c 'rm -f "$1" && cat >"$1" && chmod "$2" "$1"' sh "$B" "$MODE" <"$K" >/dev/null
    fi
    if [ -f "$B" ] && [ "$(sum "$B")" = "$BEFORE" ]; then
        as mv -f "$B" "$P" || echo "$P" >>"$DIR/left"
    else
        echo "$P" >>"$DIR/left"
    fi
}
# wind: the time of the switch begins; fails where nothing on the node counts it
wind() {
    if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null 2>&1; then
        systemd-run --quiet --on-active="$DELAY" --timer-property=AccuracySec=200ms --unit="sitewarden-$E" \
            /bin/sh "$DIR/revert.sh" timer >/dev/null 2>&1 || return 1
        [ "$(command systemctl is-active "sitewarden-$E.timer" 2>/dev/null)" = active ]
        return
    fi
    (
        exec </dev/null >/dev/null 2>&1
        setsid sh -c 'echo "$$ $2" >"$3/sleeper"; sleep "$1"; exec sh "$3/revert.sh" timer' sitewarden "$DELAY" "$E" "$DIR" &
    )
    TRIES=50
    until alive "$DIR/sleeper"; do
        TRIES=$((TRIES - 1))
        [ "$TRIES" -gt 0 ] || return 1
        sleep 0.1 2>/dev/null || sleep 1
    done
}
# end_all NUMBER: a script, and what it has begun: that would go on beside this, and hold the seat's line. It is not stopped
# first: sudo, under which it runs, would stop with it, and for good
end_all() {
    FAMILY=" $1 " MORE=yes
    while [ -n "$MORE" ]; do
        MORE=''
        set +f
        for ONE in /proc/[0-9]*; do
            set -f
            { read -r LINE <"$ONE/stat"; } 2>/dev/null || continue
            # behind the name, which may be anything: state and parent
            LINE=${LINE##*) } ONE=${ONE#/proc/}
            LINE=${LINE#* }
            case $FAMILY in
            *" $ONE "*) ;;
            *" ${LINE%% *} "*) FAMILY="$FAMILY$ONE " MORE=yes ;;
            esac
        done
        set -f
    done
    for ONE in $FAMILY; do [ "$ONE" = "$$" ] || kill -9 "$ONE" 2>/dev/null; done
}
# revert WHO: everything
revert() {
    # What must be done before the old files come back needs a node that runs: after its start the time begins once more. What
    # has been done so far works meanwhile, or is not used yet
    if [ "$1" = boot ] && [ -n "${PREPARES:-}" ] && [ -e "$DIR/activated" ]; then
        mv "$DIR/reverting" "$DIR/armed" 2>/dev/null
        [ ! -e "$DIR/armed" ] || ! wind || return 0
    fi
    if ! mv "$DIR/armed" "$DIR/reverting" 2>/dev/null; then
        # What was not armed yet, or has no switch, is taken back by its own script, or by anybody once that is gone.
        if [ "$1" = self ] || ! alive "$DIR/pid"; then mv "$DIR/applying" "$DIR/reverting" 2>/dev/null; fi
        if [ ! -e "$DIR/reverting" ]; then
            say lost
            # what ended before it could tidy up is tidied up now
            case $1 in timer | boot) [ -e "$DIR/applying" ] || tidy ;; esac
            return 1
        fi
    fi
    echo "$1 $(date +%s)" >>"$DIR/reverting"
    # an apply that is still at work must not go on beside this
    if [ "$1" != self ]; then
        TRIES=50
        while alive "$DIR/pid" && [ "$TRIES" -gt 0 ]; do
            end_all "$PID"
            TRIES=$((TRIES - 1))
            sleep 0.1 2>/dev/null || sleep 1
        done
    fi
    rm -f "$DIR/left" "$DIR/stays" "$DIR/unsound"
    STAYS=''
    [ -z "${PREPARES:-}" ] || [ ! -e "$DIR/activated" ] || before_back || STAYS=yes
    NUMBER=$(cat "$DIR/count" 2>/dev/null || echo 0)
    while [ "$NUMBER" -gt 0 ]; do
        if [ -z "$STAYS" ]; then one_back "$NUMBER"
        # what was done since then needs what was put in
        elif about "$NUMBER"; then echo "$P" >>"$DIR/left"
        fi
        AS=''
        NUMBER=$((NUMBER - 1))
    done
    if [ -n "$STAYS" ]; then
        # half-way, so that somebody can take it back when what failed is mended
        printf '%s\n' "$OUT" | head -c 2000 >"$DIR/stays"
        mv "$DIR/reverting" "$DIR/applying"
        tidy
        return 0
    fi
    flush
    BACK=yes
    [ ! -e "$DIR/activated" ] || deactivate || BACK=no
    if [ "$BACK" = yes ] && [ -z "${BOOTING:-}" ]; then
        wait_for restored "${RESTORED_WITHIN:-60}" || BACK=no
    fi
    [ "$BACK" = yes ] || echo "the state before is back, and its check fails" >"$DIR/unsound"
    mv "$DIR/reverting" "$DIR/reverted"
    tidy
    return 0
}
# wait_for FUNCTION SECONDS: asks again every second until it holds
wait_for() {
    END=$(($(date +%s) + $2))
    until "$1" >"$DIR/said" 2>&1; do
        [ "$(date +%s)" -lt "$END" ] || return 1
        sleep 1
    done
}
# tidy: the switch and the lock are given up; entry and backups stay
tidy() {
    rm -f "/etc/systemd/system/multi-user.target.wants/sitewarden-boot-$E.service" "/etc/systemd/system/sitewarden-boot-$E.service" \
        "/etc/local.d/sitewarden-$E.start" "/etc/cron.d/sitewarden-$E"
    [ "$(readlink "$STATE/lock" 2>/dev/null)" != "$E" ] || rm -f "$STATE/lock"
    rm -f "$DIR/pid" "$DIR/said" "/run/issue.d/sitewarden-$E.issue"
    NUMBER=$(cat "$DIR/count" 2>/dev/null || echo 0)
    while [ "$NUMBER" -gt 0 ]; do
        ! about "$NUMBER" || [ -z "$AS" ] || as rm -f "${P%/*}/.sitewarden-$E.$NUMBER.was"
        NUMBER=$((NUMBER - 1)) AS=''
    done
    if [ -n "${SWITCH_KEPT:-}" ]; then :
    elif [ -f "$DIR/sleeper" ]; then ! alive "$DIR/sleeper" || kill "$PID" 2>/dev/null
    elif [ -d /run/systemd/system ]; then command systemctl stop "sitewarden-$E.timer" >/dev/null 2>&1
    fi
}
