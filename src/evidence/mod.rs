//! What the probes saw: plain data, with where each value came from and what could not be read.
//!
//! Nothing here reads a file, a clock or a network. `effective/` derives what a component really runs with.

pub mod cluster;
pub mod effective;

mod component;
mod document;
mod endpoint;
mod fact;
mod file;
mod filling;
mod firewall;
mod host;
mod identity;
mod joining;
mod lifecycle;
mod lifecycle_cluster;
mod listed;
mod login;
mod matching;
mod mdatp;
mod node;
mod os_image;
mod planting;
mod policy;
mod reading;
mod sshd;
mod updates;
mod version;

pub use cluster::{Caller, ClusterEvidence};
pub(crate) use component::image_version;
pub use component::{Component, ConfigFile, Process, StaticPod};
pub use document::{Evidence, EvidenceError, SCHEMA, Seat, SiteFacts, Tool};
pub use effective::{
    Published, Shape, derived_cluster_shapes, derived_endpoint_shapes, derived_shapes, platform_ids, platform_of,
};
pub use endpoint::{Anonymous, EndpointEvidence, PortState, TlsFacts, TlsOffer, answering};
pub use fact::{Fact, Listing, Reason, Unread};
pub use file::{Certificate, FileFact, FileKind};
pub use firewall::{Firewall, FirewallPort, FirewallRule};
pub use host::{Audit, AutoUpdates, Fips, MeasuredBoot, TimeSync, Volume};
pub use identity::{IdentityKind, SiteIdentity};
pub use joining::{JoinedNode, joined_nodes};
pub use lifecycle::{Cycle, EndDate, Lifecycle, Product};
pub use lifecycle_cluster::CLUSTER_KEYS;
pub use login::{AuthorizedKey, Login, LoginUser, Privilege};
pub use mdatp::Mdatp;
pub use node::{
    ChannelKind, Firmware, Identity, Kernel, Listener, Lsm, Mount, NodeEvidence, OsRelease, ProbeError, Reboot, Tpm,
    Unit,
};
pub use policy::{Policy, Profile, Thresholds};
pub use reading::{Gap, Key, Missing, Reading, Value};
pub use sshd::{ConfigText, HostKey, ServerOffer, Sshd, SshdDaemon, SshdDump};
pub use updates::{PendingPackage, Updates};
pub use version::{Version, image_name};
