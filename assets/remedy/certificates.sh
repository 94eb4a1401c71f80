# Certificates of kubeadm: kept, put back, and the static pods that hold them made anew. Lines of a change call these in a
# shell of their own, together with checks.sh.
# shellcheck shell=sh disable=SC2154
# certificates_to FOLDER: copies of the certificates, keys and kubeconfigs
certificates_to() {
    rm -rf "$1.part"
    (umask 077 && mkdir -p "$1.part/pki") && chmod 700 "${1%/*}" "$1.part" || return 1
    cp -a /etc/kubernetes/pki/. "$1.part/pki/" || return 1
    find /etc/kubernetes/ -maxdepth 1 -type f -name '*.conf' -exec cp -a {} "$1.part/" \; || return 1
    certificates_are "$1.part" && sync && mv "$1.part" "$1"
}
# certificates_are FOLDER: whether they are still as in these copies; else says which one is not
certificates_are() {
    [ -d "$1" ] || { echo "$1 is not there"; return 1; }
    (cd "$1" && find . -type f) | while read -r FILE; do
        FILE=${FILE#./}
        [ "$(sha256sum <"$1/$FILE")" = "$(sha256sum <"/etc/kubernetes/$FILE")" ] && continue
        echo "/etc/kubernetes/$FILE is not as in $1"
        exit 1
    done
}
# certificates_from FOLDER: back as in these copies; a file at a time, each by a rename
certificates_from() {
    [ -d "$1" ] || { echo "$1 is not there"; return 1; }
    (cd "$1" && find . -type f) | while read -r FILE; do
        FILE=${FILE#./}
        TO=/etc/kubernetes/$FILE
        [ "$(sha256sum <"$1/$FILE")" != "$(sha256sum <"$TO")" ] || continue
        NEW=${TO%/*}/.sitewarden-${TO##*/}
        cp -a "$1/$FILE" "$NEW" && mv -f "$NEW" "$TO" && continue
        rm -f "$NEW"
        echo "$TO could not be written"
        exit 1
    done && sync
}
# held MANIFEST: HELD is where it lies while its pod is to be away, outside of the folder
held() { HELD=${1%/*/*}/.sitewarden-held-${1##*/}; }
# manifests_in MANIFEST...: those that are still held come back into the folder
manifests_in() {
    for MANIFEST; do
        held "$MANIFEST"
        # a line that the switch overtook may be at the same
        [ ! -e "$HELD" ] || [ -e "$MANIFEST" ] || mv "$HELD" "$MANIFEST" 2>/dev/null || [ -e "$MANIFEST" ] || return 1
    done
    TRIES=60
    until [ "$TRIES" = 0 ] || [ -z "$(processes kubeadm)" ]; do
        TRIES=$((TRIES - 1))
        sleep 1
    done
}
# no_back_off CONDITION...: where all of them hold the kubelet begins anew, and with it the time for which it lets a component
# wait that ended several times. Pods run on. It gets time to read from the API what it must know before it starts anything
# anew: without the API it could not, so the conditions are those of the API server. At boot all that is so by itself
no_back_off() {
    [ -z "${BOOTING:-}" ] || return 0
    for CONDITION; do eval "$CONDITION" || return 0; done
    systemctl restart kubelet 2>/dev/null || return 0
    serves_within kubelet 60 'unit_up kubelet 20' || true
}
# processes COMM: the numbers of its processes
processes() {
    set +f
    for PROC in /proc/[0-9]*; do
        [ "$(cat "$PROC/comm" 2>/dev/null)" != "$1" ] || echo "${PROC#/proc/}"
    done
}
# ended NUMBER...: whether one of these processes is gone
ended() {
    for NUMBER; do [ -d "/proc/$NUMBER" ] || return 0; done
    return 1
}
# stopped COMM: the component's container is stopped, and the kubelet starts it anew at once; fails where none runs, or nothing
# here can do it
stopped() {
    # the kernel cuts a name after 15 letters
    case $1 in ???????????????) C="^$1" ;; *) C="^$1\$" ;; esac
    C=$(crictl ps -q --state Running --name "$C" --label io.kubernetes.pod.namespace=kube-system 2>/dev/null)
    # shellcheck disable=SC2086
    [ -n "$C" ] && within 60 crictl --timeout 50s stop --timeout 30 $C >/dev/null 2>&1
}
# away_and_back COMM MANIFEST PROCESS...: the kubelet ends the pod when its manifest leaves the folder, and makes it anew when
# it is back
away_and_back() {
    COMM_OF=$1 MANIFEST=$2
    shift 2
    held "$MANIFEST"
    mv "$MANIFEST" "$HELD" 2>/dev/null || [ -e "$HELD" ] || { echo "$MANIFEST is not there"; return 1; }
    TRIES=90
    until [ "$TRIES" = 0 ] || ended "$@"; do
        # one that fails all the time may have no process just now: the kubelet gets time to see
        [ $# != 0 ] || [ "$TRIES" -gt 80 ] || break
        TRIES=$((TRIES - 1))
        sleep 1
    done
    mv "$HELD" "$MANIFEST" 2>/dev/null || [ -e "$MANIFEST" ] || return 1
    [ "$TRIES" != 0 ] || { echo "$COMM_OF did not end when its manifest was away"; return 1; }
}
# pod_again COMM MANIFEST SECONDS CONDITION...: the component starts anew, and then all conditions hold within the time. Without
# its manifest a kubelet waits for the API to forget the pod, minutes where etcd is what is away: only where its container
# cannot be stopped. At boot all pods are made anew by themselves
pod_again() {
    COMM_OF=$1 MANIFEST=$2 LEFT=$3
    shift 3
    [ -z "${BOOTING:-}" ] || return 0
    WERE=$(processes "$COMM_OF")
    # shellcheck disable=SC2086
    stopped "$COMM_OF" || away_and_back "$COMM_OF" "$MANIFEST" $WERE || return 1
    serves_within "$COMM_OF" "$LEFT" "$@"
}
# serves_within COMM SECONDS CONDITION...: waits until all of them hold
serves_within() {
    COMM_OF=$1 END=$(($(date +%s) + $2))
    shift 2
    for CONDITION; do
        until eval "$CONDITION"; do
            [ "$(date +%s)" -lt "$END" ] || { echo "$COMM_OF does not serve again: $CONDITION"; return 1; }
            sleep 1
        done
    done
}
