# shellcheck shell=bash disable=SC2154
# The mode `cluster`: two nodes made one cluster by kubeadm, node1 with the control plane. What a node of it is made
# of is in cluster/build.

# build_binaries [NAME...]: sets bed_binaries to the folder of the Go builds; without names it has all of them. Before
# lock_bed: the first time is long, and go/build has a lock of its own.
build_binaries() {
  # It is silent when it has nothing to build.
  bed_binaries=$("$bed_dir/go/build" "$@" 2> >(sed -u '1i bed: the Kubernetes binaries must be built first, once: about ten minutes on two cores' >&2)) ||
    die "the Kubernetes binaries could not be built (tests/bed/go/build)"
}

# cluster_image: prints the folder with what the nodes have over the base, after building it where the cache does not have it.
cluster_image() {
  local base image key
  base=$(base_image) || return 1
  key=$({
    echo "$base" "$bed_binaries"
    cd "$bed_dir/cluster" || exit
    find . -type f -printf '%m %p\n' -exec sha256sum {} + | sort
  } | sha256sum | cut -c1-12)
  image=$bed_cache/cluster-$key
  if [ ! -d "$image" ]; then
    need_commands gcc tar dpkg
    rm -rf "$bed_cache"/*.building
    say "building the cluster's image, once, a minute or so (log: $bed_logs/build-cluster.log)"
    mkdir -p "$bed_logs"
    if ! unshare --mount --propagation private \
      "$bed_dir/cluster/build" "$image.building" "$base" "$bed_binaries" >"$bed_logs/build-cluster.log" 2>&1 </dev/null 9>&-; then
      tail -n 20 "$bed_logs/build-cluster.log" >&2
      die "the cluster's image could not be built"
    fi
    mv "$image.building" "$image"
  fi
  echo "$image"
}

# The controller manager gives out these in the order in which nodes come: node1 gets 0, node2 gets 1.
pod_network() { echo "10.244.$(($1 - 2)).0/24"; } # HOST

# start_cluster_node SLOT NAME HOST OTHER-HOST IMAGE
start_cluster_node() {
  local slot=$1 name=$2 host=$3 other=$4 image=$5 disk files
  make_node "$slot" "$name" "$host" "$image/layer"
  disk=$(<"$bed_run/$slot/nodes/$name/disk")
  # Their own folders of the disk: an overlay cannot hold the overlays of containers, nor be measured by a kubelet.
  cp -a --reflink=auto "$image/containerd" "$disk/containerd"
  cp -a "$image/layer/var/lib/kubelet" "$disk/kubelet"

  files=$disk/upper/etc/cni/net.d
  make_dirs "$disk/upper" etc/cni/net.d
  cat >"$files/10-bridge.conflist" <<JSON
{
  "cniVersion": "1.0.0",
  "name": "bridge",
  "plugins": [
    {
      "type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
      "ipam": {
        "type": "host-local",
        "ranges": [[{"subnet": "$(pod_network "$host")"}]],
        "routes": [{"dst": "0.0.0.0/0"}]
      }
    },
    {"type": "portmap", "capabilities": {"portMappings": true}}
  ]
}
JSON
  files=$disk/upper/etc/systemd/network/10-host0.network.d
  make_dirs "$disk/upper" etc/systemd/network/10-host0.network.d
  cat >"$files/pods.conf" <<NETWORK
[Route]
Destination=$(pod_network "$other")
Gateway=$(node_address "$slot" "$other")
NETWORK
  chmod 644 "$disk/upper/etc/cni/net.d/10-bridge.conflist" "$files/pods.conf"
  start_node "$slot" "$name" \
    --bind=/dev/kmsg --bind="$disk/containerd:/var/lib/containerd" --bind="$disk/kubelet:/var/lib/kubelet"
}

# make_dirs ROOT PATH: each of the folders of PATH readable for all, whatever the umask.
make_dirs() { (umask 022 && mkdir -p "$1/$2"); }

kubeadm_config() { # ADDRESS KUBERNETES-VERSION ETCD-TAG
  cat <<YAML
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: $1, bindPort: 6443}
nodeRegistration:
  criSocket: unix:///run/containerd/containerd.sock
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
clusterName: bed
kubernetesVersion: $2
networking: {podSubnet: 10.244.0.0/16, serviceSubnet: 10.96.0.0/12}
etcd: {local: {imageTag: $3}}
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
cgroupDriver: cgroupfs
failCgroupV1: false # for machines that have version 1 alone
# The disk is the machine's: a full one must neither evict pods nor remove images, which cannot be pulled again.
imageGCHighThresholdPercent: 100
evictionHard:
  {memory.available: 100Mi, nodefs.available: 1%, nodefs.inodesFree: 1%, imagefs.available: 1%, imagefs.inodesFree: 1%}
---
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s} # the machine's, not a node's
YAML
}

cluster_nodes_are_ready() { # SLOT
  local ready
  ready=$(in_node "$1" node1 timeout 10 kubectl get nodes --request-timeout=5s \
    -o 'jsonpath={range .items[*]}{.status.conditions[?(@.type=="Ready")].status}{" "}{end}' 2>/dev/null) &&
    [ "$ready" = "True True " ]
}

# Four of the control plane, kube-proxy on both nodes, all of them ready; not what tests put beside them.
cluster_pods_are_ready() { # SLOT
  local ready
  ready=$(in_node "$1" node1 timeout 10 kubectl get pods -n kube-system --request-timeout=5s \
    -o 'jsonpath={range .items[?(@.spec.priorityClassName=="system-node-critical")]}{.status.conditions[?(@.type=="Ready")].status}{" "}{end}' 2>/dev/null) &&
    [ "$ready" = "True True True True True True " ]
}

in_cluster_node() { # SLOT NAME LOG COMMAND...: its output goes to the log
  local slot=$1 name=$2 log=$3
  shift 3
  in_node "$slot" "$name" "$@" </dev/null >"$log" 2>&1 9>&- || {
    tail -n 30 "$log" >&2
    die "kubeadm did not make $name a part of the cluster (log: $log)"
  }
}

answers_cluster() { # SLOT
  [ -e "$bed_kubeconfig" ] && cluster_nodes_are_ready "$1"
}

up_cluster() {
  local image join ignore=--ignore-preflight-errors=SystemVerification,NumCPU,Mem
  image=$(cluster_image)
  # shellcheck source=/dev/null
  . "$image/versions"
  start_cluster_node "$slot" node1 2 3 "$image"
  kubeadm_config "$(node_address "$slot" 2)" "$KUBERNETES_VERSION" "$ETCD_TAG" |
    in_node "$slot" node1 sh -c 'umask 077; cat >/root/kubeadm.yaml'
  say "node1: kubeadm init"
  # No CoreDNS: it is not among the binaries, and nothing here has a name to look up.
  in_cluster_node "$slot" node1 "$bed_logs/node1.kubeadm.log" \
    kubeadm init --config=/root/kubeadm.yaml --skip-phases=addon/coredns "$ignore"
  start_cluster_node "$slot" node2 3 2 "$image"
  say "node2: kubeadm join"
  read -ra join < <(in_node "$slot" node1 kubeadm token create --print-join-command)
  in_cluster_node "$slot" node2 "$bed_logs/node2.kubeadm.log" "${join[@]}" "$ignore"

  wait_until 120 cluster_nodes_are_ready "$slot" || cluster_failed "$slot" "the nodes do not get ready"
  wait_until 120 cluster_pods_are_ready "$slot" || cluster_failed "$slot" "the pods do not get ready"
  (umask 077 && in_node "$slot" node1 cat /etc/kubernetes/admin.conf >"$bed_kubeconfig")
}

cluster_failed() { # SLOT WHAT
  in_node "$1" node1 kubectl get nodes,pods -A -o wide >&2 || true
  die "$2 (logs: $bed_logs)"
}
