# The files that the components name.
# A part of ../collector.sh, which has what is used here.
FI=0 FILETABLE= FCUT=-
# config COMPONENT PURPOSE PID PATH [READ_AT]: the text of a configuration file, if it may be trusted
config() {
    case $4 in /*) ;; *) return 1 ;; esac
    if [ $FI -ge 128 ]; then FCUT=c; return 1; fi
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
# arguments PID [LINE]: one a line, of a process, else of the line that k3s has said of a component within it
arguments() {
    case ${2:-} in
    '') tr '\n\0' '\001\n' <"/proc/$1/cmdline" ;;
    *) printf '%s\n' "$2" | awk '{ sub(/^.*msg="Running [a-z-]+ /, ""); sub(/"[^"]*$/, ""); gsub(/\\"/, "\""); gsub(/ --/, "\n--"); print }' ;;
    esac
}
# named COMPONENT PID [LINE]: the paths that a process names, and the text of its configuration files
named() {
    PODDIR=
    FLAGS=$(arguments "$2" "${3:-}" | awk '
        BEGIN { n = split("config config-file config-dir kubeconfig bootstrap-kubeconfig client-ca-file tls-cert-file tls-private-key-file cert-dir pod-manifest-path cni-conf-dir data-dir cert-file key-file trusted-ca-file peer-cert-file peer-key-file peer-trusted-ca-file root-ca-file authentication-kubeconfig authorization-kubeconfig", w, " "); for (i = 1; i <= n; i++) want[w[i]] }
        p != "" { v[p] = $0; p = ""; next }
        /^--?[a-z]/ { k = $0; sub(/^--?/, "", k); x = index(k, "="); val = ""
            if (x) { val = substr(k, x + 1); k = substr(k, 1, x - 1) }
            if (k in want) { if (x) v[k] = val; else p = k } }
        END { for (k in v) if (v[k] ~ /^\//) print k "\t" v[k] }')
    DOCS=
    IFS=$NL
    for row in $FLAGS; do
        IFS=$WS
        flag=${row%%"$TAB"*} path=${row#*"$TAB"}
        case $flag in
        config)
            role=$1-config
            if config "$1" config "$2" "$path"; then DOCS=$path$NL$DOCS; fi
            ;;
        config-file)
            [ "$1" = etcd ] || continue
            role=etcd-config
            config etcd config "$2" "$path"
            ;;
        config-dir) role=$1-config ;;
        kubeconfig | *-kubeconfig) role=$1-kubeconfig ;;
        client-ca-file) role=pki; [ "$1" = kubelet ] && role=kubelet-ca ;;
        data-dir) role=etcd-data; [ "$1" = etcd ] || continue ;;
        cni-conf-dir) role=cni-config ;;
        pod-manifest-path) PODDIR=$path FROM=flag; continue ;;
        *) role=pki ;;
        esac
        add "$role" "--$flag of $1" "$path"
        case $flag in
        config-dir)
            # the folder itself: whether all of it could be listed
            state "$path"
            [ "$S" = here ] && { [ -d "$path" ] || S=refused; }
            [ "$S" = here ] && { [ -r "$path" ] && [ -x "$path" ] || S=forbidden; }
            FILETABLE="$FILETABLE$FI$TAB$S$TAB$1${TAB}drop-in$TAB$2$TAB?$TAB$path$NL"
            FI=$((FI + 1))
            LIST=$(bound 5 find "$path/" -name '*.conf' | sort | head -n 65)
            case $LIST in *"$NL"*) [ "$(printf '%s\n' "$LIST" | wc -l)" -le 64 ] || FCUT=c LIST=$(printf '%s\n' "$LIST" | head -n 64) ;; esac
            IFS=$NL
            for p in $LIST; do
                IFS=$WS
                p=$path/${p#"$path/"}
                add "$role" "--$flag of $1" "$p"
                if config "$1" drop-in "$2" "$p"; then DOCS=$DOCS$p$NL; fi
            done
            ;;
        cni-conf-dir) tree cni-config "$path" "--$flag of $1" ;;
        cert-dir) tree pki "$path" "--$flag of $1" ;;
        esac
    done
    IFS=$WS
    # the files in the order in which each is over those before it
    FROMFLAG=$PODDIR
    IFS=$NL
    for DOC in $DOCS; do
        LIST=$(awk '{ gsub(/["'\'',\r]/, ""); sub(/^[ \t{]+/, "") }
            match($0, /^(clientCAFile|tlsCertFile|tlsPrivateKeyFile|staticPodPath):[ \t]*\//) { k = $0; sub(/:.*/, "", k); v = $0; sub(/^[^:]*:[ \t]*/, "", v); sub(/[ \t]+(#.*)?$/, "", v); print k "\t" v }' "$DOC")
        for row in $LIST; do
            IFS=$WS
            flag=${row%%"$TAB"*} path=${row#*"$TAB"}
            case $flag in
            staticPodPath) [ -n "$FROMFLAG" ] || { PODDIR=$path FROM=config; } ;;
            clientCAFile) role=pki; [ "$1" = kubelet ] && role=kubelet-ca; add "$role" "$flag in $DOC" "$path" ;;
            *) add pki "$flag in $DOC" "$path" ;;
            esac
            IFS=$NL
        done
    done
    IFS=$WS
}
# within PID UNIT: what k3s has said since its start of the components that it runs within itself, the first line about each:
# once a start, in pkg/daemons/control/server.go and pkg/daemons/agent/agent.go of k3s. Nobody else can write to the
# journal as this process.
within_k3s() {
    RUN= OUT= F=u WANT=5
    if command -v journalctl >/dev/null; then
        F=n RUN=$(bound 5 systemctl show --no-pager -p InvocationID -- "${2%%/*}")
        RUN=${RUN#InvocationID=}
    fi
    case $(tr '\0' ' ' <"/proc/$1/cmdline") in *'k3s agent '*) WANT=2 ;; esac
    case $RUN in
    '' | *[!0-9a-f]*) ;;
    *)
        # what is said at the start comes first: a journal of months is not read to its end
        OUT=$(bound 10 journalctl --no-pager -q -o cat "_SYSTEMD_INVOCATION_ID=$RUN" "_PID=$1" | awk -v want=$WANT '
            /msg="Running (kubelet|kube-proxy|kube-apiserver|kube-controller-manager|kube-scheduler) --/ {
                s = $0; sub(/^.*msg="Running /, "", s); sub(/ .*/, "", s)
                if (!(s in seen)) { seen[s]; print; if (++n == want) exit }
            }' | head -c $CAP)
        [ "$UID_NOW" = 0 ] || F=f
        ;;
    esac
    [ -z "$OUT" ] || F=-
    say "within.$1" 0 "$F" "$OUT"
    IFS=$NL
    for LINE in $OUT; do
        IFS=$WS
        c=${LINE#*'msg="Running '}
        named "${c%% *}" "$1" "$LINE"
        case $LINE in
        *'msg="Running kubelet '*) [ -z "$PODDIR" ] || PODDIRS="$PODDIRS$PODDIR$NL" ;;
        *' --etcd-certfile=/'*/tls/etcd/client.crt' '*)
            # where etcd runs within it too, this file has all its settings (pkg/daemons/executor/executor.go, ToConfigFile)
            p=${LINE#*' --etcd-certfile='}
            p=${p%%/tls/etcd/client.crt*}/db/etcd/config
            [ ! -e "$p" ] || config etcd config "$1" "$p"
            ;;
        esac
    done
    IFS=$WS
}
# manifests DIR: the static pods of the components
manifests() {
    state "$1"
    [ "$S" = here ] && { [ ! -r "$1" ] || [ ! -x "$1" ]; } && S=forbidden
    case $S in here) pair dir "$1" ;; *) pair "dir_$S" "$1"; return ;; esac
    dir=$1 others=0
    # a leading dot hides a file from the kubelet as well
    set +f; set -- "$1"/*; set -f
    for p in "$@"; do
        [ -f "$p" ] || [ -L "$p" ] || continue
        c=-
        case ${p##*/} in
        *kube-apiserver*) c=kube-apiserver ;;
        *kube-controller-manager*) c=kube-controller-manager ;;
        *kube-scheduler*) c=kube-scheduler ;;
        *kube-proxy*) c=kube-proxy ;;
        *etcd*) c=etcd ;;
        *)
            others=$((others + 1))
            if [ $others -gt 32 ]; then FCUT=c ALL=no; continue; fi
            ;;
        esac
        if [ $c != - ]; then
            case $dir in /etc/kubernetes/manifests | /var/lib/rancher/rke2/agent/pod-manifests) ;; *) add "$c-manifest" "$FROM of kubelet" "$p" ;; esac
        fi
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
        container:kube-proxy | container:kube-scheduler | container:kube-controller-manager | container:etcd)
            path=$(tr '\n\0' '\001\n' <"/proc/$2/cmdline" | awk 'p { print; exit } /^--?config(-file)?$/ { p = 1 } /^--?config(-file)?=/ { sub(/^[^=]*=/, ""); print; exit }')
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
        case $3 in
        k3s) [ -z "${5:-}" ] || within_k3s "$2" "$5" ;;
        rke2 | kubelite | hyperkube) ;;
        *) named "$3" "$2" ;;
        esac
        [ "$3" = kubelet ] && [ -n "$PODDIR" ] && PODDIRS="$PODDIRS$PODDIR$NL"
        case $1:$4:$VERSIONS in
        host-by-unit:* | *'(deleted)':* | *" $3 "*) ;;
        *)
            case $3 in kubelite) continue ;; esac
            VERSIONS="$VERSIONS $3 "
            OUT=$(bound 5 "$4" --version)
            RC=$?
            flags_of $RC
            say "version.$3" $RC "$F" "$(printf '%.300s' "$OUT")"
            ;;
        esac
    done
    IFS=$WS
    # UNIT TAB unit|environment TAB PATH, for the first answer about each unit
    UNITFILES=$(printf '%s\n' "$UNITS" | awk '
        function out(    i, j, k, p, v) {
            if (id != "" && !(id in seen)) for (i = 1; i <= n; i++) {
                if (l[i] ~ /^FragmentPath=\//) print id "\tunit\t" substr(l[i], 14)
                if (l[i] ~ /^DropInPaths=\//) { k = split(substr(l[i], 13), p, " "); for (j = 1; j <= k; j++) print id "\tunit\t" p[j] }
                if (l[i] ~ /^EnvironmentFiles=\//) { v = substr(l[i], 18); sub(/ \(ignore_errors=(yes|no)\)$/, "", v); print id "\tenvironment\t" v }
            }
            seen[id]; n = 0; id = ""
        }
        /^$/ { out(); next } /^Id=/ { id = substr($0, 4) } { l[++n] = $0 }
        END { out() }')
    for u in kubelet.service kube-proxy.service etcd.service kube-apiserver.service kube-controller-manager.service kube-scheduler.service \
        k3s.service k3s-agent.service rke2-server.service rke2-agent.service snap.microk8s.daemon-kubelite.service snap.kubelet.daemon.service; do
        case $UNITS in *"Id=$u"*) ;; *) continue ;; esac
        case $u in etcd.* | kube-*) c=${u%.service} ;; *) c=kubelet ;; esac
        IFS=$NL
        for row in $UNITFILES; do
            IFS=$WS
            case $row in "$u$TAB"*) row=${row#*"$TAB"} ;; *) continue ;; esac
            path=${row#*"$TAB"}
            case $row in environment*) role=$c-environment ;; *) role=$c-service ;; esac
            add "$role" "${row%%"$TAB"*} of $u" "$path"
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
    ALL=yes
    IFS=$NL
    for p in $PODDIRS; do
        IFS=$WS
        manifests "${p%/}"
    done
    IFS=$WS
    [ $FCUT = - ] || ALL=no
    pair all $ALL
    pairs static-pods
    say files 0 $FCUT "${FILETABLE%"$NL"}"
}
