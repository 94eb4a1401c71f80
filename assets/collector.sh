# Read-only collector. Runs as `sh -s -- NONCE PRIVILEGE USER UID SSH_CONNECTION`; writes framed records, nothing else.
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

# --- encoding, time, frames -------------------------------------------------------------------------------------
ENC=b64
if command -v base64 >/dev/null; then enc() { base64; }
elif command -v openssl >/dev/null; then enc() { openssl base64; }
else ENC=hex; enc() { od -An -v -tx1; }
fi
if ! command -v timeout >/dev/null; then BOUND=none
elif timeout 9 true; then BOUND=timeout
elif timeout -t 9 true; then BOUND=busybox-t
else BOUND=none
fi
case $BOUND in
timeout) within() { timeout "$@" </dev/null; } ;;
busybox-t) within() { timeout -t "$@" </dev/null; } ;;
*) within() { shift; "$@" </dev/null; } ;;
esac
UNBOUND=
[ "$BOUND" = none ] && UNBOUND=b
# flags_of RC [LETTERS]: F
flags_of() {
    F=${2:-}$UNBOUND
    case $1 in 124 | 137 | 143) F=${F}t ;; esac
    [ -n "$F" ] || F=-
}
# put KEY RC FLAGS ENCODED; say KEY RC FLAGS TEXT; send KEY PATH FLAGS (a whole file)
put() {
    COUNT=$((COUNT + 1))
    printf '@ %s %s %s %s %s\n%s\n' "$N" "$1" "$2" "$3" "${#4}" "$4"
}
say() {
    E=
    [ -z "$4" ] || E=$(printf '%s\n' "$4" | enc)
    put "$1" "$2" "$3" "$E"
}
# text KEY PATH: the first CAP bytes of a file that was found to be regular
text() {
    if [ ! -r "$2" ]; then put "$1" 0 f ''; return; fi
    E=$(head -c $((CAP + 1)) "$2" | enc)
    F=-
    # base64 of more than CAP bytes is longer than this, whatever its line breaks
    if [ ${#E} -gt $((CAP * 4 / 3)) ] && [ "$(head -c $((CAP + 1)) "$2" | wc -c)" -gt $CAP ]; then
        E=$(head -c $CAP "$2" | enc) F=c
    fi
    put "$1" 0 "$F" "$E"
}
# state PATH: S is here, absent or forbidden (a directory above cannot be searched)
state() {
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
    T=$(within 5 stat -c '%F|%u|%a|%Y|%d:%i' "${D:-/}" "$1")
    P=${T%%"$NL"*} T=${T#*"$NL"}
    case $T in
    symbolic*)
        case $T in symbolic*'|0|'*) ;; *) S=refused; return 1 ;; esac
        T=$(within 5 stat -L -c '%F|%u|%a|%Y|%d:%i' "$1")
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

# --- host -------------------------------------------------------------------------------------------------------
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
    pair_line selinux /sys/fs/selinux/enforce
    pair_line apparmor /sys/module/apparmor/parameters/enabled
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

# --- processes --------------------------------------------------------------------------------------------------
processes() {
    set +f
    LIST=$(printf '%s\n' /proc/[0-9]* | awk -v self="$SELF" '
    function first(file,    l) { l = ""; getline l < file; close(file); return l }
    function clean(s) { gsub(/[^ -~]/, "?", s); return s }
    function base(s) { sub(/.*\//, "", s); return s }
    BEGIN {
        n = split("sshd kubelet kube-proxy kube-apiserver kube-controller-manager kube-scheduler etcd k3s rke2 kubelite hyperkube", w, " ")
        for (i = 1; i <= n; i++) { name[w[i]] = w[i]; name[substr(w[i], 1, 15)] = w[i] }
        name["sshd-session"] = "sshd"; name["sshd-auth"] = "sshd"; name["k3s-server"] = "k3s"; name["k3s-agent"] = "k3s"
    }
    {
        dir = $0; pid = substr($0, 7); s = ""
        for (i = 0; i < 3 && (getline l < (dir "/stat")) > 0; i++) s = s l " "
        close(dir "/stat")
        if (!match(s, /\)[^)]*$/)) next
        comm = clean(substr(s, index(s, "(") + 1, RSTART - index(s, "(") - 1))
        split(substr(s, RSTART + 2), f, " ")
        parent[pid] = f[2]; called[pid] = comm
        a = first(dir "/cmdline"); sub(/[^ -~].*/, "", a)
        title = ""
        if (a ~ /^sshd(-session|-auth)?: /) { b = "sshd"; title = (a ~ /\[listener\]/) ? "" : "title" }
        else b = base(a)
        if (b == "sshd-session" || b == "sshd-auth" || comm ~ /^sshd-(session|auth)$/) title = "title"
        k = (b in name) ? name[b] : (comm in name) ? name[comm] : ""
        if (k == "") next
        if (++seen > 200) next
        uid = "?"
        while ((getline l < (dir "/status")) > 0) if (l ~ /^Uid:/) { split(l, u, /[ \t]+/); uid = u[3] }
        close(dir "/status")
        cg = "-"
        while ((getline l < (dir "/cgroup")) > 0)
            if (l ~ /^[0-9]+:name=systemd:/) { cg = l; sub(/^[0-9]+:name=systemd:/, "", cg); break }
            else if (l ~ /^0::/) cg = substr(l, 4)
        close(dir "/cgroup")
        print "P\t" pid "\t" f[2] "\t" uid "\t" comm "\t" f[20] "\t" k "\t" (title == "" ? "-" : title) "\t" clean(cg)
    }
    END {
        if (seen > 200) print "C"
        for (p = self; p > 0 && i++ < 64; p = parent[p]) { print "L\t" p "\t" called[p]; if (p == 1) break }
    }')
    set -f
    # the cgroup below which the system's units live, as seen from here
    ROOTCG=
    if [ -r /proc/1/cgroup ]; then
        ROOTCG=$(awk '/^[0-9]+:name=systemd:/ { sub(/^[0-9]+:name=systemd:/, ""); c = $0; exit } /^0::/ { c = substr($0, 4) } END { print c }' /proc/1/cgroup)
        ROOTCG=${ROOTCG%/init.scope}
        ROOTCG=${ROOTCG%/}
    fi
    CHAIN= CHAINPIDS=' ' ROOTSSHD=' ' EXES= CUT=- PIDS=
    IFS=$NL
    for row in $LIST; do
        IFS=$TAB
        # shellcheck disable=SC2086
        set -- $row
        IFS=$WS
        kind=$1 pid=$2 ppid=$3 uid=$4 comm=$5 start=$6 name=$7 title=$8 cg=$9
        case $kind in
        L) CHAIN="$CHAIN$pid$TAB$ppid$NL" CHAINPIDS="$CHAINPIDS$pid " ;;
        P)
            PIDS="$PIDS /proc/$pid/exe"
            [ "$name-$uid" = sshd-0 ] && ROOTSSHD="$ROOTSSHD$pid "
            ;;
        C) CUT=c ;;
        esac
    done
    IFS=$WS
    # shellcheck disable=SC2086
    [ -z "$PIDS" ] || EXES=$NL$(within 5 stat -L -c '%n %u %a' $PIDS)$NL
    TABLE= HOSTS= ARGS=
    IFS=$NL
    for row in $LIST; do
        IFS=$TAB
        # shellcheck disable=SC2086
        set -- $row
        IFS=$WS
        kind=$1 pid=$2 ppid=$3 uid=$4 comm=$5 start=$6 name=$7 title=$8 cg=$9
        [ "$kind" = P ] || continue
        exe=$(readlink "/proc/$pid/exe") || exe='?'
        case $exe in *"$NL"* | *"$TAB"*) exe='?' ;; esac
        euid='?' emode='?'
        case $EXES in
        *"$NL/proc/$pid/exe "*)
            euid=${EXES#*"$NL/proc/$pid/exe "} euid=${euid%%"$NL"*}
            emode=${euid#* } euid=${euid%% *}
            ;;
        esac
        space pid; pns=$S
        space mnt; mns=$S
        verdict
        TABLE="$TABLE$pid$TAB$ppid$TAB$uid$TAB$comm$TAB$start$TAB$pns$TAB$mns$TAB$euid$TAB$emode$TAB$S$TAB$name$TAB$cg$TAB$exe$NL"
        case $S in session | helper) continue ;; esac
        ARGS="$ARGS $pid"
        case $S in host | host-* | login | container) HOSTS="$HOSTS$S$TAB$pid$TAB$name$TAB$exe$NL" ;; esac
    done
    IFS=$WS
    say proc 0 $CUT "${TABLE%"$NL"}"
    say login.chain 0 - "${CHAIN%"$NL"}"
    for pid in $ARGS; do
        if [ -r "/proc/$pid/cmdline" ]; then put "proc.$pid.args" 0 - "$(head -c $CAP "/proc/$pid/cmdline" | enc)"
        else put "proc.$pid.args" 0 a ''
        fi
    done
}
# space KIND: S tells whether $pid is in the namespace that counts
space() {
    if [ ! -e "/proc/$pid/ns/$1" ]; then S='?'
    elif [ "$REF/$1" -ef "/proc/$pid/ns/$1" ]; then S=same
    else S=other
    fi
}
# verdict: S tells whether the process counts
verdict() {
    base=${exe% (deleted)} base=${base##*/}
    pod=no unit= rel=${cg#"$ROOTCG"/}
    case $cg in *kubepods* | *cri-containerd* | *crio-* | *docker-* | */docker/* | *libpod* | */lxc* | */machine.slice/*) pod=other ;; esac
    # a pod of this node's kubelet; one of a node inside this node lies deeper
    case $rel in kubepods* | kubelet*/kubepods* | k8s.io/* | kubelet.slice/*) pod=yes ;; esac
    case $cg in "$ROOTCG"/system.slice/*.service | "$ROOTCG"/system.slice/*.service/*) unit=${cg#"$ROOTCG"/system.slice/} ;; esac
    if [ "$title" = title ]; then
        case $ROOTSSHD in *" $pid "* | *" $ppid "*) case $euid in 0 | '?') S=session; return ;; esac ;; esac
    fi
    S=rejected-namespace
    case $pns$mns in
    *other*)
        [ $pod = yes ] || return 0
        S=rejected-exe-owner
        [ "$euid" = 0 ] && S=container
        return 0
        ;;
    esac
    if [ $pod != no ]; then
        S=unknown
        [ "$pns$mns" = samesame ] && S=rejected-namespace
        return 0
    fi
    S=rejected-uid
    case $uid in
    0) ;;
    '?') S=unknown; return 0 ;;
    *) case $name:$unit in sshd:*) return 0 ;; *:*"$name"*) ;; *) return 0 ;; esac ;;
    esac
    if [ "$exe" = '?' ] || [ "$euid" = '?' ]; then
        S=unknown
        [ -n "$unit" ] && S=host-by-unit
        case $name$CHAINPIDS in sshd*" $pid "*) S=login ;; esac
        return 0
    fi
    S=rejected-exe-owner
    [ "$euid" = 0 ] || return 0
    S=rejected-exe-writable
    case $emode in *[2367]? | *[2367]) return 0 ;; esac
    S=rejected-exe-name
    case $base in
    "$name" | hyperkube | k3s | rke2 | kubelite) ;;
    *) return 0 ;;
    esac
    S=host
    [ -n "$unit" ] && return 0
    case $name$CHAINPIDS in sshd*" $pid "*) S=login; return 0 ;; esac
    S=rejected-unit
    [ "$uid" = 0 ] || return 0
    if [ "$SYSTEMD" = no ] || [ "$ppid" = 1 ]; then S=host; fi
    return 0
}
# --- users ------------------------------------------------------------------------------------------------------
users() {
    PASSWD=$(within 5 getent passwd | head -n 5000)
    [ -n "$PASSWD" ] || PASSWD=$(head -n 5000 /etc/passwd)
    USERS=$(printf '%s\n' "$PASSWD" | awk -F: '
        NF == 7 && $1 ~ /^[!-~]+$/ && $3 ~ /^[0-9]+$/ && $7 !~ /(^|\/)(nologin|false|sync|halt|shutdown|git-shell)$/ {
            if (++n > 500) { print "C"; exit }
            print $1 ":" $3 ":" $4 ":" $6 ":" ($7 == "" ? "/bin/sh" : $7)
        }')
    F=-
    case $USERS in *"${NL}C") F=c USERS=${USERS%"${NL}C"} ;; esac
    say users 0 $F "$USERS"
}

# --- sshd -------------------------------------------------------------------------------------------------------
# complaint TEXT: S is a word for what sshd complains about; its text goes nowhere
complaint() {
    case $1 in
    *'no hostkeys available'*) S=nohostkeys ;;
    *'ermission denied'*) S=forbidden ;;
    *'ad configuration option'* | *'terminating,'* | *'unsupported option'* | *' line '* | *'issing argument'*) S=badconfig ;;
    *) S=other ;;
    esac
}
# sshd_run ARGS...: runs the daemon's executable with its own options; OUT, RC; S where RC is not 0
sshd_run() {
    IFS=$NL
    # shellcheck disable=SC2086
    OUT=$(within 5 "$DEXE" $DOPTS "$@")
    RC=$? S=ok
    if [ $RC != 0 ]; then
        # shellcheck disable=SC2086
        complaint "$(within 5 "$DEXE" $DOPTS "$@" 2>&1 >/dev/null)"
    fi
    IFS=$WS
}
# dump KIND CONNECTION CRITERION: one more `sshd -T`; a connection that no Match can tell apart is the global answer again
dump() {
    WANTED=$((WANTED + 1))
    [ $SENT -lt 32 ] || return
    k=sshd.$DN.dump.$SENT h="$1$TAB$2$TAB$3"
    SENT=$((SENT + 1))
    if [ "$1" = global ]; then
        if [ "$UID_NOW" = 0 ]; then sshd_run -T; else sshd_run -G; fi
        GOUT=$OUT GRC=$RC GS=$S
        if [ "$UID_NOW" != 0 ] && [ $RC != 0 ]; then GS=forbidden; fi
    elif [ "$UID_NOW" != 0 ]; then put "$k" 0 f "$(printf '%s\n' "$h" | enc)"; return
    elif [ "$2" = - ]; then put "$k" 0 n "$(printf '%s\n' "$h" | enc)"; return
    elif [ "$GRC" != 0 ] || { [ -z "$MATCHES" ] && [ -z "$MORE" ]; }; then OUT=$GOUT RC=$GRC S=$GS
    else sshd_run -T -C "$2"
    fi
    flags_of $RC
    if [ $RC = 0 ]; then DUMPS="$DUMPS$OUT$NL"; else
        OUT=$S
        [ "$1" = global ] && OUT=$GS
    fi
    say "$k" $RC "$F" "$h$NL$OUT"
}
# config_files: the configuration file and what it includes, in the order in which sshd reads them
config_files() {
    I=0 LISTED= MATCHES= MORE= TODO=$DCONF SEEN=$NL
    while [ -n "$TODO" ]; do
        f=${TODO%%"$NL"*}
        case $TODO in *"$NL"*) TODO=${TODO#*"$NL"} ;; *) TODO= ;; esac
        case $f$SEEN in '' | "$NL"*) continue ;; esac
        case $SEEN in *"$NL$f$NL"*) continue ;; esac
        SEEN=$SEEN$f$NL
        if [ $I -ge 64 ]; then MORE=yes; break; fi
        trust "$f"
        LISTED="$LISTED$I$TAB$S$TAB$M$TAB$O$TAB$A$TAB$f$NL"
        if [ "$S" = here ]; then
            text "sshd.$DN.file.$I" "$f"
            [ "$F" = c ] && MORE=yes
            INC=$(within 5 awk '{
                sub(/^[ \t]+/, ""); gsub(/[\r\t]/, " ")
                if ($0 ~ /^#/ || $0 == "") next
                k = $0; sub(/[ =].*/, "", k); r = substr($0, length(k) + 1); sub(/^ *=? */, "", r); k = tolower(k)
                if (k == "include") { gsub(/"/, "", r); n = split(r, p, / +/); for (i = 1; i <= n; i++) if (p[i] != "") print "I " p[i] }
                if (k == "match") print "M " r
            }' "$f")
            ADD=
            IFS=$NL
            for l in $INC; do
                case $l in
                'M '*) case $NL$MATCHES in *"$NL${l#M }$NL"*) ;; *) MATCHES="$MATCHES${l#M }$NL" ;; esac ;;
                'I '*)
                    l=${l#I }
                    case $l in /*) ;; *) l=/etc/ssh/$l ;; esac
                    set +f
                    for g in $l; do [ -e "$g" ] || [ -L "$g" ] && ADD=$ADD$g$NL; done
                    set -f
                    state "${l%/*}/."
                    [ "$S" = forbidden ] || { [ -d "${l%/*}" ] && [ ! -r "${l%/*}" ]; } && MORE=yes
                    ;;
                esac
            done
            IFS=$WS
            TODO=$ADD$TODO
        elif [ "$S" != absent ]; then MORE=yes
        fi
        I=$((I + 1))
    done
    say "sshd.$DN.files" 0 - "${LISTED%"$NL"}"
}
# matches: for each Match a connection that it fits: `CONNECTION TAB CRITERION`
matches() {
    printf '%s\n%s\n' "$PASSWD" "=$NL$MATCHES" | awk -v user="$SOMEUSER" -v addr="$SEAT" -v laddr="$HERE" -v lport="$LPORT" '
    function glob(s) { gsub(/[.+^$(){}|\\\[\]]/, "\\\\&", s); gsub(/\*/, ".*", s); gsub(/\?/, ".", s); return "^" s "$" }
    function number(ip,    o) { if (split(ip, o, ".") != 4) return -1; return ((o[1] * 256 + o[2]) * 256 + o[3]) * 256 + o[4] }
    # no ^ for powers: busybox may be built without it
    function fits(s, p,    c, w) {
        if (p ~ /\//) {
            split(p, c, "/"); if (number(s) < 0 || number(c[1]) < 0) return s == c[1]
            if (c[2] !~ /^[0-9]+$/) return 0
            for (w = 1; c[2] < 32; c[2]++) w *= 2; return int(number(s) / w) == int(number(c[1]) / w)
        }
        return s ~ glob(p)
    }
    # 1: on the list; the first negated pattern that fits decides
    function listed(s, list,    p, n, i, ok) {
        n = split(list, p, ",")
        for (i = 1; i <= n; i++)
            if (p[i] ~ /^!/) { if (fits(s, substr(p[i], 2))) return 0 } else if (fits(s, p[i])) ok = 1
        return ok
    }
    function pick(list, any, wild,    p, n, i, s) {
        n = split(list, p, ",")
        for (i = 1; i <= n; i++) {
            if (p[i] ~ /^!/) continue
            s = p[i]
            if (s == "*") s = any; else { sub(/\/.*/, "", s); gsub(/[*?]/, wild, s) }
            if (listed(s, list)) return s
        }
        return ""
    }
    function group_of(u, list,    g) {
        for (g in gid) if (listed(g, list) && (gid[g] == primary[u] || index("," member[g] ",", "," u ","))) return 1
        return 0
    }
    function someone(users, groups,    i) {
        for (i = 1; i <= nu; i++) if ((users == "" || listed(name[i], users)) && (groups == "" || group_of(name[i], groups))) return name[i]
        return (groups == "") ? pick(users, "x", "x") : ""
    }
    $0 == "=" && !body { body = 1; while ((getline l < "/etc/group") > 0) { split(l, g, ":"); gid[g[1]] = g[3]; member[g[1]] = g[4] }; next }
    !body { split($0, f, ":"); if (f[1] != "") { name[++nu] = f[1]; primary[f[1]] = f[4] }; next }
    $0 == "" { next }
    {
        line = $0; rest = $0; gsub(/"/, "", rest); gsub(/ *= */, " ", rest); n = split(rest, w, / +/)
        u = "root"; a = addr; h = ""; la = laddr; lp = lport; rd = ""; users = ""; groups = ""; bad = 0; at = 0; all = 0
        for (i = 1; i <= n && w[i] != ""; i += 2) {
            k = tolower(w[i]); v = w[i + 1]
            if (k ~ /^#/) break
            if (k == "all") { all = 1; i-- }
            else if (v == "") bad = 1
            else if (k == "user") users = v
            else if (k == "group") groups = v
            else if (k == "address") { a = pick(v, "203.0.113.77", "1"); at = 1 }
            else if (k == "host") h = pick(v, "x.example", "x")
            else if (k == "localaddress") la = pick(v, laddr, "1")
            else if (k == "localport") lp = pick(v, lport, "1")
            else if (k == "rdomain") rd = pick(v, "x", "x")
            else bad = 1
        }
        who = users != "" || groups != ""
        if (who) { anyone = 1; u = someone(users, groups) }
        if (u == "" || a == "" || la == "" || lp == "") bad = 1
        m++
        crit[m] = line; own[m] = who || bad
        tail[m] = ",host=" (h == "" ? a : h) ",addr=" a ",laddr=" la ",lport=" lp (rd == "" ? "" : ",rdomain=" rd)
        conn[m] = bad ? "-" : "user=" u tail[m]
    }
    END {
        for (i = 1; i <= m; i++) {
            print conn[i] "\t" crit[i]
            if (!own[i] && anyone && user != "") print "user=" user tail[i] "\t" crit[i]
        }
    }'
}
# daemon VIA PID EXE SERVES: one daemon that counts, with all that belongs to it
daemon() {
    DPID=$2 DEXE=${3% (deleted)} DOPTS= DCONF= NAMED=no ODD=
    pair via "$1"
    if [ -n "$DPID" ]; then pair pid "$DPID"; else miss pid absent; fi
    if [ "$DEXE" = '?' ]; then
        miss exe forbidden
        DEXE=${SSHD:-/usr/sbin/sshd}
    else pair exe "$DEXE"
    fi
    WORDS=$5
    if [ -n "$DPID" ]; then
        WORDS=$(tr '\n\0' '\001\n' <"/proc/$DPID/cmdline")
        case $WORDS in
        sshd:*) WORDS=${WORDS#sshd: } WORDS=$(printf '%s' "${WORDS%% \[listener\]*}" | tr ' ' '\n') ;;
        esac
    fi
    IFS=$NL
    # shellcheck disable=SC2086
    set -- "$4" $WORDS
    IFS=$WS
    SERVES=$1
    shift
    [ $# = 0 ] || shift
    while [ $# -gt 0 ]; do
        case $1 in
        -f) DCONF=$2 NAMED=yes; [ $# -lt 2 ] || shift ;;
        -f?*) DCONF=${1#-f} NAMED=yes ;;
        -[opg]) DOPTS="$DOPTS$1$NL$2$NL"; pair option "${1#-} $2"; [ $# -lt 2 ] || shift ;;
        -[opg]?*) DOPTS="$DOPTS$1$NL"; pair option "$1" ;;
        -[DdeiqrR46] | -De | -eD | -Dd | -Di) ;;
        '$'*) ;;
        *) ODD=yes ;;
        esac
        shift
    done
    if [ $NAMED = no ]; then
        DCONF=/etc/ssh/sshd_config
        [ -e $DCONF ] || [ ! -e /usr/etc/ssh/sshd_config ] || DCONF=/usr/etc/ssh/sshd_config
    fi
    case $DCONF in /*) ;; *) ODD=yes ;; esac
    pair config "$DCONF"
    pair named $NAMED
    trust "$DCONF"
    pair config_state "$S"
    CSTATE=$S
    pair serves_login "$SERVES"
    [ -z "$ODD" ] || pair unparsed yes
    [ $NAMED = no ] || DOPTS="$DOPTS-f$NL$DCONF$NL"
    case $CSTATE in
    here | forbidden)
        config_files
        [ -z "$MORE" ] || pair incomplete_files yes
        ;;
    esac
    pairs "sshd.$DN"
    case $CSTATE in refused | absent) return ;; esac
    if [ "$UID_NOW" != 0 ]; then say "sshd.$DN.test" 0 f forbidden
    else
        sshd_run -t
        flags_of $RC
        say "sshd.$DN.test" $RC "$F" "$S"
    fi
    WANTED=0 SENT=0
    T="host=$SEAT,addr=$SEAT,laddr=$HERE,lport=$LPORT"
    dump global - -
    dump root "user=root,$T" -
    [ -z "$SOMEUSER" ] || dump user "user=$SOMEUSER,$T" -
    if [ -n "$MATCHES" ]; then
        LIST=$(matches)
        IFS=$NL
        for row in $LIST; do
            IFS=$WS
            dump match "${row%%"$TAB"*}" "${row#*"$TAB"}"
        done
        IFS=$WS
    fi
    pair wanted $WANTED
    pair sent $SENT
    pairs "sshd.$DN.dumps"
    OUT= F=-
    LIST=$(printf '%s\n' "$GOUT" | awk 'tolower($1) == "hostkey" { print $2 }')
    [ "$GRC" = 0 ] || F=n
    IFS=$NL
    for f in $LIST; do
        state "$f.pub"
        V=
        if [ "$S" = here ]; then
            if [ $KEYGEN = no ]; then S=unsupported
            elif [ ! -r "$f.pub" ]; then S=forbidden
            else V=$(within 5 ssh-keygen -lf "$f.pub" | awk '{ print $1 "\t" $2 "\t" substr($NF, 2, length($NF) - 2) }')
            fi
        fi
        OUT="$OUT$S$TAB${V:-?$TAB?$TAB?}$TAB$f$NL"
    done
    IFS=$WS
    say "sshd.$DN.hostkeys" 0 $F "${OUT%"$NL"}"
    ALLDUMPS=$ALLDUMPS$DUMPS
    DUMPS=
}
ssh_service() {
    SSHD=$(command -v sshd) KEYGEN=no DN=0 DUMPS= ALLDUMPS= GOUT= GRC=1
    command -v ssh-keygen >/dev/null && KEYGEN=yes
    SEAT=127.0.0.1 HERE=127.0.0.1 LPORT=22
    if [ -n "$CONN" ]; then
        # shellcheck disable=SC2086
        set -- $CONN
        SEAT=$1 HERE=$3 LPORT=$4
    fi
    case $SEAT$HERE$LPORT in *[!0-9a-zA-Z.:%]*) SEAT=127.0.0.1 HERE=127.0.0.1 LPORT=22 ;; esac
    SOMEUSER=$LOGIN
    [ "$LOGIN" != root ] || SOMEUSER=$(printf '%s\n' "$USERS" | awk -F: '$2 >= 1000 && $2 < 60000 { print $1; exit }')
    # the sshd that serves this login: the topmost of our ancestors
    TOP=
    [ -z "$CONN" ] || for p in $CHAINPIDS; do
        case $TABLE in "$p$TAB"*"${TAB}sshd$TAB"* | *"$NL$p$TAB"*) TOP=$p ;; esac
    done
    EXTRA=
    IFS=$NL
    for row in $HOSTS; do
        IFS=$TAB
        # shellcheck disable=SC2086
        set -- $row
        IFS=$WS
        verdict=$1 pid=$2 name=$3 exe=$4
        [ "$name" = sshd ] || continue
        [ "$verdict" != container ] || continue
        if [ $DN -ge 8 ]; then EXTRA=too-large; break; fi
        V=no
        [ "$pid" = "$TOP" ] && { V=yes; TOP=; }
        daemon process "$pid" "$exe" $V
        DN=$((DN + 1))
    done
    IFS=$WS
    # a daemon that a socket unit starts at need
    if [ "$SYSTEMD" = yes ] && [ -n "$SSHD" ]; then
        for u in ssh sshd; do
            unit_state $u.socket
            [ "$V" = active ] || continue
            unit_state $u.service
            [ "$V" = active ] && continue
            V=$(within 5 systemctl show --no-pager -p ExecStart $u.service $u@sitewarden.service |
                awk '/argv\[\]=/ { sub(/.*argv\[\]=/, ""); sub(/ ;.*/, ""); gsub(/ /, "\n"); print; exit }')
            if [ -n "$TOP" ]; then f=yes; else f=no; fi
            TOP=
            e=${V%%"$NL"*}
            e=${e#-}
            case $e in /*) ;; *) e=$SSHD ;; esac
            daemon socket '' "$e" $f "$V"
            DN=$((DN + 1))
        done
    fi
    if [ -n "$SSHD" ]; then
        pair binary "$SSHD"
        # `sshd -V` leaves out the patch level where it knows the option at all
        V=$(if command -v ssh >/dev/null; then within 5 "$(command -v ssh)" -V; else within 5 "$SSHD" -V; fi 2>&1 | awk 'match($0, /OpenSSH_[^,]*/) { print substr($0, RSTART, RLENGTH); exit }')
        if [ -n "$V" ]; then pair version "$V"; else miss version unsupported; fi
    else miss binary absent; miss version absent
    fi
    pair keygen $KEYGEN
    pair daemons $DN
    [ -z "$TOP" ] || EXTRA=${EXTRA:-not-visible}
    [ $HIDEPID = no ] || EXTRA=${EXTRA:-forbidden}
    [ -z "$EXTRA" ] || pair incomplete "$EXTRA"
    pairs sshd
}
# --- authorized keys: kind, size, fingerprint and the names of options; never a body or a comment ------------------
authorized() {
    PATTERNS=$(printf '%s\n' "$ALLDUMPS" | awk 'tolower($1) == "authorizedkeysfile" { for (i = 2; i <= NF; i++) if (!($i in s)) { s[$i]; print $i } }')
    V=default
    if [ -n "$PATTERNS" ]; then V='sshd -T'; else PATTERNS=".ssh/authorized_keys$NL.ssh/authorized_keys2"; fi
    OUT= FILES= n=0 F=-
    IFS=$NL
    for f in $PATTERNS; do pair pattern "$f"; done
    pair from "$V"
    case $ALLDUMPS in
    '') pair command '?' ;;
    *) pair command "$(printf '%s\n' "$ALLDUMPS" | awk 'tolower($1) == "authorizedkeyscommand" && $2 != "none" { y = 1 } END { print y ? "yes" : "no" }')" ;;
    esac
    pairs keys.source
    for l in $USERS; do
        u=${l%%:*} h=${l#*:} h=${h#*:} h=${h#*:} h=${h%%:*}
        for f in $PATTERNS; do
            [ "$f" != none ] || continue
            case $f in *%*) f=$(printf '%s\n%s\n%s\n' "$f" "$u" "$h" | awk '{ l[NR] = $0 } END {
                s = l[1]; gsub(/&/, "\\\\&", l[2]); gsub(/&/, "\\\\&", l[3])
                gsub(/%%/, "\001", s); gsub(/%u/, l[2], s); gsub(/%h/, l[3], s); gsub("\001", "%", s); print s }') ;; esac
            case $f in /*) ;; *) f=${h%/}/$f ;; esac
            state "$f"
            [ "$S" = here ] && [ ! -f "$f" ] && S=refused
            [ "$S" = here ] && [ ! -r "$f" ] && S=forbidden
            [ "$S" != absent ] || continue
            n=$((n + 1))
            if [ $n -gt 64 ]; then F=c; break 2; fi
            OUT="${OUT}file$TAB$S$TAB$u$TAB$f$NL"
            [ "$S" = here ] || continue
            FILES="$FILES$u$TAB$f$NL"
        done
    done
    IFS=$WS
    # stage 1: `F<n>L<line> KIND BODY` goes to ssh-keygen alone; what is sent is made from its answer
    KEYS= n=0
    IFS=$NL
    for row in $FILES; do
        IFS=$TAB
        # shellcheck disable=SC2086
        set -- $row
        IFS=$WS
        u=$1 f=$2
        [ -n "$f" ] || continue
        n=$((n + 1))
        K=$(within 5 head -c 262144 "$f" | awk -v at="$n" '
        { sub(/\r$/, ""); sub(/^[ \t]+/, "") }
        /^#/ || $0 == "" { next }
        {
            if (++k > 200) { print "C"; exit }
            s = $0; opts = ""
            if (s !~ /^(ssh|ecdsa|sk-ssh|sk-ecdsa)-[a-zA-Z0-9@.-]+[ \t]/) {
                quoted = 0
                for (i = 1; i <= length(s); i++) {
                    c = substr(s, i, 1)
                    if (c == "\\" && substr(s, i + 1, 1) == "\"") { i++; continue }
                    if (c == "\"") quoted = !quoted
                    if (!quoted && (c == " " || c == "\t")) break
                }
                o = substr(s, 1, i - 1); s = substr(s, i); sub(/^[ \t]+/, "", s)
                opts = ""; name = ""; val = ""; quoted = 0; inval = 0
                for (i = 1; i <= length(o) + 1; i++) {
                    c = (i > length(o)) ? "," : substr(o, i, 1)
                    if (c == "\\" && substr(o, i + 1, 1) == "\"") { i++; val = val "?"; continue }
                    if (c == "\"") { quoted = !quoted; continue }
                    if (c == "," && (!quoted || i > length(o))) {
                        l = tolower(name); gsub(/[^a-z0-9-]/, "?", l); gsub(/[^!-~]|"/, "?", val)
                        if (l != "") opts = opts (opts == "" ? "" : ",") ((l == "from" || l == "expiry-time") ? l "=\"" val "\"" : l)
                        name = ""; val = ""; inval = 0; continue
                    }
                    if (c == "=" && !quoted && !inval) { inval = 1; continue }
                    if (inval) val = val c; else name = name c
                }
            }
            n = split(s, w, /[ \t]+/)
            kind = w[1]; body = w[2]
            good = kind ~ /^(ssh|ecdsa|sk-ssh|sk-ecdsa)-[a-zA-Z0-9@.-]+$/ && body ~ /^[A-Za-z0-9+\/=]+$/
            if (good) print "K\t" kind "\t" body "\tF" at "L" NR
            print "O\tF" at "L" NR "\t" NR "\t" (good ? kind : "?") "\t" (good && opts != "" ? opts : "-")
        }')
        case $K in *"${NL}C") F=c ;; esac
        KEYS="$KEYS$(printf '%s\n' "$K" | awk -v u="$u" -v f="$f" '/^O\t/ { print $0 "\t" u "\t" f; next } /^K\t/')$NL"
    done
    IFS=$WS
    PRINTS=
    if [ $KEYGEN = yes ]; then
        PRINTS=$(printf '%s' "$KEYS" | awk -F'\t' '$1 == "K" { print $2 " " $3 " " $4 }' | if [ "$BOUND" = timeout ]; then timeout 10 ssh-keygen -lf -; else ssh-keygen -lf -; fi)
    else F=${F#-}u
    fi
    V=$(printf '%s\n=\n%s' "$PRINTS" "$KEYS" | awk -F'\t' '
        !body { if ($0 == "=") { body = 1; next } split($0, w, " "); if (w[2] ~ /^[A-Z0-9]+:/) { bits[w[3]] = w[1]; print_[w[3]] = w[2] }; next }
        $1 == "O" { print "key\t" $6 "\t" $3 "\t" $4 "\t" ($2 in bits ? bits[$2] : "?") "\t" ($2 in print_ ? print_[$2] : "?") "\t" $5 "\t" $7 }')
    KEYS=
    say keys 0 "$F" "$OUT$V"
}

# --- listeners --------------------------------------------------------------------------------------------------
listeners() {
    if [ ! -r /proc/net/tcp ]; then put listen 0 a ''; return; fi
    V=/proc/net/tcp
    [ -r /proc/net/tcp6 ] && V="$V /proc/net/tcp6"
    if ls -lq / >/dev/null; then L=-lq; else L=-l; fi
    LISTEN=$(
        # shellcheck disable=SC2086
        awk '$4 == "0A" { split($2, a, ":"); print "T\t" (length(a[1]) > 8 ? "tcp6" : "tcp") "\t" a[1] "\t" a[2] "\t" $10 }' $V
        if [ "$UID_NOW" = 0 ]; then
            set +f
            within 10 ls $L /proc/[0-9]*/fd | awk '
                /^\/proc\/[0-9]+\/fd:$/ { split($0, p, "/"); pid = p[3]; next }
                match($0, /-> socket:\[[0-9]+\]$/) { print "S\t" substr($0, RSTART + 11, RLENGTH - 12) "\t" pid }'
            set -f
        fi
    )
    say listen 0 - "$(printf '%s\n' "$LISTEN" | awk -F'\t' -v all="$UID_NOW" '
        function hex(s,    i, v) { s = tolower(s); v = 0; for (i = 1; i <= length(s); i++) v = v * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1; return v }
        $1 == "T" { line[++n] = $2 "\t" $3 "\t" hex($4) "\t" $5; inode[n] = $5; want[$5] }
        $1 == "S" && $2 in want { if (!($2 in pid) || $3 + 0 < pid[$2] + 0) pid[$2] = $3 }
        END {
            for (i = 1; i <= n; i++) {
                p = all == 0 ? "-" : "?"; c = p
                if (inode[i] in pid) {
                    p = pid[inode[i]]; c = "?"; f = "/proc/" p "/comm"
                    if ((getline c < f) <= 0) c = "?"
                    close(f); gsub(/[^ -~]/, "?", c)
                }
                print line[i] "\t" p "\t" c
            }
        }')"
}
# --- paths ------------------------------------------------------------------------------------------------------
PATHS= STATS= NP=0 PCUT=-
# add ROLE NAMED_BY PATH
add() {
    NP=$((NP + 1))
    if [ $NP -gt 2000 ]; then PCUT=c S=too-large; return; fi
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
    LIST=$(within 10 find "$2/" -xdev | head -n 1001)
    role=$1 named=${3:--} top=$2
    IFS=$NL
    # shellcheck disable=SC2086
    set -- $LIST
    IFS=$WS
    for p in "$@"; do
        if [ -d "$p" ] && [ ! -L "$p" ] && { [ ! -r "$p" ] || [ ! -x "$p" ]; }; then
            PATHS="${PATHS}forbidden$TAB$role${TAB}listing$TAB${p%/}$NL"
        fi
        case $p in */) continue ;; esac
        p=$top/${p#"$top/"}
        add "$role" "$named" "$p"
    done
    [ $# -le 1000 ] || { PCUT=c PATHS="${PATHS}too-large$TAB$role${TAB}listing$TAB$top$NL"; }
}
known() {
    :
#@LAYOUTS@
}

# --- components -------------------------------------------------------------------------------------------------
FI=0 FILETABLE=
# config COMPONENT PURPOSE PID PATH [READ_AT]: the text of a configuration file, if it may be trusted
config() {
    case $4 in /*) ;; *) return 1 ;; esac
    [ $FI -lt 128 ] || return 1
    trust "${5:-$4}"
    FILETABLE="$FILETABLE$FI$TAB$S$TAB$1$TAB$2$TAB$3$TAB$M$TAB$4$NL"
    [ "$S" != here ] || text "file.$FI" "${5:-$4}"
    FI=$((FI + 1))
    [ "$S" = here ]
}
# inside PID PATH: V is where a container's file can be read without any link leading out of it
inside() {
    V=/proc/$1/root left=$2 links=0
    while [ -n "$left" ]; do
        left=${left#/}
        c=${left%%/*}
        case $left in */*) left=/${left#*/} ;; *) left= ;; esac
        case $c in '' | .) continue ;; ..) return 1 ;; esac
        if [ -L "$V/$c" ]; then
            links=$((links + 1))
            [ $links -lt 8 ] || return 1
            t=$(readlink "$V/$c") || return 1
            case /$t/ in // | //* | */../*) return 1 ;; esac
            left=/$t$left
        else V=$V/$c
        fi
    done
}
# named COMPONENT PID: the paths that a process names, and the text of its configuration files
named() {
    PODDIR=
    FLAGS=$(tr '\n\0' '\001\n' <"/proc/$2/cmdline" | awk '
        BEGIN { n = split("config config-dir kubeconfig bootstrap-kubeconfig client-ca-file tls-cert-file tls-private-key-file cert-dir pod-manifest-path cni-conf-dir data-dir cert-file key-file trusted-ca-file peer-cert-file peer-key-file peer-trusted-ca-file root-ca-file authentication-kubeconfig authorization-kubeconfig", w, " "); for (i = 1; i <= n; i++) want[w[i]] }
        p != "" { v[p] = $0; p = ""; next }
        /^--?[a-z]/ { k = $0; sub(/^--?/, "", k); x = index(k, "="); val = ""
            if (x) { val = substr(k, x + 1); k = substr(k, 1, x - 1) }
            if (k in want) { if (x) v[k] = val; else p = k } }
        END { for (k in v) if (v[k] ~ /^\//) print k "\t" v[k] }')
    DOC=
    IFS=$NL
    for row in $FLAGS; do
        IFS=$WS
        flag=${row%%"$TAB"*} path=${row#*"$TAB"}
        case $flag in
        config)
            role=$1-config
            if config "$1" config "$2" "$path"; then DOC=$path; fi
            ;;
        config-dir) role=$1-config ;;
        kubeconfig | *-kubeconfig) role=$1-kubeconfig ;;
        client-ca-file) role=pki; [ "$1" = kubelet ] && role=kubelet-ca ;;
        data-dir) role=etcd-data; [ "$1" = etcd ] || continue ;;
        cni-conf-dir) role=cni ;;
        pod-manifest-path) PODDIR=$path FROM=flag; continue ;;
        *) role=pki ;;
        esac
        add "$role" "--$flag of $1" "$path"
        case $flag in
        config-dir)
            LIST=$(within 5 find "$path/" -name '*.conf' | sort | head -n 64)
            IFS=$NL
            for p in $LIST; do
                IFS=$WS
                p=$path/${p#"$path/"}
                add "$role" "--$flag of $1" "$p"
                config "$1" drop-in "$2" "$p"
            done
            ;;
        cni-conf-dir) tree cni "$path" "--$flag of $1" ;;
        cert-dir) tree pki "$path" "--$flag of $1" ;;
        esac
    done
    IFS=$WS
    [ -n "$DOC" ] || return 0
    LIST=$(awk '{ gsub(/["'\'',\r]/, ""); sub(/^[ \t{]+/, "") }
        match($0, /^(clientCAFile|tlsCertFile|tlsPrivateKeyFile|staticPodPath):[ \t]*\//) { k = $0; sub(/:.*/, "", k); v = $0; sub(/^[^:]*:[ \t]*/, "", v); sub(/[ \t]+(#.*)?$/, "", v); print k "\t" v }' "$DOC")
    IFS=$NL
    for row in $LIST; do
        IFS=$WS
        flag=${row%%"$TAB"*} path=${row#*"$TAB"}
        case $flag in
        staticPodPath) [ -n "$PODDIR" ] || { PODDIR=$path FROM=config; } ;;
        clientCAFile) role=pki; [ "$1" = kubelet ] && role=kubelet-ca; add "$role" "$flag in $DOC" "$path" ;;
        *) add pki "$flag in $DOC" "$path" ;;
        esac
    done
    IFS=$WS
}
# manifests DIR: the static pods of the components
manifests() {
    state "$1"
    [ "$S" = here ] && { [ ! -r "$1" ] || [ ! -x "$1" ]; } && S=forbidden
    case $S in here) pair dir "$1" ;; *) pair "dir_$S" "$1"; return ;; esac
    dir=$1
    set +f; set -- "$1"/*; set -f
    for p in "$@"; do
        c=
        case ${p##*/} in
        *.bak | *~) ;;
        *kube-apiserver*) c=kube-apiserver ;;
        *kube-controller-manager*) c=kube-controller-manager ;;
        *kube-scheduler*) c=kube-scheduler ;;
        *kube-proxy*) c=kube-proxy ;;
        *etcd*) c=etcd ;;
        esac
        [ -n "$c" ] || continue
        case $dir in /etc/kubernetes/manifests | /var/lib/rancher/rke2/agent/pod-manifests) ;; *) add "$c-manifest" "$FROM of kubelet" "$p" ;; esac
        config "$c" manifest - "$p"
    done
}
components() {
    PODDIRS= FROM=layout VERSIONS=
    IFS=$NL
    for row in $HOSTS; do
        IFS=$TAB
        # shellcheck disable=SC2086
        set -- $row
        IFS=$WS
        case $1:$3 in
        *:sshd) continue ;;
        container:kube-proxy | container:kube-scheduler | container:kube-controller-manager)
            path=$(tr '\n\0' '\001\n' <"/proc/$2/cmdline" | awk 'p { print; exit } $0 == "--config" { p = 1 } /^--config=/ { print substr($0, 10); exit }')
            case $path in
            /*)
                if inside "$2" "$path"; then config "$3" config "$2" "$path" "$V"
                else
                    FILETABLE="$FILETABLE$FI${TAB}refused$TAB$3${TAB}config$TAB$2$TAB?$TAB$path$NL"
                    FI=$((FI + 1))
                fi
                ;;
            esac
            continue
            ;;
        container:*) continue ;;
        esac
        case $3 in k3s | rke2 | kubelite | hyperkube) ;; *) named "$3" "$2" ;; esac
        [ "$3" = kubelet ] && [ -n "$PODDIR" ] && PODDIRS="$PODDIRS$PODDIR$NL"
        case $1:$4:$VERSIONS in
        host-by-unit:* | *'(deleted)':* | *" $3 "*) ;;
        *)
            case $3 in kubelite) continue ;; esac
            VERSIONS="$VERSIONS $3 "
            OUT=$(within 5 "$4" --version)
            RC=$?
            flags_of $RC
            say "version.$3" $RC "$F" "$(printf '%.300s' "$OUT")"
            ;;
        esac
    done
    IFS=$WS
    for u in kubelet.service kube-proxy.service etcd.service kube-apiserver.service kube-controller-manager.service kube-scheduler.service \
        k3s.service k3s-agent.service rke2-server.service rke2-agent.service snap.microk8s.daemon-kubelite.service snap.kubelet.daemon.service; do
        case $UNITS in *"Id=$u"*) ;; *) continue ;; esac
        case $u in etcd.* | kube-*) c=${u%.service} ;; *) c=kubelet ;; esac
        LIST=$(printf '%s\n' "$UNITS" | awk -v unit="$u" '
            /^Id=/ { id = substr($0, 4) } /^$/ { if (id == unit) exit; n = 0; id = ""; next } { l[++n] = $0 }
            END { if (id == unit) for (i = 1; i <= n; i++) {
                if (l[i] ~ /^FragmentPath=\//) print "unit\t" substr(l[i], 14)
                if (l[i] ~ /^DropInPaths=\//) { k = split(substr(l[i], 13), p, " "); for (j = 1; j <= k; j++) print "unit\t" p[j] }
                if (l[i] ~ /^EnvironmentFiles=\//) { v = substr(l[i], 18); sub(/ \(ignore_errors=(yes|no)\)$/, "", v); print "environment\t" v }
            } }')
        IFS=$NL
        for row in $LIST; do
            IFS=$WS
            path=${row#*"$TAB"}
            add "$c-service" "${row%%"$TAB"*} of $u" "$path"
            config "$c" "${row%%"$TAB"*}" - "$path"
        done
        IFS=$WS
    done
    for p in /var/snap/microk8s/current/args/kubelet /var/snap/microk8s/current/args/kube-proxy /var/snap/microk8s/current/args/kube-apiserver; do
        state $p
        [ "$S" = absent ] || config "${p##*/}" environment - $p
    done
    for p in /etc/kubernetes/manifests /var/lib/rancher/rke2/agent/pod-manifests; do
        case $NL$PODDIRS in *"$NL$p$NL"*) ;; *) PODDIRS="$PODDIRS$p$NL" ;; esac
    done
    pair from "$FROM"
    IFS=$NL
    for p in $PODDIRS; do
        IFS=$WS
        manifests "${p%/}"
    done
    IFS=$WS
    pairs static-pods
    say files 0 - "${FILETABLE%"$NL"}"
}
layout() {
    known
    say paths 0 $PCUT "${PATHS%"$NL"}"
    IFS=$NL
    # shellcheck disable=SC2086
    set -- $STATS
    IFS=$WS
    if [ $# = 0 ]; then say stat 0 - ''; return; fi
    OUT=$(within 15 stat -c "%F$TAB%a$TAB%u$TAB%g$TAB%U$TAB%G$TAB%Y$TAB%n" "$@")
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
        V=$(within 10 awk '
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
host
mounts
units
processes
users
ssh_service
authorized
listeners
components
layout
certificates
printf '@ %s END %s\n' "$N" "$COUNT"
exit
}
