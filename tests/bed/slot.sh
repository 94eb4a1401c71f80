# shellcheck shell=bash disable=SC2154
# Slots: which beds run on this machine, and whose they are. A checkout has one bed, or several with names of their own
# (SITEWARDEN_BED), each bed a slot 0..9, each slot a network of its own, so that no two disturb each other.
#
#   /run/sitewarden-bed/SLOT/owner               the checkout
#   /run/sitewarden-bed/SLOT/name                the bed's name in it
#   /run/sitewarden-bed/SLOT/mode                what `up` was asked for, written once that is up
#   /run/sitewarden-bed/SLOT/nodes/NAME/         one folder per node, see node.sh
#   /run/sitewarden-bed/SLOT/control-plane/      the bare control plane, see control-plane.sh
#
# The folder is made before anything else and removed after everything else: what a crash leaves is always on record.

slots() { # every slot on record
  local owner
  for owner in "$bed_run"/[0-9]/owner; do
    [ ! -e "$owner" ] || basename "$(dirname "$owner")"
  done
}

own_slot() { # the slot of this bed, if it has one
  local slot
  for slot in $(slots); do
    if [ "$(<"$bed_run/$slot/owner")" = "$repo" ] && [ "$(cat "$bed_run/$slot/name" 2>/dev/null)" = "$bed_name" ]; then
      echo "$slot"
      return 0
    fi
  done
  return 1
}

slot_nodes() { # SLOT: the names of its nodes
  local node
  for node in "$bed_run/$1"/nodes/*/; do
    [ ! -d "$node" ] || basename "$node"
  done
}

# A slot that nobody will come back for: its checkout is gone, or all its processes are.
is_left_over() {
  local slot=$1 name
  [ -d "$(<"$bed_run/$slot/owner")/tests/bed" ] || return 0
  for name in $(slot_nodes "$slot"); do
    [ -z "$(node_pids "$slot" "$name")" ] || return 1
  done
  cgroups_are_empty "$bed_run/$slot/control-plane"
}

end_left_overs() {
  local slot
  for slot in $(slots); do
    if is_left_over "$slot"; then
      say "clearing what a bed of $(<"$bed_run/$slot/owner") left"
      end_slot "$slot"
    fi
  done
}

# claim_slot: sets `slot` to the first free one, and makes its record and its bridge.
claim_slot() {
  local free
  for free in 0 1 2 3 4 5 6 7 8 9; do
    [ ! -e "$bed_run/$free/owner" ] || continue
    remove_bridge "$free" # on no record, so it is nobody's
    # Something else on this machine may use these addresses (podman's own network is 10.88.0.0/16).
    if ip -4 route show match "$(node_address "$free" 2)" | grep -qv '^default'; then continue; fi
    mkdir -p "$bed_run/$free/nodes"
    echo "$bed_name" >"$bed_run/$free/name"
    echo "$repo" >"$bed_run/$free/owner"
    slot=$free
    make_bridge "$slot"
    return 0
  done
  die "no network 10.88.0.0/24 ... 10.88.9.0/24 is free on this machine (see: ip -4 route)"
}

end_slot() { # SLOT: everything that it holds
  local slot=$1 name
  for name in $(slot_nodes "$slot"); do
    remove_node "$slot" "$name"
  done
  end_control_plane "$slot"
  remove_bridge "$slot"
  rm -rf "${bed_run:?}/$slot"
}

# The bridge stands in the machine's own network namespace, so that tests reach the nodes; a node has a namespace
# of its own behind it. Nothing is forwarded from the bridge, whatever the machine does elsewhere: a node has no way out.
make_bridge() {
  local bridge
  bridge=$(bridge_name "$1")
  ip link add "$bridge" type bridge
  echo 0 >"/proc/sys/net/ipv4/conf/$bridge/forwarding"
  [ ! -e "/proc/sys/net/ipv6/conf/$bridge" ] || echo 1 >"/proc/sys/net/ipv6/conf/$bridge/disable_ipv6"
  ip address add "$(bridge_address "$1")/24" dev "$bridge"
  ip link set "$bridge" up
}

remove_bridge() {
  if ip link show "$(bridge_name "$1")" >/dev/null 2>&1; then ip link delete "$(bridge_name "$1")"; fi
}
