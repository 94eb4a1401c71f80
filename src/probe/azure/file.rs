//! The JSON of `az` out of a file or pasted: one answer, several in a row, or an object that holds several.

use super::shape;
use super::{AzFact, conclude, is_of, put};
use crate::evidence::ClusterEvidence;
use crate::probe::json::Document;

/// Longest text that is read.
const BYTES: usize = 8 << 20;

/// Answers in a row.
const IN_A_ROW: usize = 32;

/// Why a file told nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AzureFileError {
    /// Too long.
    #[error("it is longer than 8 MiB, which no answer of `az` is. Give the answers of the commands alone")]
    TooLarge,
    /// No text.
    #[error("it is no text in UTF-8 or UTF-16. Write it with `az ... --output json > FILE`")]
    NoText,
    /// No JSON.
    #[error("it is no JSON (line {line}, column {column}). Write it with `az ... --output json > FILE`")]
    NoJson {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// JSON of something else.
    #[error(
        "it holds no answer of `az connectedk8s show`, `az aksarc show`, `az aksarc get-upgrades` or `az k8s-extension list`. Give the JSON that these write"
    )]
    NothingKnown,
    /// Answers about another cluster.
    #[error("it is about another resource than this cluster. Run the commands for the cluster that is looked at")]
    Another,
}

/// Reads what Azure said out of a text and puts it into the evidence of a cluster, in the place of what stood there. Gives
/// what it told. Nothing is changed where it fails.
pub fn read(cluster: &mut ClusterEvidence, bytes: &[u8]) -> Result<Vec<AzFact>, AzureFileError> {
    if bytes.len() > BYTES {
        return Err(AzureFileError::TooLarge);
    }
    let text = decode(bytes).ok_or(AzureFileError::NoText)?;
    let mut answers = Vec::new();
    let documents = serde_json::Deserializer::from_str(&text).into_iter::<Document>();
    for document in documents.take(IN_A_ROW) {
        let document =
            document.map_err(|error| AzureFileError::NoJson { line: error.line(), column: error.column() })?;
        answers.extend(shape::answers(&document.0));
    }
    if answers.is_empty() {
        return Err(AzureFileError::NothingKnown);
    }
    if answers.iter().any(|answer| !is_of(cluster, answer)) {
        return Err(AzureFileError::Another);
    }
    let mut told: Vec<AzFact> = answers.iter().map(|answer| answer.said.fact()).collect();
    answers.into_iter().for_each(|answer| put(cluster, answer.said));
    conclude(cluster);
    told.sort_unstable();
    told.dedup();
    Ok(told)
}

/// The text of a file: UTF-8, or UTF-16 with its mark, which is what Windows PowerShell writes.
fn decode(bytes: &[u8]) -> Option<String> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Option<Vec<u16>> = bytes.chunks(2).map(|pair| Some(unit([*pair.first()?, *pair.get(1)?]))).collect();
        String::from_utf16(&units?).ok()
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => std::str::from_utf8(rest).ok().map(str::to_owned),
        _ => std::str::from_utf8(bytes).ok().map(str::to_owned),
    }
}
