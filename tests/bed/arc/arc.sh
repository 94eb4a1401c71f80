# shellcheck shell=bash disable=SC2034,SC2154
# What arc/apply and arc/remove share: the cluster that they speak to, and the workloads.

. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
. "$bed_dir/slot.sh"
. "$bed_dir/cgroups.sh"
. "$bed_dir/control-plane.sh"
. "$bed_dir/cluster.sh"

need_root
slot=$(own_slot) || die "no bed is up (tests/bed/up MODE)"
mode=$(<"$bed_run/$slot/mode")
[ -e "$bed_kubeconfig" ] || die "this bed has no API server (tests/bed/up cluster, or control-plane)"
build_binaries kubectl

arc_kubectl() { "$bed_binaries/kubectl" --kubeconfig "$bed_kubeconfig" "$@"; }

arc_namespaces="azure-arc mdc gatekeeper-system flux-system"

# workload KIND NAMESPACE NAME: with the label that the agents give their pods
workload() {
  local kind=$1 namespace=$2 name=$3 replicas='replicas: 1' tolerations='[]' capabilities='[]'
  if [ "$kind" = DaemonSet ]; then # Defender's sensors go to every node
    replicas='updateStrategy: {type: RollingUpdate}' tolerations='[{operator: Exists}]'
  fi
  # Its collectors have SYS_RESOURCE too, which not every machine that the bed runs on can give.
  [ "$name" != microsoft-defender-collectors-ds ] || capabilities='[SYS_ADMIN, SYS_PTRACE]'
  cat <<YAML
apiVersion: apps/v1
kind: $kind
metadata:
  name: $name
  namespace: $namespace
  labels: {app.kubernetes.io/component: $name, bed: arc}
spec:
  $replicas
  selector: {matchLabels: {app.kubernetes.io/component: $name}}
  template:
    metadata: {labels: {app.kubernetes.io/component: $name, bed: arc}}
    spec:
      terminationGracePeriodSeconds: 1
      automountServiceAccountToken: false
      tolerations: $tolerations
      containers:
        - name: $name
          image: docker.io/library/busybox:1.35
          imagePullPolicy: IfNotPresent
          command: [sleep, "10000000"]
          securityContext: {capabilities: {add: $capabilities}}
          env: [{name: AGENT_TOKEN, value: canary-env-4c11}]
---
YAML
}

arc_workloads() {
  local name
  for name in cluster-metadata-operator clusterconnect-agent clusteridentityoperator config-agent controller-manager \
    extension-manager flux-logs-agent kube-aad-proxy metrics-agent resource-sync-agent; do
    workload Deployment azure-arc "$name"
  done
  workload DaemonSet mdc microsoft-defender-collectors-ds
  workload DaemonSet mdc microsoft-defender-publisher-ds
  workload Deployment mdc microsoft-defender-pod-collector-misc
  workload Deployment gatekeeper-system gatekeeper-controller
  workload Deployment gatekeeper-system gatekeeper-audit
  workload Deployment kube-system azure-policy
  workload Deployment kube-system azure-policy-webhook
  for name in source-controller kustomize-controller helm-controller notification-controller fluxconfig-agent \
    fluxconfig-controller; do
    workload Deployment flux-system "$name"
  done
}
