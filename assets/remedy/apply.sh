# Carries one entry out: look, back up, stage, validate, arm the switch, rename, activate, check. Everything that needs
# room on the disk is written before the switch is armed; after it there are renames only. The calls are written by
# src/remedy/node/script.rs between this and the end of the script.
# shellcheck shell=sh disable=SC2154
begin() { # DELAY (seconds; 0: no switch)
    DELAY=$1
    sound "$STATE/x" || { mkdir -p "$STATE" && sound "$STATE/x"; } || quit state-folder "$STATE $W"
    chmod 700 "$STATE" || quit state-folder "$STATE"
    if ! ln -sn "$E" "$STATE/lock" 2>/dev/null; then
        OTHER=$(readlink "$STATE/lock" 2>/dev/null)
        case $OTHER in '' | */*) quit locked "$OTHER" ;; esac
        O=$STATE/$OTHER
        if [ -e "$O/armed" ] || [ -e "$O/reverting" ] || alive "$O/pid"; then quit locked "$OTHER"; fi
        # the one before ended without letting go, and left nothing that waits
        rm -f "$STATE/lock"
        ln -sn "$E" "$STATE/lock" 2>/dev/null || quit locked "$OTHER"
    fi
    mkdir -m 700 "$DIR" 2>/dev/null || { rm -f "$STATE/lock"; quit entry-exists "$E"; }
    echo "$$ $N" >"$DIR/pid"
    : >"$DIR/applying"
    COUNT=0
    echo 0 >"$DIR/count"
}
# nothing WORD TEXT: nothing was changed yet: cleans up and ends
nothing() {
    I=$COUNT
    while [ "$I" -gt 0 ]; do
        ! about "$I" || as rm -f "${P%/*}/.sitewarden-$E.$I" ${AS:+"${P%/*}/.sitewarden-$E.$I.was"}
        [ ! -f "$DIR/backup.$I" ] || rm -f "$(cat "$DIR/backup.$I")"
        I=$((I - 1))
    done
    [ "$(readlink "$STATE/lock" 2>/dev/null)" != "$E" ] || rm -f "$STATE/lock"
    rm -rf "${DIR:?}"
    quit "$1" "${2:-}"
}
# folder PATH: made for root alone where it is not there yet
# shellcheck disable=SC2174
folder() { [ -d "$1" ] || (umask 022 && mkdir -p -m 700 "$1") || nothing no-room "$1"; }
# keep NAME: standard input becomes a file of the entry
keep() { unb64 >"$DIR/$1" || nothing no-room "$DIR/$1"; }
# same PATH HASH MODE UID GID: whether what lies there is what was shown
same() {
    sound "$1" || nothing "unsound" "$1 $W"
    [ "$R" = "$1" ] || nothing changed "$1"
    now "$1"
    attributes "$1"
    case $KIND:$2 in
    directory:*) H=directory ;;
    # of files that may hold secrets not even a hash is taken
    regular:regular) H=regular ;;
    esac
    [ "$H" = "$2" ] || nothing changed "$1"
    [ "$2" = absent ] || [ "$A" = "$3 $4 $5" ] || nothing changed "$1"
}
# number PATH: the next file of the entry
number() {
    COUNT=$((COUNT + 1))
    { echo "$1" >"$DIR/path.$COUNT" && echo "$COUNT" >"$DIR/count"; } || nothing no-room "$DIR"
}
# attrs PATH HASH MODE UID GID NEWMODE NEWUID NEWGID: mode and owner alone
attrs() {
    same "$1" "$2" "$3" "$4" "$5"
    [ ! -L "$1" ] || nothing changed "$1"
    number "$1"
    { echo "$2 $2" >"$DIR/hashes.$COUNT" && echo "$3 $4 $5 $6 $7 $8" >"$DIR/attributes.$COUNT"; } || nothing no-room "$DIR"
}
# file PATH HASH MODE UID GID NEWHASH NEWMODE NEWUID NEWGID <base64: contents; NEWHASH absent: removed
file() {
    same "$1" "$2" "$3" "$4" "$5"
    case $KIND in regular | absent) ;; *) nothing changed "$1" ;; esac
    number "$1"
    echo "$2 $6" >"$DIR/hashes.$COUNT" || nothing no-room "$DIR"
    [ -z "$AS" ] || echo "$AS $3" >"$DIR/as.$COUNT" || nothing no-room "$DIR"
    if [ "$2" != absent ] && [ -n "$AS" ]; then
        B=$DIR/before.$COUNT
        contents "$1" >"$B" || nothing no-room "$B"
        as cp -p "$1" "${1%/*}/.sitewarden-$E.$COUNT.was" || nothing no-room "${1%/*}"
    elif [ "$2" != absent ]; then
        place "$1"
        cp -a "$1" "$B" 2>/dev/null || cp -p "$1" "$B" || { rm -f "$B"; nothing no-room "$B"; }
        chmod go-rwx "${B%/*}" 2>/dev/null
    fi
    if [ "$2" != absent ]; then
        [ "$(sha256sum <"$B" | cut -d' ' -f1)" = "$2" ] || { rm -f "$B"; nothing changed "$1"; }
        echo "$B" >"$DIR/backup.$COUNT" || { rm -f "$B"; nothing no-room "$DIR"; }
        flush "$B"
    fi
    [ "$6" != absent ] || return 0
    T=${1%/*}/.sitewarden-$E.$COUNT
    as rm -f "$T"
    # what else belongs to the file comes along: access lists, extended attributes, its security context
    if [ "$2" != absent ] && as cp -a "$1" "$T" 2>/dev/null; then as chmod u+rw "$T" 2>/dev/null; else as rm -f "$T"; fi
    if [ -n "$AS" ]; then unb64 | theirs sh -c 'umask 077; cat >"$1"' sh "$T" >/dev/null; else unb64 >"$T"; fi || nothing no-room "$T"
    [ "$(sum "$T")" = "$6" ] || nothing no-room "$T"
    { as chown "$8:$9" "$T" && as chmod "$7" "$T"; } || nothing no-room "$T"
    if [ "$2" != absent ]; then as chcon --reference="$1" "$T" 2>/dev/null; fi
    flush "$T"
}
# place PATH: B is where its backup goes: on the same file system, so that the way back is a rename
place() {
    HERE=$(stat -c %d "${1%/*}/")
    B=$DIR/before.$COUNT
    [ "$HERE" != "$(stat -c %d "$DIR")" ] || return 0
    TOP=${1%/*}
    while [ -n "$TOP" ] && [ "$(stat -c %d "${TOP%/*}/" 2>/dev/null)" = "$HERE" ]; do TOP=${TOP%/*}; done
    mkdir -p "$TOP/.sitewarden" || nothing no-room "$TOP/.sitewarden"
    B=$TOP/.sitewarden/$E.$COUNT
}
# arm: the switch. On the node's disk too, so that a node that goes down meanwhile comes up as it was
arm() {
    if [ -d /run/systemd/system ]; then
        U=/etc/systemd/system/sitewarden-boot-$E.service
        printf '%s\n' '[Unit]' "Description=sitewarden puts back the state before entry $E" \
            'Before=ssh.service sshd.service ssh.socket sshd.socket sitewarden-ssh.service kubelet.service k3s.service k3s-agent.service rke2-server.service rke2-agent.service' \
            "RequiresMountsFor=$DIR" '[Service]' 'Type=oneshot' "ExecStart=/bin/sh $DIR/revert.sh boot" \
            '[Install]' 'WantedBy=multi-user.target' >"$U" || not_armed
        { (umask 022 && mkdir -p "${U%/*}/multi-user.target.wants") && ln -sf "$U" "${U%/*}/multi-user.target.wants/${U##*/}"; } || not_armed
        # systemd reads units with any mode, and says so where nobody else may read one
        chmod 644 "$U"
    elif [ -d /etc/local.d ]; then
        printf '#!/bin/sh\nexec /bin/sh %s/revert.sh boot\n' "$DIR" >"/etc/local.d/sitewarden-$E.start" || not_armed
        chmod 755 "/etc/local.d/sitewarden-$E.start" || not_armed
    elif [ -d /etc/cron.d ]; then
        printf '@reboot root /bin/sh %s/revert.sh boot\n' "$DIR" >"/etc/cron.d/sitewarden-$E" || not_armed
    fi
    if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null 2>&1; then
        systemd-run --quiet --on-active="$DELAY" --timer-property=AccuracySec=200ms --unit="sitewarden-$E" \
            /bin/sh "$DIR/revert.sh" timer >/dev/null 2>&1 || not_armed
        [ "$(command systemctl is-active "sitewarden-$E.timer" 2>/dev/null)" = active ] || not_armed
    else
        (
            exec </dev/null >/dev/null 2>&1
            setsid sh -c 'echo "$$ $2" >"$3/sleeper"; sleep "$1"; exec sh "$3/revert.sh" timer' sitewarden "$DELAY" "$E" "$DIR" &
        )
        TRIES=50
        until alive "$DIR/sleeper"; do
            TRIES=$((TRIES - 1))
            [ "$TRIES" -gt 0 ] || not_armed
            sleep 0.1 2>/dev/null || sleep 1
        done
    fi
    # Only now does it count: a script that ends before this line leaves no entry that waits for a switch that is not there.
    mv "$DIR/applying" "$DIR/armed" || not_armed
    flush
    say armed "$DELAY"
}
not_armed() {
    tidy
    nothing not-armed
}
# mine: whether nobody has begun to put things back meanwhile
mine() {
    [ "$DELAY" = 0 ] || [ -e "$DIR/armed" ] || quit overtaken
}
# back WORD TEXT: something did not hold: the state before comes back at once
back() {
    # the switch may have been first, and then it is at work now and ends this script
    revert self || quit overtaken
    report "$1" "${2:-}"
}
# report WORD TEXT: how an entry that was put back stands
report() {
    HOW=whole
    [ ! -e "$DIR/unsound" ] || HOW=unsound
    [ ! -s "$DIR/left" ] || HOW=left
    say reverted "$1" "$HOW" "$(text64 "${2:-}")" "$(b64 <"$DIR/left" 2>/dev/null)"
    exit 0
}
# change: the renames
change() {
    I=0
    while [ "$I" -lt "$COUNT" ]; do
        I=$((I + 1))
        about "$I"
        read -r BEFORE AFTER <"$DIR/hashes.$I"
        mine
        if [ -f "$DIR/attributes.$I" ]; then
            read -r M U G NM NU NG <"$DIR/attributes.$I"
            attributes "$P"
            [ "$A" = "$M $U $G" ] && [ ! -L "$P" ] || back changed "$P"
            { chown "$NU:$NG" "$P" && chmod "$NM" "$P"; } || back not-written "$P"
            attributes "$P"
            [ "$A" = "$NM $NU $NG" ] || back not-written "$P"
        else
            now "$P"
            [ "$H" = "$BEFORE" ] || back changed "$P"
            if [ "$AFTER" = absent ]; then
                as rm -f "$P" || back not-written "$P"
            else
                as mv -f "${P%/*}/.sitewarden-$E.$I" "$P" || back not-written "$P"
                [ "$BEFORE" != absent ] || [ -n "$AS" ] || restorecon "$P" 2>/dev/null
            fi
        fi
        say changed "$I"
        AS=''
    done
    flush
}
# do_all: from the switch to the end
do_all() {
    validate || nothing refused "$(cat "$DIR/refusal" 2>/dev/null)"
    # two who took over the lock of one that had gone at the same moment: the later one has it
    [ "$(readlink "$STATE/lock" 2>/dev/null)" = "$E" ] || nothing locked "$(readlink "$STATE/lock" 2>/dev/null)"
    [ "$DELAY" = 0 ] || arm
    if [ -n "${PREPARES:-}" ]; then
        : >"$DIR/activated"
        before_change || { mine; back activate "$OUT"; }
    fi
    change
    mine
    if [ -n "${ACTIVATES:-}" ]; then
        : >"$DIR/activated"
        activate || { mine; back activate "$OUT"; }
        mine
        wait_for holds "${WITHIN:-60}" || { mine; back check "$(head -c 2000 "$DIR/said" 2>/dev/null)"; }
    fi
    if [ "$DELAY" = 0 ]; then
        mv "$DIR/applying" "$DIR/finished"
        tidy
        say end applied
    else
        mine
        : >"$DIR/waiting"
        rm -f "$DIR/pid"
        say end waiting
    fi
    exit 0
}
