//! On a kubeadm cluster of two nodes: the kubelet and the control plane's static pods.

mod audit;
mod certificates;
mod drain;
mod encryption;
mod faults;
mod kube_proxy;
mod kubelet;
mod static_pod;
mod support;
