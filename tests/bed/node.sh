# shellcheck shell=bash disable=SC2154
# One node: its base image, its disk, its start and its end.
#
#   /run/sitewarden-bed/SLOT/nodes/NAME/
#     address  its IPv4 address
#     disk     the folder with its overlay
#     lower    what the overlay stands on, as mount takes it: the base, before it a layer of the mode
#     cgroups  its cgroup folders, see cgroups.sh
#     options  what else systemd-nspawn was told, one option a line
#     leader   the process id of its systemd, seen from this machine
#

# base_image: prints the folder of the base, after building it where the cache does not have it.
base_image() {
  local key image
  key=$(cat "$bed_dir/build-base" "$bed_dir/accounts.sh" | sha256sum | cut -c1-12)
  image=$bed_cache/base-$key
  if [ ! -d "$image" ]; then
    need_commands debootstrap
    mkdir -p "$bed_cache" "$bed_logs"
    rm -rf "$bed_cache"/*.building # by lock_bed nobody else is building
    say "building the base image, once, a minute or two (log: $bed_logs/build-base.log)"
    if ! unshare --mount --propagation private \
      "$bed_dir/build-base" "$image.building" >"$bed_logs/build-base.log" 2>&1 </dev/null 9>&-; then
      tail -n 20 "$bed_logs/build-base.log" >&2
      die "the base image could not be built"
    fi
    mv "$image.building" "$image" # only a whole one has the name
  fi
  echo "$image"
}

# rpm_image: prints the folder with what a node that lives by rpm has over the base, after building it where the cache does
# not have it.
rpm_image() {
  local base image key
  base=$(base_image) || return 1
  key=$({ echo "$base"; cat "$bed_dir/build-rpm"; } | sha256sum | cut -c1-12)
  image=$bed_cache/rpm-$key
  if [ ! -d "$image" ]; then
    mkdir -p "$bed_logs"
    rm -rf "$bed_cache"/*.building
    say "building what a node with dnf and zypper has, once, half a minute (log: $bed_logs/build-rpm.log)"
    if ! unshare --mount --propagation private \
      "$bed_dir/build-rpm" "$image.building" "$base" >"$bed_logs/build-rpm.log" 2>&1 </dev/null 9>&-; then
      tail -n 20 "$bed_logs/build-rpm.log" >&2
      die "what a node with dnf and zypper has could not be built"
    fi
    mv "$image.building" "$image"
  fi
  echo "$image"
}

# can_hold_overlay DIR: whether an overlay's upper layer may live there. Some file systems cannot carry one.
can_hold_overlay() {
  local probe
  mkdir -p "$1"
  probe=$(mktemp -d "$1/probe.XXXXXX")
  mkdir "$probe/lower" "$probe/upper" "$probe/work" "$probe/root"
  touch "$probe/lower/file"
  # shellcheck disable=SC2016
  unshare --mount --propagation private sh -c '
    cd "$1" && mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work root && rm root/file' \
    sh "$probe" 2>/dev/null || { rm -rf "$probe"; return 1; }
  rm -rf "$probe"
}

# disk_home SLOT: where the disks of the nodes go: into the checkout, else beside the cache.
disk_home() {
  local dir
  for dir in "$bed_target/nodes" "$bed_cache/nodes/$1"; do
    if can_hold_overlay "$dir"; then
      echo "$dir"
      return 0
    fi
  done
  die "neither $bed_target nor $bed_cache can hold an overlay; set SITEWARDEN_BED_CACHE to a folder on ext4, xfs, btrfs or tmpfs"
}

# node_pids SLOT NAME: every process of the node, its systemd-nspawn included.
node_pids() { cgroup_pids "$bed_run/$1/nodes/$2"; }

# node_leader SLOT NAME: the node's systemd, if it is still that.
node_leader() {
  local pid
  pid=$(cat "$bed_run/$1/nodes/$2/leader" 2>/dev/null) && [ -n "$pid" ] &&
    grep -qsE "/$(cgroup_name "$1" "$2")(/|\$)" "/proc/$pid/cgroup" && echo "$pid"
}

# node_is_whole SLOT NAME: not only its systemd, its systemd-nspawn too: without that it ends within seconds.
node_is_whole() {
  local leader parent
  leader=$(node_leader "$1" "$2") && parent=$(ps -o ppid= -p "$leader") &&
    [ "$(cat "/proc/${parent// /}/comm" 2>/dev/null)" = systemd-nspawn ]
}

# find_leader SLOT NAME NSPAWN: records the leader once systemd-nspawn has become the parent of a systemd.
find_leader() {
  pgrep -P "$3" -x systemd >"$bed_run/$1/nodes/$2/leader" && node_leader "$1" "$2" >/dev/null
}

in_node() { # SLOT NAME COMMAND...: as root, standard input passed on
  local leader kubeconfig=
  leader=$(node_leader "$1" "$2") || { say "$2 is not running"; return 1; }
  shift 2
  # kubectl works in the control plane's node as it does for its root
  [ ! -e "/proc/$leader/root/etc/kubernetes/admin.conf" ] || kubeconfig=KUBECONFIG=/etc/kubernetes/admin.conf
  nsenter --target "$leader" --mount --uts --ipc --net --pid --cgroup --root --wd -- \
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=xterm LANG=C.UTF-8 \
    ${kubeconfig:+"$kubeconfig"} "$@"
}

ssh_answers() { # ADDRESS: whether an SSH server says hello there
  # shellcheck disable=SC2016
  timeout 2 bash -c 'exec 3<>"/dev/tcp/$1/22" && read -r hello <&3 && [[ $hello == SSH-2.0-* ]]' bash "$1" 2>/dev/null
}

# make_node SLOT NAME HOST [LAYER]: its record and its empty disk. LAYER is a folder that is laid over the base.
make_node() {
  local slot=$1 name=$2 address layer=${4:-} home disk base record=$bed_run/$1/nodes/$2
  address=$(node_address "$slot" "$3")
  base=$(base_image)
  home=$(disk_home "$slot")
  disk=$home/$name
  mkdir -p "$record" "$bed_logs"
  echo "$address" >"$record/address"
  echo "$disk" >"$record/disk"
  rm -rf "$disk"
  mkdir -p "$disk/upper" "$disk/work" "$disk/root"
  echo "${layer:+$layer:}$base" >"$record/lower"
}

# start_node SLOT NAME [NSPAWN-OPTION...]: boots a node that make_node made, and waits until it is up.
start_node() {
  local slot=$1 name=$2
  shift 2
  printf '%s\n' "$@" >"$bed_run/$slot/nodes/$name/options"
  boot_node "$slot" "$name"
}

# boot_node SLOT NAME: boots it as start_node did, from its disk as it is, and waits until it is up.
boot_node() {
  local slot=$1 name=$2 address disk log=$bed_logs/$2.console.log record=$bed_run/$1/nodes/$2 options nspawn state
  address=$(<"$record/address")
  disk=$(<"$record/disk")
  mapfile -t options < <(grep . "$record/options")
  make_cgroups "$record" "$(cgroup_name "$slot" "$name")"
  (
    enter_cgroups "$record"
    exec unshare --mount --propagation private \
      "$bed_dir/boot-node" "$(<"$record/lower")" "$disk" "$slot" "$name" "$address" "${options[@]}"
  ) </dev/null >"$log" 2>&1 9>&- &
  nspawn=$!
  disown "$nspawn" # it stays when this command ends

  wait_until 20 find_leader "$slot" "$name" "$nspawn" || node_failed "$name" "did not start" "$log"
  wait_until 60 ssh_answers "$address" || node_failed "$name" "does not answer to SSH" "$log"
  state=$(in_node "$slot" "$name" timeout 60 systemctl is-system-running --wait) || true
  [ "$state" = running ] || {
    in_node "$slot" "$name" systemctl list-units --failed --no-pager --plain --no-legend >&2 || true
    node_failed "$name" "is $state, not running" "$log"
  }
}

node_failed() { # NAME WHAT LOG
  tail -n 20 "$3" >&2
  die "$1 $2 (log: $3)"
}

# cut_node SLOT NAME: as if its power were cut; its disk stays, boot_node boots it again.
# Its systemd is the first process of its process namespace; the kernel ends all others with it.
cut_node() {
  local leader record=$bed_run/$1/nodes/$2
  if leader=$(node_leader "$1" "$2"); then
    kill -KILL "$leader" 2>/dev/null || true
    wait_until 5 cgroups_are_empty "$record" || true # systemd-nspawn tidies up after itself when it is let
  fi
  end_cgroups "$record" "$2"
}

# remove_node SLOT NAME: at once, without an orderly shutdown, and with its disk.
remove_node() {
  local disk record=$bed_run/$1/nodes/$2
  cut_node "$1" "$2"
  if disk=$(cat "$record/disk" 2>/dev/null); then rm -rf "$disk"; fi
  rm -rf "$record"
}
