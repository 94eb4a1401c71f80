//! Putting things right: recipe -> plan (pure) -> prepare (fresh state, preview) -> confirm -> run (guarded on the node) ->
//! undo. Nothing here changes anything but what a [`Confirmed`] holds.

mod change;
mod cluster;
mod confirm;
pub mod edit;
mod fresh;
mod manifest;
mod memory;
mod node;
mod plan;
mod prepare;
mod recipe;
mod resume;
mod run;
mod undo;
mod words;

pub use change::{FileChange, NodeChange, Proof, State, Validate};
pub use cluster::{ClusterReach, look_cluster, prepare_cluster, prepare_undo_cluster, run_cluster};
pub use confirm::{Answer, Confirmed, confirm};
pub use memory::Memory;
pub use node::{Done, Reach};
pub use plan::{Plan, Refusal, Risk, Work};
pub use prepare::{Choices, Prepared, Step, prepare};
pub use recipe::{AzRun, Bound, FilesOp, KubeOp, NodeOp, SshdOp, plan};
pub use resume::{Settle, Unfinished, look, settle};
pub use run::{Ran, Told, Who, close, finish, run};
pub use undo::{OnNode, entries, prepare_undo};
