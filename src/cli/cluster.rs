//! From options and site file to the cluster that is looked at.

use super::error::CliError;
use super::look::Look;
use super::site_file::SiteFile;
use super::tty::Person;
use crate::evidence::ClusterEvidence;
use crate::kubeapi::{ContextInfo, chosen, contexts, interactive_login, login, login_program};
use crate::probe::azure;
use crate::report::{clean, wrap};
use crate::site::{AzureSource, ClusterTarget};
use crate::visit::{AzureSaid, CLUSTER_TIME, ClusterVisit};
use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// As many bytes of a file with Azure's answers are read, which is more than is taken.
const LARGEST: u64 = 16 << 20;

/// How a cluster would be read, whichever it is: what options and site file say of it.
pub(super) fn usual(look: &Look, site: &SiteFile) -> Result<ClusterVisit, CliError> {
    let section = site.cluster.clone().unwrap_or_default();
    let named: Vec<PathBuf> = look.kubeconfig.iter().flat_map(std::env::split_paths).collect();
    let target = ClusterTarget {
        kubeconfig: if named.is_empty() { section.target.kubeconfig } else { named },
        context: look.context.clone().or(section.target.context),
        platform: section.target.platform,
    };
    let source = if look.azure || !look.azure_json.is_empty() {
        AzureSource { run: look.azure, files: look.azure_json.clone() }
    } else {
        section.azure
    };
    Ok(ClusterVisit { target, azure: azure(&source)?, time: look.timeout.map_or(CLUSTER_TIME, Duration::from_secs) })
}

/// Whether options or site file name the cluster. What was named counts: `--context` and `--kubeconfig`; where nothing
/// else was, the site file's table.
pub(super) fn named(look: &Look, site: &SiteFile) -> Result<bool, CliError> {
    let by_option = match (&look.context, look.kubeconfig.is_empty()) {
        (Some(_), _) => Some("--context"),
        (None, false) => Some("--kubeconfig"),
        (None, true) => None,
    };
    let azure = if look.azure { Some("--azure") } else { (!look.azure_json.is_empty()).then_some("--azure-json") };
    if let (true, Some(other)) = (look.no_cluster, by_option.or(azure)) {
        let why = "one names a cluster, the other keeps clusters out; leave one of them out";
        return Err(CliError::Conflict { one: "--no-cluster", other, why });
    }
    let node = if look.local { Some("--local") } else { (!look.node.is_empty()).then_some("--node") };
    if let (None, Some(one), Some(other)) = (by_option, azure, node) {
        let why = "Azure is asked about a cluster, and only nodes are named; name the cluster too, with --context";
        return Err(CliError::Conflict { one, other, why });
    }
    Ok(by_option.is_some() || (!look.no_cluster && node.is_none() && site.cluster.is_some()))
}

/// Holds a cluster against its kubeconfig, before anything is connected: it must be readable, and the context in it.
pub(super) fn check(target: &ClusterTarget) -> Result<(), CliError> {
    match chosen(target).map_err(|error| CliError::Kubeconfig(error.message))? {
        Some(_) => Ok(()),
        None => Err(CliError::Kubeconfig(format!(
            "no kubeconfig names a current context; name one with --context or a file with --kubeconfig{}",
            listed(target)
        ))),
    }
}

/// The contexts that a kubeconfig knows, at the end of a sentence.
pub(super) fn listed(target: &ClusterTarget) -> String {
    const MOST: usize = 20;
    let found = contexts(target).unwrap_or_default();
    if found.is_empty() {
        return String::new();
    }
    let names: Vec<&str> = found.iter().take(MOST).map(|context| context.name.as_str()).collect();
    let more = if found.len() > MOST { format!(" and {} more", found.len() - MOST) } else { String::new() };
    format!("; there are {}{more}", names.join(", "))
}

/// The contexts for the first screen, the current one first; or a sentence that says why there are none.
pub(super) fn offered(target: &ClusterTarget) -> Result<Vec<ContextInfo>, String> {
    let mut found = contexts(target).map_err(|error| error.message)?;
    found.sort_by_key(|context| !context.current);
    Ok(found)
}

/// Where the context logs in by a program, has it do so before anything else uses the terminal; where that wants a person
/// and one is there, asks whether to log in now. What still fails is told when the cluster is connected to.
pub(super) fn log_in(target: &ClusterTarget, err: &mut dyn Write) {
    let Some(person) = Person::there().filter(|_| io::stdin().is_terminal()) else { return };
    let Some(program) = login_program(target) else { return };
    let _ = writeln!(err, "sitewarden: logging in to the cluster by {}", clean(&program));
    let Some(hint) = login(target) else { return };
    let told = format!(
        "{}. The context {} logs in by {}. Type yes to log in now, anything else goes on without:",
        clean(hint.message.trim_end_matches('.')),
        clean(&hint.context),
        clean(&hint.program)
    );
    let asked = format!("\n{} ", wrap(&told, 78).join("\n"));
    if person.agrees(&asked)
        && let Err(error) = interactive_login(target)
    {
        let _ = writeln!(err, "sitewarden: {}", clean(&error.message));
    }
}

