//! On a kubeadm cluster of two nodes, both reachable by SSH.

mod arc;
mod endpoints;
mod faults;
mod read;
mod saved;
mod users;
mod whole;
