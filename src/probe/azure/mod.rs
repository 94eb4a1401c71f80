//! What Azure says of the cluster.
