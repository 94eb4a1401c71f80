//! What the probes saw: plain data, with where each value came from and what could not be read.
//!
//! Nothing here reads a file, a clock or a network. `effective/` derives what a component really runs with.

pub mod effective;

mod component;
mod document;
mod fact;
mod file;
mod lifecycle;
mod node;
mod planting;
mod policy;
mod reading;
mod sshd;

pub use component::{Component, ConfigFile, Process, StaticPod};
pub use document::{Evidence, EvidenceError, SCHEMA, Seat, SiteFacts, Tool};
pub use effective::{Shape, derived_shapes};
pub use fact::{Fact, Listing, Reason, Unread};
pub use file::{Certificate, FileFact, FileKind};
pub use lifecycle::{Cycle, EndDate, Lifecycle, Product};
pub use node::{
    AuthorizedKey, ChannelKind, Firmware, Identity, Kernel, Listener, Login, LoginUser, Lsm, Mount, NodeEvidence,
    OsRelease, Privilege, ProbeError, Reboot, Tpm, Unit,
};
pub use policy::{Policy, Profile, Thresholds};
pub use reading::{Gap, Key, Missing, Reading, Value};
pub use sshd::{ConfigText, HostKey, Sshd, SshdDaemon, SshdDump};
