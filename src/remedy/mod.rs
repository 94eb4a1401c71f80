//! Putting things right: recipe -> plan (pure) -> prepare (fresh state, preview) -> confirm -> run (guarded on the node) ->
//! undo. Nothing here changes anything but what a [`Confirmed`] holds.

mod behind;
mod change;
mod cluster;
mod confirm;
mod console;
pub mod edit;
mod emptied;
mod ending;
mod export;
mod fresh;
mod log;
mod manifest;
mod memory;
mod networks;
mod node;
mod owner;
mod plan;
mod prepare;
mod recipe;
mod resume;
mod run;
mod sure;
mod undo;
mod words;

pub use change::{FileChange, NodeChange, Proof, State, Validate};
pub use cluster::{
    ClusterReach, DRAIN_WITHIN, Drain, look_cluster, prepare_cluster, prepare_undo_cluster, run_cluster,
};
pub use confirm::{Answer, Confirmed, confirm};
pub use ending::{Found, Open, found, found_in_cluster, run_end};
pub use export::{markdown, script};
pub use log::{Ran, close, finish};
pub use memory::Memory;
pub use node::{Done, Reach};
pub use owner::{Kind, refused};
pub use plan::{Plan, Refusal, Risk, Work};
pub use prepare::{Choices, Part, Prepared, Step, prepare};
pub use recipe::{
    AutomaticOp, AzRun, Bound, CertificatesOp, EncryptionOp, FilesOp, Held, KeysOp, KubeOp, KubeletOp, NodeOp,
    RancherCertificatesOp, RancherOp, SourcesOp, SshOffOp, SshdOp, StaticPodOp, TextOp, UpdatesOp, plan,
};
pub(crate) use recipe::{kept, kept_beyond};
pub use resume::{Settle, Unfinished, WayBack, look, settle, way_back};
pub use run::{Told, Who, run};
pub(crate) use undo::is_change;
pub use undo::{OnNode, entries, prepare_undo};
