# shellcheck shell=bash disable=SC2154
# The mode `control-plane`: etcd, the API server, the controller manager and the scheduler, without a node, as processes
# of this machine. They listen on the bed's own address with the ports of kubeadm.
#
#   /run/sitewarden-bed/SLOT/control-plane/cgroups   what runs, see cgroups.sh
#   target/bed/control-plane                         certificates, kubeconfigs, etcd's data, logs

control_plane_dir=$bed_target/control-plane
# shellcheck disable=SC2034
control_plane_binaries=(etcd kube-apiserver kube-controller-manager kube-scheduler kubeadm kubectl)

# bare_kubeadm_config ADDRESS KUBERNETES-VERSION
bare_kubeadm_config() {
  cat <<YAML
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {advertiseAddress: $1, bindPort: 6443}
nodeRegistration: {name: none, criSocket: unix:///run/containerd/containerd.sock}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
clusterName: bed
kubernetesVersion: $2
certificatesDir: $control_plane_dir/pki
networking: {podSubnet: 10.244.0.0/16, serviceSubnet: 10.96.0.0/12}
YAML
}

# start_component NAME ARGUMENT...: in the background, in the control plane's cgroups.
start_component() {
  local name=$1 record=$bed_run/$slot/control-plane
  shift
  (
    enter_cgroups "$record"
    exec setsid "$bed_binaries/$name" "$@"
  ) </dev/null >"$control_plane_dir/$name.log" 2>&1 9>&- &
  disown "$!"
}

# Readiness wants no rights, but kubectl wants a kubeconfig.
bare_kubectl() { "$bed_binaries/kubectl" --kubeconfig "$control_plane_dir/admin.conf" "$@"; }
api_is_ready() { bare_kubectl get --raw /readyz --request-timeout=2s >/dev/null 2>&1; }
# The account comes from the controller manager: without it no pod can be created.
default_account_is_there() { bare_kubectl get serviceaccount default --request-timeout=2s >/dev/null 2>&1; }

answers_control-plane() { # SLOT
  [ -e "$bed_kubeconfig" ] && [ -n "$(cgroup_pids "$bed_run/$1/control-plane")" ] && api_is_ready && default_account_is_there
}

up_control-plane() {
  local address version pki=$control_plane_dir/pki conf=$control_plane_dir record=$bed_run/$slot/control-plane
  local etcd component
  address=$(bridge_address "$slot")
  etcd=https://$address:2379
  version=$("$bed_binaries/kubeadm" version -o short)
  rm -rf "$control_plane_dir"
  mkdir -p "$record"
  (umask 077 && mkdir -p "$control_plane_dir")
  make_cgroups "$record" "$(cgroup_name "$slot" control-plane)"

  bare_kubeadm_config "$address" "$version" >"$conf/kubeadm.yaml"
  for component in "certs all" "kubeconfig all --kubeconfig-dir $conf"; do
    # shellcheck disable=SC2086
    "$bed_binaries/kubeadm" init phase $component --config "$conf/kubeadm.yaml" </dev/null >"$conf/kubeadm.log" 2>&1 9>&- ||
      control_plane_failed kubeadm "could not make the certificates"
  done

  start_component etcd --unsafe-no-fsync --data-dir "$conf/etcd" --name none \
    --listen-client-urls "$etcd" --advertise-client-urls "$etcd" --client-cert-auth \
    --cert-file "$pki/etcd/server.crt" --key-file "$pki/etcd/server.key" --trusted-ca-file "$pki/etcd/ca.crt" \
    --listen-peer-urls "https://$address:2380" --initial-advertise-peer-urls "https://$address:2380" \
    --initial-cluster "none=https://$address:2380" --peer-client-cert-auth \
    --peer-cert-file "$pki/etcd/peer.crt" --peer-key-file "$pki/etcd/peer.key" --peer-trusted-ca-file "$pki/etcd/ca.crt"
  start_component kube-apiserver --bind-address "$address" --advertise-address "$address" --secure-port 6443 \
    --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction --allow-privileged \
    --enable-bootstrap-token-auth --client-ca-file "$pki/ca.crt" \
    --tls-cert-file "$pki/apiserver.crt" --tls-private-key-file "$pki/apiserver.key" \
    --etcd-servers "$etcd" --etcd-cafile "$pki/etcd/ca.crt" \
    --etcd-certfile "$pki/apiserver-etcd-client.crt" --etcd-keyfile "$pki/apiserver-etcd-client.key" \
    --service-account-issuer https://kubernetes.default.svc.cluster.local --service-account-key-file "$pki/sa.pub" \
    --service-account-signing-key-file "$pki/sa.key" --service-cluster-ip-range 10.96.0.0/12
  wait_until 60 api_is_ready || control_plane_failed kube-apiserver "does not get ready"
  # As `kubeadm init` does: its administrator's rights come from a binding.
  "$bed_binaries/kubectl" --kubeconfig "$conf/super-admin.conf" create clusterrolebinding kubeadm:cluster-admins \
    --clusterrole cluster-admin --group kubeadm:cluster-admins >/dev/null
  # A node here is an object and no more: nobody may miss its heartbeat, or the pods that it should run.
  start_component kube-controller-manager --bind-address "$address" --kubeconfig "$conf/controller-manager.conf" \
    --authentication-kubeconfig "$conf/controller-manager.conf" --authorization-kubeconfig "$conf/controller-manager.conf" \
    --controllers '*,-node-lifecycle-controller,-taint-eviction-controller,-pod-garbage-collector-controller' \
    --cluster-signing-cert-file "$pki/ca.crt" --cluster-signing-key-file "$pki/ca.key" --root-ca-file "$pki/ca.crt" \
    --service-account-private-key-file "$pki/sa.key" --use-service-account-credentials --leader-elect=false
  start_component kube-scheduler --bind-address "$address" --kubeconfig "$conf/scheduler.conf" \
    --authentication-kubeconfig "$conf/scheduler.conf" --authorization-kubeconfig "$conf/scheduler.conf" --leader-elect=false
  wait_until 60 default_account_is_there || control_plane_failed kube-controller-manager "does not begin its work"
  (umask 077 && cp "$conf/admin.conf" "$bed_kubeconfig")
}

control_plane_failed() { # COMPONENT WHAT
  tail -n 20 "$control_plane_dir/$1.log" >&2
  die "$1 $2 (logs: $control_plane_dir)"
}

end_control_plane() { # SLOT: nothing running is fine
  end_cgroups "$bed_run/$1/control-plane" "the control plane"
}
