# Certificates of k3s and RKE2: kept, and put back. Lines of a change call these in a shell of their own, together with
# checks.sh. DATA is the folder of all their data.
# shellcheck shell=sh disable=SC2154
# rancher_files DATA KUBECONFIG: the files of certificates, keys and logins, one a line
rancher_files() {
    find "$1/server/tls" "$1/server/cred" -type f \( -name '*.crt' -o -name '*.key' -o -name '*.kubeconfig' -o -name dynamic-cert.json \) 2>/dev/null
    find "$1/agent" -maxdepth 1 -type f \( -name '*.crt' -o -name '*.key' -o -name '*.kubeconfig' \) 2>/dev/null
    [ ! -f "$2" ] || echo "$2"
}
# rancher_to FOLDER DATA KUBECONFIG: copies of them, each at its whole path below the folder
rancher_to() (
    umask 077
    rm -rf "$1.part"
    mkdir -p "$1.part" && chmod 700 "${1%/*}" "$1.part" || exit 1
    rancher_files "$2" "$3" | while read -r FILE; do
        mkdir -p "$1.part${FILE%/*}" && cp -a "$FILE" "$1.part$FILE" || exit 1
    done || exit 1
    [ -n "$(find "$1.part" -type f | head -n 1)" ] || { echo "there is nothing in $2"; exit 1; }
    rancher_are "$1.part" && sync && mv "$1.part" "$1"
)
# rancher_are FOLDER: whether they are still as in these copies; else says which one is not. The cache of the supervisor's
# certificate is k3s' own affair: it changes while k3s runs
rancher_are() {
    [ -d "$1" ] || { echo "$1 is not there"; return 1; }
    (cd "$1" && find . -type f ! -name dynamic-cert.json) | while read -r FILE; do
        FILE=${FILE#.}
        [ "$(sha256sum <"$1$FILE")" = "$(sha256sum <"$FILE")" ] && continue
        echo "$FILE is not as in $1"
        exit 1
    done
}
# rancher_from FOLDER: back as in these copies; a file at a time, each by a rename
rancher_from() {
    [ -d "$1" ] || { echo "$1 is not there"; return 1; }
    (cd "$1" && find . -type f ! -name dynamic-cert.json) | while read -r FILE; do
        FILE=${FILE#.}
        [ -f "$FILE" ] && [ "$(sha256sum <"$1$FILE")" = "$(sha256sum <"$FILE")" ] && continue
        NEW=${FILE%/*}/.sitewarden-${FILE##*/}
        cp -a "$1$FILE" "$NEW" && mv -f "$NEW" "$FILE" && continue
        rm -f "$NEW"
        echo "$FILE could not be written"
        exit 1
    done && sync
}
# rancher_signers DATA: whether each CA is there with its key, and the two fit: with another key k3s would sign what nobody
# believes, and where one is missing it would make a CA of its own
rancher_signers() {
    for CA in client-ca server-ca request-header-ca etcd/server-ca etcd/peer-ca; do
        CRT=$1/server/tls/$CA.crt KEY=$1/server/tls/$CA.key
        [ -s "$CRT" ] || [ -s "$KEY" ] || [ "${CA#etcd/}" = "$CA" ] || continue
        [ -s "$CRT" ] && [ -s "$KEY" ] || { echo "$CRT or its key is not there"; return 1; }
        command -v openssl >/dev/null 2>&1 || continue
        [ "$(openssl x509 -noout -pubkey -in "$CRT" 2>&1)" != "$(openssl pkey -pubout -in "$KEY" 2>&1)" ] || continue
        echo "$KEY is not the key of $CRT"
        return 1
    done
}
# rancher_renewed PROGRAM SECONDS CONDITION...: waits until all of them hold
rancher_renewed() {
    PROGRAM=$1 END=$(($(date +%s) + $2))
    shift 2
    for CONDITION; do
        until eval "$CONDITION"; do
            [ "$(date +%s)" -lt "$END" ] || { echo "$PROGRAM did not come up with new certificates: $CONDITION"; return 1; }
            sleep 1
        done
    done
}
