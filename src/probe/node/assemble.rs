//! The node's evidence from the collector's records.

use super::frames::Frames;
use crate::evidence::{Fact, Login, NodeEvidence};

/// Fills `node` with what the records say.
pub(super) fn assemble(frames: &Frames, mut node: NodeEvidence) -> NodeEvidence {
    if let Some(begin) = &frames.begin {
        let from = begin.from.clone().map_or(Fact::Absent, Fact::Known);
        node.login = Fact::Known(Login { user: begin.user.clone(), privilege: begin.privilege, from });
    }
    node
}
