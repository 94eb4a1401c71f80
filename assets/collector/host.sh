# The node itself: firmware, file systems, service units.
# A part of ../collector.sh, which has what is used here.
host() {
    pair time "$(date +%s)"
    if line_of /proc/sys/kernel/hostname; then pair hostname "$V"; else pair hostname "$(hostname)"; fi
    if line_of /etc/machine-id && [ -n "$V" ]; then pair machine_id "$V"; else miss machine_id "${S#here}"; fi
    pair kernel "$(uname -r)"
    pair arch "$(uname -m)"
    if line_of /proc/uptime; then pair uptime "${V%% *}"; else miss uptime "$S"; fi
    BTIME=$(awk '$1 == "btime" { print $2 }' /proc/stat)
    pair boot_time "$BTIME"
    V=$(getconf CLK_TCK) || V=100
    pair clk_tck "$V"
    VIRT=
    if command -v systemd-detect-virt >/dev/null; then VIRT=$(within 5 systemd-detect-virt)
    elif [ -e /.dockerenv ]; then VIRT=docker
    elif [ -e /run/.containerenv ]; then VIRT=podman
    fi
    CONTAINER=
    case $VIRT in
    '') miss virt unsupported ;;
    systemd-nspawn | lxc* | docker | podman | rkt | openvz | wsl | proot | pouch | container*) CONTAINER=yes ;;
    esac
    [ -z "$VIRT" ] || pair virt "$VIRT"

    V=0
    for f in /run/reboot-required /var/run/reboot-required /run/reboot-needed /run/needs_restarting /var/run/needs_restarting; do
        [ -L /var/run ] && case $f in /var/run/*) continue ;; esac
        V=$((V + 1))
        [ -e "$f" ] && pair reboot_file "$f"
    done
    pair reboot_files "$V"

    if [ -n "$CONTAINER" ]; then
        for f in uefi secure_boot setup_mode tpm tpm_version; do miss "$f" not-visible; done
    else
        if [ -d /sys/firmware/efi ]; then
            pair uefi yes
            for f in SecureBoot SetupMode; do
                case $f in SecureBoot) k=secure_boot ;; *) k=setup_mode ;; esac
                v=/sys/firmware/efi/efivars/$f-8be4df61-93ca-11d2-aa0d-00e098032b8c
                if [ -r "$v" ]; then
                    # shellcheck disable=SC2046
                    set -- $(od -An -v -tu1 "$v")
                    pair "$k" "${5:-?}"
                elif [ -e "$v" ]; then miss "$k" forbidden
                else
                    set +f; set -- /sys/firmware/efi/efivars/*; set -f
                    if [ -e "$1" ]; then miss "$k" absent; else miss "$k" not-visible; fi
                fi
            done
        elif [ -d /sys/firmware ]; then pair uefi no; miss secure_boot absent; miss setup_mode absent
        else miss uefi not-visible; miss secure_boot not-visible; miss setup_mode not-visible
        fi
        if [ -e /sys/class/tpm/tpm0 ]; then pair tpm yes; pair_line tpm_version /sys/class/tpm/tpm0/tpm_version_major
        elif [ -d /sys/class ]; then pair tpm no; miss tpm_version absent
        else miss tpm not-visible; miss tpm_version not-visible
        fi
    fi
    for f in lsm lockdown; do
        if line_of /sys/kernel/security/$f; then
            case $f in lockdown) V=${V#*\[}; V=${V%%\]*} ;; esac
            pair $f "$V"
        elif [ "$S" = absent ]; then
            set +f; set -- /sys/kernel/security/*; set -f
            if [ -e "$1" ]; then miss $f absent; else miss $f not-visible; fi
        else miss $f "$S"
        fi
    done
    # a container is shown nothing of the host's SELinux; without /sys nothing is seen of either
    if line_of /sys/fs/selinux/enforce; then pair selinux "$V"
    elif [ -n "$CONTAINER" ] || [ ! -d /sys/module ]; then miss selinux not-visible
    else miss selinux "$S"
    fi
    if line_of /sys/module/apparmor/parameters/enabled; then pair apparmor "$V"
    elif [ ! -d /sys/module ]; then miss apparmor not-visible
    else miss apparmor "$S"
    fi
    pair_line fips /proc/sys/crypto/fips_enabled
    pair timeout_tool $BOUND
    SYSTEMD=no
    [ -d /run/systemd/system ] && command -v systemctl >/dev/null && SYSTEMD=yes
    pair systemd $SYSTEMD
    REF=/proc/1/ns NSREF=pid1
    if [ ! -e /proc/1/ns/mnt ]; then REF=/proc/self/ns NSREF=self; fi
    pair ns_reference $NSREF
    HIDEPID=no
    [ -e /proc/1/stat ] || HIDEPID=yes
    pair hidepid $HIDEPID
    pairs host
    for f in /etc/os-release /usr/lib/os-release; do
        if [ -f "$f" ]; then text host.os-release "$f"; f=; break; fi
    done
    [ -z "$f" ] || put host.os-release 0 a ''
    if [ -d /lib/modules ]; then
        V=
        set +f
        for f in /lib/modules/*; do [ -e "$f/modules.dep" ] || [ -d "$f/kernel" ] && V="$V${f##*/}$NL"; done
        set -f
        say host.modules 0 - "${V%"$NL"}"
    else put host.modules 0 a ''
    fi
}
# crypt MAJ:MIN DEPTH: C is yes, no or ?: whether every way down from that block device goes through dm-crypt
crypt() {
    C='?'
    [ -z "$CONTAINER" ] && [ -d "/sys/dev/block/$1" ] && [ "$2" -lt 8 ] || return
    V=
    [ -r "/sys/dev/block/$1/dm/uuid" ] && IFS= read -r V <"/sys/dev/block/$1/dm/uuid"
    case $V in CRYPT-VERITY* | CRYPT-INTEGRITY*) ;; CRYPT-*) C=yes; return ;; esac
    [ -d "/sys/dev/block/$1/loop" ] && return
    set +f; set -- "$1" "$2" "/sys/dev/block/$1/slaves"/*; set -f
    if [ ! -e "$3" ]; then C=no; return; fi
    crypt_depth=$(($2 + 1)) crypt_all=
    shift 2
    for s in "$@"; do
        IFS= read -r V <"$s/dev" || V=none
        crypt_all="$crypt_all $V"
    done
    # shellcheck disable=SC2086
    set -- $crypt_all
    for s in "$@"; do
        crypt "$s" $crypt_depth
        [ "$C" = yes ] || return
    done
}
# device PATH: V is MAJ:MIN of the block device
device() { V=$(stat -L -c '%t %T' "$1") && V=$((0x${V% *})):$((0x${V#* })); }
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
        dev=$1 type=$2 source=$3 path=$4
        [ -n "$path" ] || continue
        case $dev:$type in
        0:*:btrfs) if device "$source"; then dev=$V; fi ;;
        esac
        crypt "$dev" 0
        OUT="$OUT$C$TAB$type$TAB$source$TAB$path$NL"
    done
    IFS=$WS
    while read -r source type rest; do
        case $source in Filename | '' | /dev/zram*) continue ;; esac
        C='?'
        if [ "$type" = partition ]; then device "$source" && crypt "$V" 0
        elif V=$(stat -L -c %d "$source"); then crypt "$((V >> 8 & 4095)):$((V & 255 | V >> 12 & 1048320))" 0
        fi
        OUT="$OUT$C${TAB}swap$TAB$source${TAB}swap$NL"
    done </proc/swaps
    say host.mounts 0 - "${OUT%"$NL"}"
}

# --- units ------------------------------------------------------------------------------------------------------
units() {
    if [ $SYSTEMD = no ]; then put units 0 u ''; return; fi
    UNITS=$(within 8 systemctl show --no-pager \
        -p Id -p LoadState -p ActiveState -p SubState -p UnitFileState -p Listen -p FragmentPath -p DropInPaths -p MainPID -p EnvironmentFiles \
        ssh.service sshd.service ssh.socket sshd.socket dropbear.service 'ssh@*.service' 'sshd@*.service' \
        kubelet.service k3s.service k3s-agent.service rke2-server.service rke2-agent.service \
        snap.microk8s.daemon-kubelite.service snap.kubelet.daemon.service kube-proxy.service etcd.service \
        kube-apiserver.service kube-controller-manager.service kube-scheduler.service)
    RC=$?
    flags_of $RC
    say units $RC "$F" "$UNITS"
    case $UNITS in
    *Id=kubelet.service*)
        V=$(within 5 systemctl show --no-pager -p Environment kubelet.service)
        RC=$?
        flags_of $RC
        say kubelet.environment $RC "$F" "$V"
        ;;
    esac
}
# unit_state NAME: V is its ActiveState
unit_state() {
    V=$(printf '%s\n' "$UNITS" | awk -v unit="$1" '
        /^$/ { id = ""; active = "" } /^Id=/ { id = substr($0, 4) } /^ActiveState=/ { active = substr($0, 13) }
        id == unit && active != "" { print active; exit }')
}
