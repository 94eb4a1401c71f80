//! The Kubernetes API client: kubeconfig, contexts, credentials, deadlines, trust roots. It reads; what it creates are
//! reviews, which change nothing.
//!
//! The way of a request: `client` (what others call) and `list` ask by `exchange` (login, retries, bounds), which sends
//! over `http/` (proxies, connections, bodies) through `tls/`, as whom `login/` says, where `kubeconfig/` says.

mod answer;
mod client;
mod error;
mod exchange;
mod http;
mod kubeconfig;
mod list;
mod login;
mod moment;
mod page;
mod runtime;
mod tls;
mod words;

pub use client::{Api, ApiLimits, Listed};
pub use error::ApiError;
pub use kubeconfig::{ContextInfo, chosen, contexts};
pub use login::{LoginHint, interactive_login, login, login_program};
pub use runtime::{block_on, within};
