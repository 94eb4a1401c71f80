//! From options to a visit: which cluster and nodes, how they are reached, how long that may take.

use super::args::Talk;
use super::cluster;
use super::console::{Console, OneAtATime};
use super::error::CliError;
use super::look::Look;
use super::seat::seat;
use super::site_file::SiteFile;
use super::tty::Person;
use crate::channel::ssh::{SshConfig, SshOptions};
use crate::channel::{Ask, Limits, NobodyToAsk};
use crate::evidence::{Evidence, Seat, SiteFacts};
use crate::kubeapi::chosen;
use crate::site::{NodeTarget, Way, jump_hosts};
use crate::visit::{AzureSaid, ClusterVisit, Progress, Visit, repeated_name};
use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Nodes read at once where nothing was said: more would crowd a slow site link.
const JOBS: u16 = 8;

/// The visit that the options ask for, without cluster and nodes where none was named, neither here nor in the site
/// file; and how a cluster would be read that is chosen later.
pub(super) fn visit(look: &Look, site: &SiteFile) -> Result<(Visit, ClusterVisit), CliError> {
    for file in &look.identity {
        readable("the identity file", file)?;
    }
    if let Some(file) = &look.known_hosts {
        readable("the known-hosts file", file)?;
    }
    for fingerprint in &look.accept_host_key {
        check_fingerprint(fingerprint)?;
    }
    let seat = seat();
    let mut targets = targets(look, site, &seat)?;
    let jump = look.jump.as_deref().map(jump_hosts).transpose();
    let jump = jump.map_err(|why| CliError::Jump { given: look.jump.clone().unwrap_or_default(), why })?;
    for target in &mut targets {
        if let (Way::Ssh { jump: own, .. }, true) = (&mut target.way, jump.is_some()) {
            own.clone_from(&jump);
        }
    }
    if let Some(name) = repeated_name(&targets) {
        return Err(CliError::Repeated(name.to_owned()));
    }
    let mut limits = Limits::default();
    if let Some(seconds) = look.timeout {
        limits.run = Duration::from_secs(seconds);
    }
    let named = cluster::named(look, site)?;
    let usual = cluster::usual(look, site)?;
    if named {
        cluster::check(&usual.target)?;
    }
    let cluster = named.then(|| usual.clone());
    let visit = Visit {
        cluster,
        endpoints: !look.no_endpoints && !site.cluster.as_ref().is_some_and(|section| section.no_endpoints),
        before: None,
        others: site.nodes.iter().filter(|node| !targets.contains(node)).cloned().collect(),
        site: SiteFacts { name: site.name.clone(), management_networks: site.management_networks.clone() },
        targets,
        ssh: SshOptions {
            identities: look.identity.clone(),
            known_hosts: look.known_hosts.iter().chain(site.known_hosts.iter()).take(1).cloned().collect(),
            accepted: accepted_keys(),
            accept: look.accept_host_key.clone(),
            config: ssh_config(look)?,
            jump,
            ..SshOptions::default()
        },
        limits,
        packages: !look.no_packages,
        jobs: usize::from(look.jobs.unwrap_or(JOBS)),
        given: look.ways(),
        seat,
    };
    Ok((visit, usual))
}

/// The SSH configuration: the usual one, the file that was named, or none.
fn ssh_config(look: &Look) -> Result<SshConfig, CliError> {
    match look.ssh_config.as_deref() {
        None => Ok(SshConfig::usual()),
        Some(file) if file == Path::new("none") => Ok(SshConfig::default()),
        Some(file) => readable("the SSH configuration", file).map(|()| SshConfig::file(file)),
    }
}

/// What a scan looks at where nothing was named: the cluster of the current context if there is one, else this machine.
/// A kubeconfig that is there and broken is an error: to fall back to this machine would look at something else than was
/// meant. `say` hears what a person should know.
pub(super) fn or_usual(
    visit: &mut Visit,
    look: &Look,
    usual: ClusterVisit,
    say: &mut dyn FnMut(&str),
) -> Result<(), CliError> {
    if visit.cluster.is_some() || !visit.targets.is_empty() {
        return Ok(());
    }
    if !look.no_cluster {
        match chosen(&usual.target).map_err(|error| CliError::UsualKubeconfig(error.message))? {
            Some(_) => {
                visit.cluster = Some(usual);
                return Ok(());
            }
            None => {
                let listed = cluster::listed(&usual.target);
                if !listed.is_empty() {
                    say(&format!("the kubeconfig names no current context, so this machine is looked at{listed}"));
                }
            }
        }
    }
    if usual.azure != AzureSaid::default() {
        let words =
            "Azure is asked about a cluster, and no kubeconfig was found; name one with --kubeconfig or --context";
        return Err(CliError::Kubeconfig(words.to_owned()));
    }
    visit.targets.push(this_machine(&visit.seat));
    Ok(())
}

/// What was named counts: `--node` and `--local`; where nothing was, every node of the site file.
fn targets(look: &Look, site: &SiteFile, seat: &Seat) -> Result<Vec<NodeTarget>, CliError> {
    if look.node.is_empty() && !look.local {
        let cluster_alone = look.context.is_some() || !look.kubeconfig.is_empty();
        return Ok(if cluster_alone { Vec::new() } else { site.nodes.clone() });
    }
    let mut targets = Vec::new();
    if look.local {
        targets.push(this_machine(seat));
    }
    for given in &look.node {
        match site.nodes.iter().find(|node| node.name == *given) {
            Some(node) => targets.push(node.clone()),
            None => targets.push(given.parse()?),
        }
    }
    Ok(targets)
}

