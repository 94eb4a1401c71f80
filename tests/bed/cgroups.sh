# shellcheck shell=bash
# Cgroups as the record of what runs: every process that a node, or the bare control plane, ever started is in its
# cgroups, and nothing else is. Process ids alone are never trusted: a number may have gone to somebody else.
#
# RECORD is a folder under /run/sitewarden-bed; its file `cgroups` has the folders, one per hierarchy, one a line.

# own_cgroups: the folder of this process in each cgroup hierarchy, version 1 and 2.
own_cgroups() {
  local controllers path mount
  while IFS=: read -r _ controllers path; do
    if [ -n "$controllers" ]; then
      mount=/sys/fs/cgroup/${controllers#name=}
    elif [ -d /sys/fs/cgroup/unified ]; then
      mount=/sys/fs/cgroup/unified
    else
      mount=/sys/fs/cgroup
    fi
    [ -e "$mount/cgroup.procs" ] || continue
    [ -d "$mount$path" ] || path= # in a container the path may be the outer machine's
    echo "$mount${path%/}"
  done </proc/self/cgroup
}

# make_cgroups RECORD NAME: below the caller's own, so that the caller's limits hold for them.
make_cgroups() {
  local parent group
  : >"$1/cgroups"
  for parent in $(own_cgroups); do
    group=$parent/$2
    echo "$group" >>"$1/cgroups"
    mkdir -p "$group"
    if [ -e "$group/cpuset.mems" ] && [ -z "$(<"$group/cpuset.mems")" ]; then # version 1 starts it empty
      cat "$parent/cpuset.cpus" >"$group/cpuset.cpus"
      cat "$parent/cpuset.mems" >"$group/cpuset.mems"
    fi
  done
}

# enter_cgroups RECORD: moves the calling subshell there. To be its first act: then no process is ever outside of them.
enter_cgroups() {
  local group
  while read -r group; do echo "$BASHPID" >"$group/cgroup.procs"; done <"$1/cgroups"
}

# cgroup_pids RECORD: every process in them.
cgroup_pids() {
  local group
  [ -e "$1/cgroups" ] || return 0
  while read -r group; do
    [ ! -d "$group" ] || find "$group" -name cgroup.procs -exec cat {} + 2>/dev/null || true
  done <"$1/cgroups" | sort -un
}

cgroups_are_empty() { [ -z "$(cgroup_pids "$1")" ]; } # RECORD

# end_cgroups RECORD WHAT: ends what is left in them and removes them, what was made below them too.
end_cgroups() {
  local pid group
  for pid in $(cgroup_pids "$1"); do
    kill -KILL "$pid" 2>/dev/null || true
  done
  wait_until 10 cgroups_are_empty "$1" || die "processes of $2 do not end: $(cgroup_pids "$1" | tr '\n' ' ')"
  [ -e "$1/cgroups" ] || return 0
  while read -r group; do
    [ ! -d "$group" ] || find "$group" -depth -type d -exec rmdir {} +
  done <"$1/cgroups"
}
