//! TLS by OpenSSL: which CAs are trusted, with which certificate we speak, and why a handshake failed.

mod anchors;
mod connector;
mod pem;
mod refused;

pub(super) use anchors::Anchors;
pub(super) use connector::{Handshake, Identity, connector};
pub(super) use pem::{certificates, key, moment};
pub(super) use refused::{Peer, Refused, Told, told};
