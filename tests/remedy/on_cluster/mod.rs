//! On a kubeadm cluster of two nodes: the kubelet and the control plane's static pods.

mod certificates;
mod drain;
mod kubelet;
mod static_pod;
mod support;
