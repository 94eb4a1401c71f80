//! `sitewarden schema`: the JSON Schema of a document.

use super::GOOD;
use super::args::{Document, Schema};
use super::error::CliError;
use super::journal;
use crate::assess::{self, Assessment};
use crate::evidence::{self, Evidence};
use crate::report::json;
use schemars::generate::SchemaSettings;
use std::io::Write;

/// Prints the schema.
pub(super) fn run(schema: &Schema, out: &mut dyn Write) -> Result<u8, CliError> {
    // Evidence is read back, so its schema says what is accepted; findings are only ever written.
    let (name, mut root) = match schema.document {
        Document::Evidence => {
            (evidence::SCHEMA, SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Evidence>())
        }
        Document::Findings => (
            assess::SCHEMA,
            SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<Assessment>(),
        ),
        Document::Journal => (
            journal::SCHEMA,
            SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<journal::Document>(),
        ),
    };
    root.insert("title".to_owned(), name.into());
    let text = json(&root).map_err(|error| CliError::Own("the schema", error.to_string()))?;
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(GOOD)
}
