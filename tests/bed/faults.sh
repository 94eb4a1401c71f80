# shellcheck shell=bash disable=SC2154
# Faults of the bed and their mending. Each is the real thing: a node without power, a daemon that is not there, an API
# server that takes connections and never answers.

faults_usage() {
  cat >&2 <<USAGE
usage: tests/bed/stop|start WHAT
what:
  node NAME   its power; its disk stays
  ssh NAME    its sshd
  api         mode cluster: the API server on node1, by its manifest
  api-answer  mode cluster: the API server's answers; connections to it still open. For seconds: its liveness probe
              ends it after a minute and a half
USAGE
  exit 2
}

manifest=/etc/kubernetes/manifests/kube-apiserver.yaml

no_listener() { ! in_node "$1" "$2" ss -Hltn "sport = :$3" | grep -q .; } # SLOT NODE PORT
ssh_is_silent() { ! ssh_answers "$1"; }
api_answers() { in_node "$1" node1 timeout 10 kubectl get --raw /readyz --request-timeout=5s >/dev/null 2>&1; } # SLOT

fault_node_stop() { cut_node "$1" "$2"; } # SLOT NAME
fault_node_start() {
  local since
  node_is_whole "$1" "$2" && return
  since=$(date -u +%FT%T)
  boot_node "$1" "$2"
  [ "$(<"$bed_run/$1/mode")" = cluster ] || return 0
  # For a while the cluster calls it ready as before: its kubelet must have spoken since.
  wait_until 120 kubelet_spoke "$1" "$2" "$since" || die "$2 is up, but its kubelet does not come back"
  wait_until 120 cluster_is_whole "$1" || die "$2 is up, but the cluster does not get ready"
}
kubelet_spoke() { # SLOT NODE SINCE
  local renewed
  renewed=$(in_node "$1" node1 timeout 10 kubectl get lease -n kube-node-lease "$2" --request-timeout=5s \
    -o 'jsonpath={.spec.renewTime}' 2>/dev/null) && [[ $renewed > $3 ]]
}

# Its socket too, where it has one. The address is asked, not systemd.
fault_ssh_stop() {
  in_node "$1" "$2" systemctl stop ssh.socket ssh.service
  wait_until 20 ssh_is_silent "$(<"$bed_run/$1/nodes/$2/address")" || die "sshd on $2 does not end"
}
fault_ssh_start() {
  in_node "$1" "$2" sh -c 'systemctl reset-failed ssh.service; systemctl start ssh.service'
  wait_until 20 ssh_answers "$(<"$bed_run/$1/nodes/$2/address")" || die "sshd on $2 does not start"
}

# Without its manifest the kubelet does not start it again; it is not waited for, but ended at once.
fault_api_stop() {
  in_node "$1" node1 sh -c "[ ! -e $manifest ] || mv $manifest /root/"
  in_node "$1" node1 sh -c 'crictl ps -q --name kube-apiserver | xargs -r crictl stop -t 1' >/dev/null 2>&1
  wait_until 60 no_listener "$1" node1 6443 || die "the API server does not end"
}
fault_api_start() {
  in_node "$1" node1 sh -c "[ ! -e /root/${manifest##*/} ] || mv /root/${manifest##*/} $manifest"
  wait_until 180 api_answers "$1" || die "the API server does not come back"
  wait_until 120 cluster_is_whole "$1" || die "the API server is back, but the cluster does not get ready"
}

fault_api-answer_stop() { in_node "$1" node1 pkill -STOP -x kube-apiserver; }
fault_api-answer_start() {
  in_node "$1" node1 pkill -CONT -x kube-apiserver || true
  wait_until 180 api_answers "$1" || die "the API server does not answer again"
}

# Every node Ready, and every pod of kube-system.
cluster_is_whole() { cluster_nodes_are_ready "$1" && cluster_pods_are_ready "$1"; } # SLOT

stop_or_start() { # stop|start WHAT [NAME]
  local act=$1 slot
  shift
  need_root
  lock_bed
  slot=$(own_slot) || die "no bed is up (tests/bed/up MODE)"
  case ${1:-},$# in
    node,2 | ssh,2) [ -d "$bed_run/$slot/nodes/$2" ] || die "no node $2; there are: $(slot_nodes "$slot" | tr '\n' ' ')" ;;
    api,1 | api-answer,1) [ "$(<"$bed_run/$slot/mode")" = cluster ] || die "this bed has no API server on a node (tests/bed/up cluster)" ;;
    *) faults_usage ;;
  esac
  "fault_$1_$act" "$slot" "${@:2}"
}
