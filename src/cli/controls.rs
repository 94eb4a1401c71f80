//! `sitewarden controls`: the catalog as a list, and the functions that its conditions may call.

use super::args::{Controls, Format};
use super::error::CliError;
use super::site_file::SiteFile;
use super::{GOOD, source};
use crate::catalog::{Catalog, Control, Scope, Section, functions};
use crate::evidence::Profile;
use crate::report::{clean, json, wrap};
use serde::Serialize;
use std::fmt::Write as _;
use std::io::Write;

/// The list as a document.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    catalog_digest: &'a str,
    controls: Vec<&'a Control>,
}

/// Prints the list.
pub(super) fn run(controls: &Controls, out: &mut dyn Write) -> Result<u8, CliError> {
    source::sections(&controls.narrow)?;
    if controls.functions {
        let text = match controls.format {
            Format::Json => functions_as_json()?,
            Format::Text => functions_as_text(),
        };
        return print(&text, out);
    }
    let catalog = source::catalog(&controls.folders, &SiteFile::default())?;
    // The list shows everything unless it was narrowed: it is where names are looked up.
    let profile = source::profile(&controls.narrow).unwrap_or(Profile::Cis);
    let wanted = &controls.narrow.section;
    let listed: Vec<&Control> = catalog
        .controls
        .iter()
        .filter(|control| control.profile <= profile)
        .filter(|control| wanted.is_empty() || wanted.iter().any(|given| given == control.section.as_str()))
        .collect();
    let text = match controls.format {
        Format::Json => as_json(&catalog, listed)?,
        Format::Text => as_text(&listed),
    };
    print(&text, out)
}

fn print(text: &str, out: &mut dyn Write) -> Result<u8, CliError> {
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(GOOD)
}

fn functions_as_json() -> Result<String, CliError> {
    let list: Vec<serde_json::Value> = functions()
        .iter()
        .map(|function| {
            serde_json::json!({
                "name": function.name,
                "signature": function.signature,
                "doc": function.doc,
                "example": function.example,
            })
        })
        .collect();
    json(&serde_json::json!({"schema": "sitewarden.functions/v1", "functions": list}))
        .map_err(|error| CliError::Own("the list of functions", error.to_string()))
}

fn functions_as_text() -> String {
    let mut text = String::new();
    for function in functions() {
        let _ = writeln!(text, "{}", function.signature);
        for line in wrap(function.doc, 76) {
            let _ = writeln!(text, "    {line}");
        }
        let _ = writeln!(text, "    {}\n", function.example);
    }
    text
}

fn as_json(catalog: &Catalog, controls: Vec<&Control>) -> Result<String, CliError> {
    let document = Document { schema: "sitewarden.controls/v1", catalog_digest: &catalog.digest, controls };
    json(&document).map_err(|error| CliError::Own("the catalog", error.to_string()))
}

fn as_text(controls: &[&Control]) -> String {
    let mut text = String::new();
    for section in Section::ALL {
        let mut of_section = controls.iter().filter(|control| control.section == section).peekable();
        if of_section.peek().is_none() {
            continue;
        }
        let _ = writeln!(text, "{} ({})", section.title(), section.as_str());
        for control in of_section {
            let manual = if control.expect.is_none() { "  asks a person" } else { "" };
            let of = match control.scope {
                Scope::Site => "  of the site",
                Scope::Cluster => "  of the cluster",
                Scope::Node => "",
                Scope::Endpoint => "  of each endpoint",
            };
            let cis = if control.profile == Profile::Cis { "  profile cis" } else { "" };
            let _ = writeln!(text, "  {:<9}{}{of}{manual}{cis}", control.severity.as_str(), clean(&control.id));
            for line in wrap(&clean(&control.title), 69) {
                let _ = writeln!(text, "           {line}");
            }
        }
        text.push('\n');
    }
    let _ = writeln!(text, "{} controls. `sitewarden explain CONTROL` shows one in full.", controls.len());
    text
}
