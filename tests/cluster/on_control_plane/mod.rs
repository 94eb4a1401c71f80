//! On an API server without nodes: what is in the API decides, not what runs.

mod credentials;
mod hostile;
mod many;
mod rights;
