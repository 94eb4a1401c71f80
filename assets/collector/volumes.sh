# File systems, and whether every way down from them goes through dm-crypt.
# A part of ../collector.sh, which has what is used here.

# crypt MAJ:MIN DEPTH: C is yes, no or ?: whether every way down from that block device goes through dm-crypt
crypt() {
    C='?'
    [ -z "$CONTAINER" ] && [ -d "/sys/dev/block/$1" ] && [ "$2" -lt 8 ] || return
    V=
    [ -r "/sys/dev/block/$1/dm/uuid" ] && IFS= read -r V <"/sys/dev/block/$1/dm/uuid"
    case $V in CRYPT-VERITY* | CRYPT-INTEGRITY*) ;; CRYPT-*) C=yes; return ;; esac
    [ -d "/sys/dev/block/$1/loop" ] && return
    set +f; set -- "$2" "/sys/dev/block/$1/slaves"/*; set -f
    if [ ! -e "$2" ]; then C=no; return; fi
    # the depth stays the first of them, since a function's own words are all that recursion leaves alone
    while [ $# -gt 1 ]; do
        V=
        IFS= read -r V <"$2/dev"
        crypt "${V:-none}" $(($1 + 1))
        [ "$C" = yes ] || return
        V=$1
        shift 2
        set -- "$V" "$@"
    done
}
# device PATH: V is MAJ:MIN of the block device
device() { V=$(stat -L -c '%t %T' "$1") && V=$((0x${V% *})):$((0x${V#* })); }
# below MAJ:MIN TYPE SOURCE: C as of crypt, for a mounted file system
below() {
    dev=$1
    case $1:$2 in
    0:*:btrfs) if device "$3"; then dev=$V; fi ;;
    esac
    crypt "$dev" 0
}
mounts() {
    OUT=
    LIST=$(awk '{
        for (i = 7; i <= NF && $i != "-"; i++);
        if ($5 ~ /^\/(var|var\/lib|var\/lib\/(etcd|kubelet|containerd|rancher)|home|etc|boot|boot\/efi)?$/)
            { if (!($5 in at)) order[++n] = $5; at[$5] = $3 "\t" $(i + 1) "\t" $(i + 2) "\t" $5 }
    } END { for (i = 1; i <= n; i++) print at[order[i]] }' /proc/self/mountinfo)
    IFS=$NL
    for row in $LIST; do
        IFS=$TAB
        # shellcheck disable=SC2086
        set -- $row
        IFS=$WS
        [ -n "$4" ] || continue
        below "$1" "$2" "$3"
        OUT="$OUT$C$TAB$2$TAB$3$TAB$4$NL"
    done
    IFS=$WS
    SWAPS=
    while read -r source type rest; do
        case $source in Filename | '' | /dev/zram*) continue ;; esac
        C='?'
        if [ "$type" = partition ]; then device "$source" && crypt "$V" 0
        elif V=$(stat -L -c %d "$source"); then crypt "$((V >> 8 & 4095)):$((V & 255 | V >> 12 & 1048320))" 0
        fi
        OUT="$OUT$C${TAB}swap$TAB$source${TAB}swap$NL"
        SWAPS="${SWAPS}swap$TAB$C${TAB}swap$TAB$source${TAB}swap$TAB$source$NL"
    done </proc/swaps
    say host.mounts 0 - "${OUT%"$NL"}"
}
# place PURPOSE PID PATH: one place to look at, by the mounts that the process sees (none: our own)
place() {
    v=/proc/self/mountinfo p=$3
    if [ -n "$2" ]; then v=/proc/$2/mountinfo
    else
        state "$3"
        [ "$S" != absent ] || return
        [ "$3" = / ] || p=$(readlink -f "$3") || p=$3
    fi
    PLACES="$PLACES$1$TAB$v$TAB$p$NL"
}
# flag_of PID FLAG: V is the value of that flag on the command line of a process
flag_of() {
    V=$(tr '\n\0' '\001\n' <"/proc/$1/cmdline" | awk -v flag="--$2" 'p { print; exit } $0 == flag { p = 1 } index($0, flag "=") == 1 { print substr($0, length(flag) + 2); exit }')
}
# volumes: the devices below the places where secrets lie
volumes() {
    PLACES= ETCD=
    place root '' /
    KUBELET=
    IFS=$NL
    for row in $HOSTS; do
        IFS=$TAB
        # shellcheck disable=SC2086
        set -- $row
        IFS=$WS
        pid=
        [ "$1" != container ] || pid=$2
        case $3 in
        etcd)
            ETCD=yes
            flag_of "$2" data-dir
            case $V in
            /*) place etcd "$pid" "$V" ;;
            *) PLACES="${PLACES}etcd$TAB?$TAB?$NL" ;;
            esac
            ;;
        kubelet)
            KUBELET=yes
            flag_of "$2" root-dir
            case $V in '') V=/var/lib/kubelet ;; /*) ;; *) V=/var/lib/kubelet ;; esac
            place kubelet "$pid" "$V"
            ;;
        esac
    done
    IFS=$WS
    [ -n "$ETCD" ] || for p in /var/lib/etcd /var/lib/rancher/k3s/server/db /var/lib/rancher/rke2/server/db /var/snap/microk8s/current/var/kubernetes/backend; do place etcd '' "$p"; done
    [ -n "$KUBELET" ] || place kubelet '' /var/lib/kubelet
    OUT=
    IFS=$NL
    for row in $PLACES; do
        IFS=$TAB
        # shellcheck disable=SC2086
        set -- $row
        IFS=$WS
        purpose=$1 path=$3
        # the mount that holds it: the longest mount point that it begins with, and of two the later
        V=$([ -r "$2" ] && awk -v path="$path/" '{
            for (i = 7; i <= NF && $i != "-"; i++);
            m = $5; if (m != "/") m = m "/"
            if (index(path, m) == 1 && length(m) >= best) { best = length(m); found = $3 "\t" $(i + 1) "\t" $(i + 2) "\t" $5 }
        } END { if (best) print found }' "$2")
        IFS=$TAB
        # shellcheck disable=SC2086
        set -- $V
        IFS=$WS
        C='?'
        [ $# = 4 ] || set -- '?' '?' '?' '?'
        [ "$1" = '?' ] || below "$1" "$2" "$3"
        OUT="$OUT$purpose$TAB$C$TAB$2$TAB$3$TAB$4$TAB$path$NL"
    done
    IFS=$WS
    OUT=$OUT$SWAPS
    say host.volumes 0 - "${OUT%"$NL"}"
}
