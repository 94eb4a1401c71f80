//! The Kubernetes API client: kubeconfig, contexts, credentials, deadlines, trust roots, who we are. It reads; what it
//! creates are reviews, which change nothing.

mod client;
mod error;

pub use client::{Api, ApiLimits, Listed};
pub use error::ApiError;
