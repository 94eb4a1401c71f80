# shellcheck shell=bash disable=SC2034
# What every command of the bed needs: where things are, what they are called, how to wait and how to give up.

bed_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
repo=$(cd "$bed_dir/../.." && pwd -P)

bed_name=${SITEWARDEN_BED:-bed}  # a second bed of one checkout has a name of its own
bed_target=$repo/target/$bed_name # what belongs to this bed: env, key, logs, disks of the nodes
bed_env=$bed_target/env
bed_key=$bed_target/id_ed25519
bed_known_hosts=$bed_target/known_hosts
bed_kubeconfig=$bed_target/kubeconfig
bed_logs=$bed_target/logs

bed_cache=${SITEWARDEN_BED_CACHE:-${HOME:-/root}/.cache/sitewarden-bed} # what outlives checkouts: base images

# What runs on this machine, for all checkouts: one folder per bed. /run forgets it when the machine restarts,
# which is when the processes are gone too.
bed_run=/run/sitewarden-bed

say() { echo "bed: $*" >&2; }
die() { echo "bed: $*" >&2; exit 1; }

need_root() {
  [ "$(id -u)" = 0 ] || { say "root is needed: a node is a container with its own systemd and its own network"; exit 2; }
}

# need_commands COMMAND...: all of them, or a message that says which are missing.
need_commands() {
  local command missing=
  for command; do
    command -v "$command" >/dev/null || missing+=" $command"
  done
  [ -z "$missing" ] || die "not installed:$missing (tests/run installs what the bed needs)"
}

# wait_until SECONDS COMMAND...: true as soon as the command succeeds, false when the time is up.
wait_until() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.1
  done
}

# One command of the bed at a time on this machine. Children must not inherit descriptor 9: the lock would live
# as long as they do.
lock_bed() {
  mkdir -p "$bed_run"
  chmod 700 "$bed_run"
  exec 9>"$bed_run/lock"
  flock -n 9 || { say "waiting for another bed command to finish"; flock 9; }
}

# Names and addresses. A slot is the number of one bed on this machine (slot.sh).
bridge_name() { echo "swbed$1"; }
bridge_address() { echo "10.88.$1.1"; }
node_address() { echo "10.88.$1.$2"; } # SLOT HOST
machine_name() { echo "bed$1-$2"; }    # at most 12 characters: nspawn puts "vb-" before it to name a link
cgroup_name() { echo "sitewarden-bed-$1-$2"; }
