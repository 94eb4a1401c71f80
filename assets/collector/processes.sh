# Which processes call themselves sshd or a component, and which of them count.
# A part of ../collector.sh, which has what is used here.
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
        if (comm == "kured") kured = 1
        a = first(dir "/cmdline"); sub(/[^ -~].*/, "", a)
        title = ""
        if (a ~ /^sshd(-session|-auth)?: /) { b = "sshd"; title = (a ~ /\[listener\]/) ? "" : "title" }
        else b = base(a)
        if (b == "sshd-session" || b == "sshd-auth" || comm ~ /^sshd-(session|auth)$/) title = "title"
        k = (b in name) ? name[b] : (comm in name) ? name[comm] : ""
        if (k == "") next
        uid = "?"
        while ((getline l < (dir "/status")) > 0) if (l ~ /^Uid:/) { split(l, u, /[ \t]+/); uid = u[3] }
        close(dir "/status")
        cg = "-"
        while ((getline l < (dir "/cgroup")) > 0)
            if (l ~ /^[0-9]+:name=systemd:/) { cg = l; sub(/^[0-9]+:name=systemd:/, "", cg); break }
            else if (l ~ /^0::/) cg = substr(l, 4)
        close(dir "/cgroup")
        # processes of ordinary users never count: however many there are, they crowd out none that may
        if (uid ~ /^[1-9]/ && cg ~ /^(\/[^\/]*)?\/user\.slice\// && cg !~ /kubepods|k8s\.io/) { if (++users > 50) next }
        else if (++seen > 200) next
        print "P\t" pid "\t" f[2] "\t" uid "\t" comm "\t" f[20] "\t" k "\t" (title == "" ? "-" : title) "\t" clean(cg)
    }
    END {
        if (seen > 200) print "C"
        if (kured) print "R"
        for (p = self; p > 0 && i++ < 64; p = parent[p]) { print "L\t" p "\t" called[p]; if (p == 1) break }
    }')
    set -f
    # the cgroup below which the system's units live, as seen from here
    ROOTCG=
    if [ -r /proc/1/cgroup ]; then
        while IFS= read -r row; do
            case $row in
            [0-9]*:name=systemd:*) ROOTCG=${row#*:name=systemd:}; break ;;
            0::*) ROOTCG=${row#0::} ;;
            esac
        done </proc/1/cgroup
        ROOTCG=${ROOTCG%/init.scope}
        ROOTCG=${ROOTCG%/}
    fi
    CHAIN= CHAINPIDS=' ' ROOTSSHD=' ' EXES= CUT=- PIDS= KURED=no
    # its last lines are always there
    case $LIST in *"L$TAB$SELF$TAB"*) ;; *) CUT=c ;; esac
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
        R) KURED=yes ;;
        esac
    done
    IFS=$WS
    # shellcheck disable=SC2086
    [ -z "$PIDS" ] || EXES=$NL$(bound 5 stat -L -c '%n %u %a' $PIDS)$NL
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
        case $S in host | host-* | login | container) HOSTS="$HOSTS$S$TAB$pid$TAB$name$TAB$exe$TAB$unit$NL" ;; esac
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
