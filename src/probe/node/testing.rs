//! What the tests of this room share: answers made by hand, and evidence made of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::frames::Frames;
use crate::evidence::{ChannelKind, NodeEvidence, Reason};

/// Key, flags, payload.
pub(super) type Made = (String, String, Vec<u8>);

pub(super) const NONCE: &str = "00112233445566778899aabbccddeeff";

/// A record of an answer.
pub(super) fn record(key: &str, flags: &str, payload: &str) -> Made {
    (key.to_owned(), flags.to_owned(), payload.as_bytes().to_vec())
}

/// A whole answer with these records.
pub(super) fn frames(records: &[Made]) -> Frames {
    let body: String = records
        .iter()
        .map(|(key, flags, payload)| {
            let encoded = openssl::base64::encode_block(payload);
            format!("@ {NONCE} {key} 0 {flags} {}\n{encoded}\n", encoded.len())
        })
        .collect();
    let answer = format!("@ {NONCE} BEGIN 1 b64\n{body}@ {NONCE} END {}\n", records.len());
    Frames::parse(answer.as_bytes(), NONCE)
}

/// A node of which nothing is read yet.
pub(super) fn blank(complete: bool) -> NodeEvidence {
    let mut node = NodeEvidence::unread("node1", None, ChannelKind::Local, Reason::NotVisible, "");
    (node.reached, node.complete) = (true, complete);
    node.errors.clear();
    node.unread.clear();
    node
}

/// The evidence of an answer with these records.
pub(super) fn assembled(records: &[Made]) -> NodeEvidence {
    let frames = frames(records);
    assert!(frames.complete, "{:?}", frames.problem);
    super::assemble::assemble(&frames, blank(true))
}
