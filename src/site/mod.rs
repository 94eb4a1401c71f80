//! The site: what a person says about it (site file, command line) and which targets follow from that.

mod cluster;
mod cluster_section;
mod jump;
mod network;
mod site_file;
mod target;

pub use cluster::{AzureSource, ClusterSection, ClusterTarget};
pub use jump::{JumpHost, MOST_JUMPS, jump_hosts};
pub use network::network_problem;
pub use site_file::{Problem, SiteFile, SiteFileError};
pub use target::{NodeTarget, TargetError, Way};