/// This machine as a node, by its own name.
fn this_machine(seat: &Seat) -> NodeTarget {
    let name = if seat.host == "unknown" { "local" } else { &seat.host };
    NodeTarget::new(name, Way::Local)
}

pub(super) fn readable(what: &'static str, file: &Path) -> Result<(), CliError> {
    let tried = File::open(file)
        .and_then(|open| open.metadata())
        .and_then(|meta| if meta.is_dir() { Err(io::Error::from(io::ErrorKind::IsADirectory)) } else { Ok(()) });
    tried.map_err(|error| CliError::Read { what, file: file.to_owned(), error })
}

/// `SHA256:` and the base64 of 32 bytes without padding.
fn check_fingerprint(given: &str) -> Result<(), CliError> {
    let sound = given.strip_prefix("SHA256:").is_some_and(|hash| {
        hash.len() == 43 && hash.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/')
    });
    if sound { Ok(()) } else { Err(CliError::Fingerprint(given.to_owned())) }
}

/// Our own file of accepted host keys. None where there is no home folder.
pub(super) fn accepted_keys() -> Option<PathBuf> {
    dirs::data_local_dir().map(|folder| folder.join("sitewarden").join("known_hosts"))
}

/// Reads cluster and nodes, with progress on standard error where a person looks at it or asked for it. `quiet_input`: nobody
/// is asked unless standard input is a terminal, since a program reads the result.
pub(super) fn collect(visit: &Visit, talk: Talk, quiet_input: bool) -> Evidence {
    let console = Arc::new(Console::new(Box::new(io::stderr())));
    if visit.ssh.accepted.is_none() && visit.targets.iter().any(|target| matches!(target.way, Way::Ssh { .. })) {
        console.say("sitewarden: there is no home folder (HOME is not set), so accepted host keys are not remembered");
    }
    let ask = asker(&console, quiet_input);
    collect_asking(visit, talk, &console, &ask)
}

/// Who is asked. `quiet_input` as in [`collect`].
pub(super) fn asker(console: &Arc<Console>, quiet_input: bool) -> Arc<dyn Ask> {
    match Person::there() {
        Some(person) if !quiet_input || io::stdin().is_terminal() => {
            Arc::new(OneAtATime::new(person, Arc::clone(console)))
        }
        _ => Arc::new(NobodyToAsk),
    }
}

/// As [`collect`], with somebody who answers.
pub(super) fn collect_asking(visit: &Visit, talk: Talk, console: &Arc<Console>, ask: &Arc<dyn Ask>) -> Evidence {
    let console = Arc::clone(console);
    let shown = talk.verbose || io::stderr().is_terminal();
    let progress: Arc<dyn Fn(Progress) + Send + Sync> = Arc::new(move |step: Progress| {
        if shown {
            console.tell(&step);
        }
    });
    visit.collect(ask, &progress)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;

    fn site() -> SiteFile {
        let nodes = ["a=10.0.0.1", "b=10.0.0.2"].map(|entry| {
            let (name, host) = entry.split_once('=').unwrap();
            NodeTarget { name: name.to_owned(), ..host.parse().unwrap() }
        });
        SiteFile { nodes: nodes.to_vec(), ..SiteFile::default() }
    }

    fn names(look: &Look) -> Vec<String> {
        let seat = Seat { host: "here".to_owned(), user: "ana".to_owned() };
        targets(look, &site(), &seat).unwrap().into_iter().map(|target| target.name).collect()
    }

    #[test]
    fn what_was_named_is_looked_at_and_nothing_else() {
        assert_eq!(names(&Look::default()), ["a", "b"]);
        assert_eq!(names(&Look { local: true, ..Look::default() }), ["here"]);
        assert_eq!(names(&Look { node: vec!["b".into(), "c:2222".into()], ..Look::default() }), ["b", "c:2222"]);
        assert!(names(&Look { context: Some("edge".into()), ..Look::default() }).is_empty());
    }

    #[test]
    fn a_name_of_the_site_file_is_reached_at_its_address() {
        let look = Look { node: vec!["b".into()], ..Look::default() };
        let found = targets(&look, &site(), &Seat::default()).unwrap();
        assert!(matches!(&found[0].way, Way::Ssh { host, .. } if host == "10.0.0.2"));
    }

    #[test]
    fn jump_hosts_of_the_command_line_win_over_those_of_the_site_file() {
        let look = Look { jump: Some("ana@gate".into()), ..Look::default() };
        let (visit, _) = visit(&look, &site()).unwrap();
        assert!(
            visit
                .targets
                .iter()
                .all(|target| { matches!(&target.way, Way::Ssh { jump: Some(jump), .. } if jump[0].host == "gate") })
        );
        let wrong = Look { jump: Some("gate:0".into()), ..Look::default() };
        assert!(matches!(super::visit(&wrong, &site()), Err(CliError::Jump { .. })));
    }

    #[test]
    fn two_targets_of_one_name_are_refused() {
        let look = Look { node: vec!["ana@c".into(), "bea@c".into()], ..Look::default() };
        assert!(matches!(visit(&look, &SiteFile::default()), Err(CliError::Repeated(name)) if name == "c"));
    }

    #[test]
    fn a_fingerprint_is_told_from_something_else() {
        assert!(check_fingerprint("SHA256:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg").is_ok());
        for wrong in ["SHA256:abc", "MD5:n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg", ""] {
            assert!(check_fingerprint(wrong).is_err());
        }
    }
}
