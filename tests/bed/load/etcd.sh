# shellcheck shell=bash disable=SC2154
# The way into etcd of mode control-plane, for fill and empty.

need_root
need_commands curl perl
slot=$(own_slot) && [ "$(<"$bed_run/$slot/mode")" = control-plane ] || die "no such bed is up (tests/bed/up control-plane)"
build_binaries kubectl
etcd=https://$(bridge_address "$slot"):2379
pki=$control_plane_dir/pki

puts=$control_plane_dir/puts
rm -rf "$puts"
mkdir -p "$puts"
trap 'rm -rf "$puts"' EXIT

# etcd_takes: the transactions that lie in the folder, each a file NUMBER.json.
etcd_takes() {
  local file first=yes
  for file in "$puts"/*.json; do
    [ -n "$first" ] || echo next
    first=
    cat <<CURL
url = "$etcd/v3/kv/txn"
data = "@$file"
cert = "$pki/apiserver-etcd-client.crt"
key = "$pki/apiserver-etcd-client.key"
cacert = "$pki/etcd/ca.crt"
output = "/dev/null"
fail
CURL
  done >"$puts/curl"
  timeout 300 curl --silent --show-error --no-progress-meter --parallel --parallel-max 8 --fail-early --config "$puts/curl" ||
    die "etcd did not take them (log: $control_plane_dir/etcd.log)"
}