/// Reads what `az` printed, and refuses what it cannot have printed.
fn azure(source: &AzureSource) -> Result<AzureSaid, CliError> {
    let files =
        source.files.iter().map(|file| Ok((file.clone(), read(file)?))).collect::<Result<Vec<_>, CliError>>()?;
    for (file, bytes) in &files {
        // Of which cluster it is shows only once the cluster is read.
        azure::read(&mut ClusterEvidence::default(), bytes)
            .map_err(|error| CliError::Azure { file: file.clone(), error })?;
    }
    Ok(AzureSaid { run: source.run, files })
}

fn read(file: &Path) -> Result<Vec<u8>, CliError> {
    let wrong = |error| CliError::Read { what: "what Azure says in", file: file.to_owned(), error };
    let mut bytes = Vec::new();
    if file == Path::new("-") {
        io::stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes).map_err(wrong)?;
    } else {
        File::open(file).and_then(|open| open.take(LARGEST + 1).read_to_end(&mut bytes)).map_err(wrong)?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;
    use crate::site::ClusterSection;

    fn site() -> SiteFile {
        let target = ClusterTarget {
            kubeconfig: vec!["/sites/kube".into()],
            context: Some("edge".into()),
            platform: Some("k3s".into()),
        };
        SiteFile { cluster: Some(ClusterSection { target, ..ClusterSection::default() }), ..SiteFile::default() }
    }

    #[test]
    fn what_was_named_is_looked_at_and_nothing_else() {
        let context = Look { context: Some("a".into()), ..Look::default() };
        let node = Look { node: vec!["n".into()], ..Look::default() };
        let both = Look { node: vec!["n".into()], ..context.clone() };
        let without = Look { no_cluster: true, ..Look::default() };
        let none = SiteFile::default();
        let asked = |look: &Look| (named(look, &none).unwrap(), named(look, &site()).unwrap());
        assert_eq!(asked(&Look::default()), (false, true));
        assert_eq!(asked(&context), (true, true));
        assert_eq!(asked(&both), (true, true));
        assert_eq!(asked(&node), (false, false), "with only --node no cluster is asked");
        assert_eq!(asked(&without), (false, false));
    }

    #[test]
    fn options_that_contradict_each_other_are_refused() {
        let context = Look { context: Some("a".into()), no_cluster: true, ..Look::default() };
        let azure = Look { azure: true, no_cluster: true, ..Look::default() };
        let of_node = Look { azure: true, local: true, ..Look::default() };
        for look in [context, azure, of_node] {
            assert!(matches!(named(&look, &site()), Err(CliError::Conflict { .. })), "{look:?}");
        }
    }

    #[test]
    fn options_win_over_the_site_file_one_by_one() {
        let look = Look { context: Some("other".into()), timeout: Some(7), ..Look::default() };
        let visit = usual(&look, &site()).unwrap();
        assert_eq!(visit.target.context.as_deref(), Some("other"));
        assert_eq!(visit.target.kubeconfig, [PathBuf::from("/sites/kube")]);
        assert_eq!(visit.target.platform.as_deref(), Some("k3s"));
        assert_eq!(visit.time, Duration::from_secs(7));
        let files = std::env::join_paths(["/a", "/b"]).unwrap();
        let look = Look { kubeconfig: vec![files.into(), "/c".into()], ..Look::default() };
        assert_eq!(usual(&look, &site()).unwrap().target.kubeconfig, ["/a", "/b", "/c"].map(PathBuf::from));
    }

    #[test]
    fn what_azure_said_is_read_at_the_start() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("azure.json");
        let id = "/subscriptions/df56d048-2e20-4ab6-82b7-11643163aa53/resourceGroups/rg/providers/Microsoft.Kubernetes/connectedClusters/edge";
        std::fs::write(&file, format!("{{\"id\": \"{id}\", \"type\": \"Microsoft.Kubernetes/connectedClusters\"}}"))
            .unwrap();
        let look = Look { azure_json: vec![file.clone()], ..Look::default() };
        assert_eq!(usual(&look, &SiteFile::default()).unwrap().azure.files[0].0, file);
        for wrong in [&b"{}"[..], b"\xff", b"no json"] {
            std::fs::write(&file, wrong).unwrap();
            assert!(matches!(usual(&look, &SiteFile::default()), Err(CliError::Azure { .. })), "{wrong:?}");
        }
    }
}
