//! `sitewarden collect`: probe only, and write what was seen.

use super::args::Collect;
use super::error::CliError;
use super::output::Output;
use super::{GOOD, INCOMPLETE, cluster, site_file, targets};
use crate::assess::is_incomplete;
use crate::evidence::joined_nodes;
use crate::report::{clean, json};
use std::io::{self, Write};

/// Runs it and gives the exit status: 3 where the cluster, a node or all ports of an address were not reached, or their
/// answers are not whole.
pub(super) fn run(collect: &Collect, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, CliError> {
    let site = site_file::read(collect.look.site.as_deref())?;
    let (mut visit, usual) = targets::visit(&collect.look, &site)?;
    targets::or_usual(&mut visit, &collect.look, usual, &mut |note| {
        let _ = writeln!(err, "sitewarden: {}", clean(note));
    })?;
    let output = Output::open(Some(&collect.output), true)?;
    if let Some(cluster) = &visit.cluster {
        cluster::log_in(&cluster.target, err);
    }
    let evidence = targets::collect(&visit, collect.talk, output.is_stdout());
    let document = json(&evidence).map_err(|error| CliError::Own("the evidence", error.to_string()))?;
    match output.write(document.as_bytes(), out) {
        Err(CliError::Print(error)) if error.kind() == io::ErrorKind::BrokenPipe => {}
        written => written?,
    }
    for cluster in evidence.cluster.iter().filter(|cluster| !cluster.reached || !cluster.complete) {
        for error in &cluster.errors {
            let _ = writeln!(err, "sitewarden: cluster: {}", clean(&error.message));
        }
    }
    for joined in joined_nodes(&evidence) {
        for error in joined.node.errors.iter().filter(|_| !joined.node.reached || !joined.node.complete) {
            let _ = writeln!(err, "sitewarden: node {}: {}", clean(&joined.name), clean(&error.message));
        }
    }
    Ok(if is_incomplete(&evidence) { INCOMPLETE } else { GOOD })
}
