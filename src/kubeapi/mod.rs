//! The Kubernetes API client: kubeconfig, contexts, credentials, deadlines, trust roots. It reads; only `object` and `drain`
//! change.
//!
//! The way of a request: `client` (what others call), `list` and `object` ask by kube's client, whose service is `exchange`
//! (login, retries, bounds); that sends over `http/` (proxies, connections, bodies) through `tls/`, as whom `login/` says,
//! where `kubeconfig/` says.
//!
//! No log may be set up in this program (`log`, `tracing`): kube writes answers there that it cannot read, a Secret's too.

mod answer;
mod client;
mod drain;
mod error;
mod exchange;
mod http;
mod kubeconfig;
mod list;
mod login;
mod moment;
mod object;
mod page;
mod refusal;
mod runtime;
mod tls;
mod words;

pub use client::{Api, ApiLimits, Listed};
pub use drain::Evicted;
pub use error::ApiError;
pub use kubeconfig::{ContextInfo, chosen, contexts};
pub use login::{LoginHint, interactive_login, login, login_program};
pub use object::{Deleted, Mark, ObjectPlace, Seen, for_display};
pub use runtime::{block_on, within};
