# Measured boot, cryptographic policy, audit, time, automatic updates.
# A part of ../collector.sh, which has what is used here.

# setting NAME PATTERN FILE...: a pair of the last `KEY = VALUE` whose key fits, in the files that exist
setting() {
    setting_name=$1 setting_key=$2
    shift 2
    LIST=
    for f in "$@"; do
        state "$f"
        case $S in here) ;; forbidden) miss "$setting_name" forbidden; return ;; *) continue ;; esac
        if [ ! -r "$f" ] || [ ! -f "$f" ]; then miss "$setting_name" forbidden; return; fi
        LIST=$LIST$f$NL
    done
    if [ -z "$LIST" ]; then miss "$setting_name" absent; return; fi
    IFS=$NL
    # shellcheck disable=SC2086
    V=$(awk -v key="$setting_key" '
        { sub(/^[ \t]+/, ""); k = $0; sub(/[ \t]*=.*/, "", k); if (k != key || !index($0, "=")) next
          v = $0; sub(/^[^=]*=[ \t]*/, "", v); sub(/[ \t]+$/, "", v); gsub(/["'\'']/, "", v); found = v; any = 1 }
        END { if (any) print "=" substr(found, 1, 100) }' $LIST)
    IFS=$WS
    case $V in =*) pair "$setting_name" "${V#=}" ;; *) miss "$setting_name" absent ;; esac
}
defences() {
    if [ -n "$CONTAINER" ]; then miss pcr7 not-visible; miss event_log not-visible
    elif [ ! -d /sys/class ]; then miss pcr7 not-visible; miss event_log not-visible
    elif [ ! -e /sys/class/tpm/tpm0 ]; then miss pcr7 absent; miss event_log absent
    else
        # kernels before 5.12 do not show registers this way, later ones show the banks that the TPM has
        set +f; set -- /sys/class/tpm/tpm0/pcr-*/7; set -f
        if [ -e "$1" ]; then pair_line pcr7 /sys/class/tpm/tpm0/pcr-sha256/7; else miss pcr7 unsupported; fi
        set +f; set -- /sys/kernel/security/*; set -f
        if [ -e /sys/kernel/security/tpm0/binary_bios_measurements ]; then pair event_log yes
        elif [ ! -e "$1" ]; then miss event_log not-visible
        elif [ -e /sys/kernel/security/tpm0 ] && [ ! -x /sys/kernel/security/tpm0 ]; then miss event_log forbidden
        else pair event_log no
        fi
    fi
    if line_of /etc/crypto-policies/state/current; then pair crypto_policy "$V"
    elif [ "$S" = absent ]; then pair_line crypto_policy /etc/crypto-policies/config
    else miss crypto_policy "$S"
    fi
    if [ "$UID_NOW" != 0 ]; then miss audit_rules forbidden
    elif ! command -v auditctl >/dev/null; then miss audit_rules unsupported
    else
        V=$(bound 5 auditctl -l | head -c 1048576)
        case $V in
        'No rules'*) pair audit_rules 0 ;;
        -*) pair audit_rules "$(printf '%s\n' "$V" | grep -c '^-')" ;;
        *) miss audit_rules not-visible ;;
        esac
    fi
    V=
    [ $SYSTEMD = no ] || V=$(bound 5 timedatectl show -p NTP -p NTPSynchronized)
    for f in NTP NTPSynchronized; do
        case $NL$V$NL in
        *"$NL$f=yes$NL"*) pair "time_$f" yes ;;
        *"$NL$f=no$NL"*) pair "time_$f" no ;;
        *) miss "time_$f" unsupported ;;
        esac
    done
    if command -v mdatp >/dev/null; then pair mdatp yes; else pair mdatp no; fi
    pairs defences

    manager
    case $MANAGER in
    apt)
        if command -v unattended-upgrade >/dev/null; then
            pair unattended_upgrade yes
            if V=$(bound 5 apt-config dump); then
                pair apt yes
                PAIRS=$PAIRS$(printf '%s\n' "$V" | awk '
                    BEGIN { n["APT::Periodic::Enable"] = "apt_periodic"; n["APT::Periodic::Unattended-Upgrade"] = "apt_unattended"; n["Unattended-Upgrade::Automatic-Reboot"] = "apt_reboot" }
                    $1 in n { v = $2; gsub(/[";]/, "", v); print n[$1] "=" substr(v, 1, 40) }')$NL
            else miss apt unsupported
            fi
        else pair unattended_upgrade no
        fi
        ;;
    dnf | dnf5)
        setting dnf_apply apply_updates /etc/dnf/automatic.conf
        setting dnf_reboot reboot /etc/dnf/automatic.conf
        # of version 5: its own defaults, and over them what the administrator set
        setting dnf5_apply apply_updates /usr/share/dnf5/dnf5-plugins/automatic.conf /etc/dnf/dnf5-plugins/automatic.conf /etc/dnf/automatic.conf
        setting dnf5_reboot reboot /usr/share/dnf5/dnf5-plugins/automatic.conf /etc/dnf/dnf5-plugins/automatic.conf /etc/dnf/automatic.conf
        ;;
    transactional-update) setting transactional_reboot REBOOT_METHOD /usr/etc/transactional-update.conf /etc/transactional-update.conf ;;
    update-engine)
        setting flatcar_strategy REBOOT_STRATEGY /usr/share/flatcar/update.conf /etc/flatcar/update.conf
        setting flatcar_server SERVER /usr/share/flatcar/update.conf /etc/flatcar/update.conf
        ;;
    esac
    if [ "$KURED" = yes ]; then pair kured yes
    elif [ $HIDEPID = yes ]; then miss kured forbidden
    else pair kured no
    fi
    pairs auto
}
