//! `sitewarden explain`: one control in full.

use super::args::Explain;
use super::error::CliError;
use super::site_file::SiteFile;
use super::{GOOD, source};
use crate::catalog::{Control, References, Scope, Who};
use crate::evidence::Profile;
use crate::report::{clean, wrap};
use std::fmt::Write as _;
use std::io::Write;

/// Columns of a line.
const WIDTH: usize = 80;

/// Prints the control.
pub(super) fn run(explain: &Explain, out: &mut dyn Write) -> Result<u8, CliError> {
    let catalog = source::catalog(&explain.folders, &SiteFile::default())?;
    let control = source::control(&catalog.controls, &explain.name)?;
    out.write_all(page(control).as_bytes())?;
    out.flush()?;
    Ok(GOOD)
}

fn page(control: &Control) -> String {
    let mut page = String::new();
    let _ = writeln!(page, "{}", clean(&control.id));
    prose(&mut page, 0, &control.title);
    page.push('\n');
    pair(&mut page, "section", &format!("{} ({})", control.section.title(), control.section.as_str()));
    pair(&mut page, "severity", control.severity.as_str());
    pair(
        &mut page,
        "profile",
        match control.profile {
            Profile::Guide => "guide",
            Profile::Cis => "cis",
        },
    );
    pair(
        &mut page,
        "asked of",
        match control.scope {
            Scope::Site => "the site",
            Scope::Cluster => "the cluster, through its API",
            Scope::Node => "each node",
            Scope::Endpoint => "each endpoint: a port of the control plane or of a kubelet, as it looks from here",
        },
    );
    let who = match control.who {
        Who::Technician => "a technician at the site",
        Who::Administrator => "an administrator of the cluster",
        Who::Vendor => "the vendor of the platform",
        Who::Azure => "Azure's own commands",
    };
    pair(&mut page, "put right", &format!("by {who}, about {} minutes", control.minutes));
    heading(&mut page, "Why it matters");
    prose(&mut page, 2, &control.why);
    heading(&mut page, "What is asked");
    conditions(&mut page, control);
    if let Some(ask) = &control.ask {
        heading(&mut page, "What to look at and ask");
        prose(&mut page, 2, ask);
    }
    heading(&mut page, "What to do");
    prose(&mut page, 2, &control.fix);
    references(&mut page, &control.references);
    page
}

fn conditions(page: &mut String, control: &Control) {
    let Some(expect) = &control.expect else {
        prose(page, 2, "No probe can tell: a person must answer.");
        return;
    };
    let parts = [
        ("applies when", control.when.as_ref()),
        ("each of", control.each.as_ref()),
        ("where", control.where_.as_ref()),
        ("must hold", Some(expect)),
    ];
    for (name, condition) in parts {
        if let Some(condition) = condition {
            let _ = writeln!(page, "  {name}:");
            prose(page, 4, condition);
        }
    }
    if let Some(otherwise) = &control.otherwise {
        prose(page, 2, &format!("does not apply otherwise: {otherwise}"));
    }
}

fn references(page: &mut String, references: &References) {
    let named = references.named();
    if named.is_empty() {
        return;
    }
    heading(page, "References");
    for (name, entries) in named {
        prose(page, 2, &format!("{name}: {}", entries.join("; ")));
    }
}

fn heading(page: &mut String, title: &str) {
    let _ = writeln!(page, "\n{title}");
}

fn pair(page: &mut String, name: &str, value: &str) {
    for (number, line) in wrap(&clean(value), WIDTH - 11).iter().enumerate() {
        let name = if number == 0 { name } else { "" };
        let _ = writeln!(page, "{name:<11}{line}");
    }
}

/// Wrapped text that keeps its own lines and their indent: steps and commands are written one a line.
fn prose(page: &mut String, indent: usize, text: &str) {
    for own in text.trim_end().lines() {
        let own = clean(own);
        let inner = own.len() - own.trim_start_matches(' ').len();
        let indent = (indent + inner).min(WIDTH / 2);
        let lines = wrap(&own, WIDTH - indent);
        if lines.is_empty() {
            page.push('\n');
        }
        for line in lines {
            let _ = writeln!(page, "{:indent$}{line}", "");
        }
    }
}
