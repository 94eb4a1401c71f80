//! HTTP/1.1: the way to a server (directly, by proxies, through TLS), connections that are kept, bodies within bounds.

mod body;
mod deadline;
mod dial;
mod percent;
mod road;
mod route;
mod tunnel;
mod wire;

pub(super) use body::{Cut, whole};
pub(super) use deadline::Deadline;
pub(super) use percent::encode;
pub(super) use road::Road;
pub(super) use route::{Proxy, route};
pub(super) use wire::{Asked, Wire, retry_after, unsure};
