//! `sitewarden` without a subcommand: the walk-through.

use super::args::Walk;
use super::error::CliError;
use super::{cluster, site_file, source, targets};
use crate::tui;
use std::io::Write;

/// Starts the screens and gives their exit status.
pub(super) fn run(walk: &Walk, err: &mut dyn Write) -> Result<u8, CliError> {
    let size = walk.size.as_deref().map(size).transpose()?;
    let site = site_file::read(walk.look.site.as_deref())?;
    let catalog = source::catalog(&walk.folders, &site)?;
    let policy = source::policy(&walk.judge, &catalog.controls)?;
    let lifecycle = source::lifecycle()?;
    let evidence = source::evidence(&walk.judge, &walk.look)?;
    let as_of = source::as_of(&walk.judge, evidence.as_ref())?;
    let (mut visit, usual) = targets::visit(&walk.look, &site)?;
    visit.given.extend(walk.change.ways());
    let named = visit.cluster.is_some() || !visit.targets.is_empty();
    // Only the first screen offers them.
    let offered = evidence.is_none() && !named && !walk.look.no_cluster;
    let contexts = if offered { cluster::offered(&usual.target) } else { Ok(Vec::new()) };
    if let Some(cluster) = &visit.cluster {
        cluster::log_in(&cluster.target, err);
    }
    let demo = walk.judge.demo;
    Ok(tui::run(tui::Start {
        visit,
        usual,
        contexts,
        evidence,
        catalog,
        lifecycle,
        policy,
        as_of,
        size,
        demo,
        named,
        allow_changes: walk.change.allow_changes,
        choices: walk.change.choices(),
        journal: walk.change.folder(),
    })?)
}

/// `80x24`.
fn size(given: &str) -> Result<(u16, u16), CliError> {
    let sound = |text: &str| text.parse::<u16>().ok().filter(|number| (1..=1000).contains(number));
    given
        .split_once(['x', 'X'])
        .and_then(|(columns, rows)| Some((sound(columns)?, sound(rows)?)))
        .ok_or_else(|| CliError::Size(given.to_owned()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_size_is_columns_and_rows() {
        assert_eq!(size("80x24").unwrap(), (80, 24));
        for wrong in ["80", "0x24", "80x", "x", "80x-1", "99999x24"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
