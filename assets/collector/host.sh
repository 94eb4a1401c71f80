# The node itself: firmware, file systems, service units.
# A part of ../collector.sh, which has what is used here.
host() {
    pair time "$(date +%s)"
    if line_of /proc/sys/kernel/hostname; then pair hostname "$V"; else pair hostname "$(hostname)"; fi
    if line_of /etc/machine-id && [ -n "$V" ]; then pair machine_id "$V"; else miss machine_id "${S#here}"; fi
    V=$(uname -rm)
    KERNEL=${V%% *}
    pair kernel "$KERNEL"
    pair arch "${V#* }"
    if line_of /proc/uptime; then pair uptime "${V%% *}"; else miss uptime "$S"; fi
    BTIME=$(awk '$1 == "btime" { print $2 }' /proc/stat)
    pair boot_time "$BTIME"
    V=$(getconf CLK_TCK) || V=100
    pair clk_tck "$V"
    VIRT=
    if command -v systemd-detect-virt >/dev/null; then VIRT=$(bound 5 systemd-detect-virt)
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
# --- units ------------------------------------------------------------------------------------------------------
units() {
    if [ $SYSTEMD = no ]; then put units 0 u ''; return; fi
    UNITS=$(bound 8 systemctl show --no-pager \
        -p Id -p LoadState -p ActiveState -p SubState -p UnitFileState -p Listen -p FragmentPath -p DropInPaths -p MainPID -p EnvironmentFiles \
        ssh.service sshd.service ssh.socket sshd.socket dropbear.service 'ssh@*.service' 'sshd@*.service' \
        kubelet.service k3s.service k3s-agent.service rke2-server.service rke2-agent.service \
        snap.microk8s.daemon-kubelite.service snap.kubelet.daemon.service kube-proxy.service etcd.service \
        kube-apiserver.service kube-controller-manager.service kube-scheduler.service \
        auditd.service audit-rules.service chronyd.service chrony.service systemd-timesyncd.service ntpd.service ntp.service ntpsec.service \
        openntpd.service apt-daily-upgrade.timer dnf-automatic.timer dnf-automatic-install.timer dnf5-automatic.timer \
        transactional-update.timer rebootmgr.service update-engine.service locksmithd.service firewalld.service nftables.service ufw.service \
        iptables.service netfilter-persistent.service mdatp.service)
    RC=$?
    flags_of $RC
    say units $RC "$F" "$UNITS"
    case $UNITS in
    *Id=kubelet.service*)
        V=$(bound 5 systemctl show --no-pager -p Environment kubelet.service)
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
