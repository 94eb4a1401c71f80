# Encryption of Secrets in etcd: the file with the key, which of its providers is the first, and every Secret written anew.
# Lines of a change call these in a shell of their own, together with checks.sh and certificates.sh. Nothing of a key or of a
# Secret is said or is an argument of a program, and nothing of it but the key's own file goes to the disk.
# shellcheck shell=sh disable=SC2154
# key_there CONFIG: the file is there: as it lay there before an undo put it away, else with a new key
key_there() {
    [ ! -e "$1" ] || return 0
    if [ -e "$1.away" ]; then mv "$1.away" "$1"; return; fi
    (
        umask 077
        KEY=$(head -c 32 /dev/urandom | base64 | tr -d '\n')
        [ "${#KEY}" = 44 ] || exit 1
        printf '%s\n' 'apiVersion: apiserver.config.k8s.io/v1' 'kind: EncryptionConfiguration' 'resources:' '- resources: [secrets]' \
            '  providers:' '  - secretbox:' '      keys:' '      - name: key1' "        secret: $KEY" '  - identity: {}' >"$1.part"
    ) && sync && mv "$1.part" "$1" && return 0
    rm -f "$1.part"
    echo "$1 could not be written"
    return 1
}
# key_away CONFIG: where no Secret needs it any more: it is kept, since copies of etcd may need it
key_away() {
    [ -e "$1" ] || return 0
    ETCD=$2 PREFIX=$3
    [ "$(sealed)" = 0 ] || { echo "some Secrets are still encrypted, so $1 stays"; return 1; }
    mv "$1" "$1.away"
}
# provider CONFIG: the first one
provider() { sed -n 's/^  - \([a-z]*\):.*/\1/p' "$1" | head -n 1; }
# put_first CONFIG PROVIDER: fails where the file is not as key_there makes it
put_first() {
    # shellcheck disable=SC2016
    (umask 077 && awk -v want="$2" '
        /^- / { lists++ } /^  - / { providers++ }
        /^  - secretbox:/ { at = "s" } /^  - identity:/ { at = "i" }
        at == "s" { s = s $0 "\n"; next }
        at == "i" { i = i $0 "\n"; next }
        { print }
        END {
            if (lists != 1 || providers != 2 || s == "" || i == "") exit 1
            printf "%s", want == "identity" ? i s : s i
        }' "$1" >"$1.part") && sync && mv "$1.part" "$1" && return 0
    rm -f "$1.part"
    echo "$1 is not as it was made: which provider is the first is to be changed by hand"
    return 1
}
kube() { within 300 kubectl --kubeconfig /etc/kubernetes/admin.conf --request-timeout 60s "$@"; }
# of_etcd WORD...: what etcdctl says, the node's own or the one in etcd's container
of_etcd() {
    eval "set -- $ETCD \"\$@\""
    if command -v etcdctl >/dev/null; then
        ETCDCTL_API=3 etcdctl "$@"
    else
        C=$(crictl ps -q --state Running --name '^etcd$' --label io.kubernetes.pod.namespace=kube-system | head -n 1)
        crictl exec "$C" etcdctl "$@"
    fi
}
# counted PATTERN WORD...: how often it is in what etcd says of the Secrets; fails where it does not say all. In JSON, where
# keys and values are in base64: what is in a Secret cannot look like something else
counted() {
    PATTERN=$1
    shift
    { of_etcd get "$PREFIX/secrets/" --prefix -w json "$@" && echo end-of-secrets; } 2>/dev/null |
        grep -o -e "$PATTERN" -e '^end-of-secrets$' |
        awk '/^end-of-secrets$/ { whole = 1; next } { n++ } END { if (!whole) exit 1; print n + 0 }'
}
# sealed: how many Secrets are encrypted in etcd: those that begin with k8s:enc:
sealed() { counted '"value":"azhzOmVuYz[opqr]'; }
# secrets_written PROVIDER: every Secret is read and written as it is, until etcd has all of them as that provider writes them
secrets_written() {
    for ROUND in 1 2 3 4 5; do
        for SPACE in $(kube get namespaces -o name 2>/dev/null); do
            SPACE=${SPACE#namespace/}
            [ -n "$(kube -n "$SPACE" get secrets -o name 2>/dev/null)" ] || continue
            # one that is changed at the same moment is left to the next round
            kube -n "$SPACE" get secrets -o json 2>/dev/null | kube replace -f - >/dev/null 2>&1
        done
        DONE=$(sealed) ALL=$(counted '"key":"' --keys-only)
        if [ "$1" = identity ]; then ALL=0; fi
        if [ -n "$DONE" ] && [ "$DONE" = "$ALL" ]; then
            echo "all Secrets are written anew; $DONE of them are encrypted in etcd"
            return 0
        fi
        sleep "$ROUND"
    done
    echo "not every Secret could be written anew: ${DONE:-?} are encrypted in etcd, and ${ALL:-?} should be"
    return 1
}
# secrets_by PROVIDER CONFIG MANIFEST SECONDS ETCD PREFIX CONDITION...: it is the first of the file and of the API server, and
# all Secrets are written by it. ETCD: options of etcdctl. While the node starts the file alone is put right
secrets_by() {
    PROVIDER=$1 CONFIG=$2 POD=$3 LONG=$4 ETCD=$5 PREFIX=$6
    shift 6
    if [ "$(provider "$CONFIG")" != "$PROVIDER" ]; then
        put_first "$CONFIG" "$PROVIDER" && pod_again kube-apiserver "$POD" "$LONG" "$@" || return 1
    elif [ -z "${BOOTING:-}" ]; then
        serves_within kube-apiserver "$LONG" "$@" || return 1
    fi
    [ -n "${BOOTING:-}" ] || secrets_written "$PROVIDER"
}
# secrets_plain CONFIG MANIFEST SECONDS ETCD PREFIX CONDITION...: no Secret needs the key any more; fails where one does, and
# then they are encrypted as before
secrets_plain() {
    manifests_in "$2"
    [ -z "${BOOTING:-}" ] || { echo 'Secrets may be encrypted, and nobody can be asked while the node starts'; return 1; }
    ETCD=$4 PREFIX=$5
    # a node that has just been started has no etcd for a while
    TRIES=60
    until sealed >/dev/null; do
        TRIES=$((TRIES - 1))
        [ "$TRIES" -gt 0 ] || { echo 'etcd does not tell whether Secrets are encrypted'; return 1; }
        sleep 1
    done
    if [ "$(sealed)" = 0 ]; then
        # an API server that does not come up has written none, and will write none
        WELL=yes
        for CONDITION in "$@"; do
            case $CONDITION in 'runs '* | 'listens '* | 'answers '*) eval "$CONDITION" || WELL=no ;; esac
        done
        [ "$WELL" = yes ] || { put_first "$1" identity; return 0; }
    fi
    # another API server would go on to write with the key
    SERVERS=$(kube -n default get endpointslices kubernetes -o jsonpath='{.endpoints[*].addresses[*]}' 2>/dev/null | wc -w)
    [ "$SERVERS" -le 1 ] || { echo "$SERVERS API servers use the key, so it must be taken from all of them by hand"; return 1; }
    (secrets_by identity "$@") && return 0
    [ "$(sealed)" != 0 ] || return 0
    secrets_by secretbox "$@"
    echo 'some Secrets still need the key'
    return 1
}
