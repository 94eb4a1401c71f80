//! Options that say what is looked at, and how it is reached.

use super::args::{Under, given, joined};
use crate::visit::typed;
use clap::Args;
use std::path::PathBuf;

/// What is looked at, and how it is reached.
#[derive(Debug, Clone, Default, PartialEq, Args)]
#[command(next_help_heading = "Targets")]
pub(super) struct Look {
    /// Site file (TOML): what a person knows about the site. With --context, --kubeconfig, --node or --local, only what
    /// these name is looked at, and --node takes the file's names too
    #[arg(long, value_name = "FILE")]
    pub(super) site: Option<PathBuf>,
    /// Look at the cluster of this kubeconfig file (repeatable, or several in one as in KUBECONFIG)
    #[arg(long, value_name = "FILE")]
    pub(super) kubeconfig: Vec<PathBuf>,
    /// Look at the cluster of this context; without it, of the current one
    #[arg(long, value_name = "NAME")]
    pub(super) context: Option<String>,
    /// Ask no cluster's API
    #[arg(long)]
    pub(super) no_cluster: bool,
    /// Leave the ports of the control plane and of kubelets alone, which are otherwise looked at from here
    #[arg(long)]
    pub(super) no_endpoints: bool,
    /// Run the `az` that is installed for what Azure says of an Arc-connected cluster: az connectedk8s show, az aksarc
    /// show, az aksarc get-upgrades, az k8s-extension list
    #[arg(long)]
    pub(super) azure: bool,
    /// Take what Azure says from JSON that these commands printed; `-` is standard input (repeatable)
    #[arg(long, value_name = "FILE")]
    pub(super) azure_json: Vec<PathBuf>,
    /// Look at this machine
    #[arg(long)]
    pub(super) local: bool,
    /// Look at this node, by SSH (repeatable)
    #[arg(long, value_name = "[USER@]HOST[:PORT]")]
    pub(super) node: Vec<String>,
    /// Private key file to log in with (repeatable)
    #[arg(long, value_name = "FILE")]
    pub(super) identity: Vec<PathBuf>,
    /// Reach the nodes by way of these jump hosts, as ssh -J does; `none` for none, whatever the site file's nodes or the
    /// SSH configuration say
    #[arg(short = 'J', long, value_name = "[USER@]HOST[:PORT],...")]
    pub(super) jump: Option<String>,
    /// Read this SSH configuration instead of ~/.ssh/config and the system's; `none` for none. Of it count HostName,
    /// User, Port, IdentityFile, IdentitiesOnly, CertificateFile, ProxyJump and HostKeyAlias; what is said here or in
    /// the site file wins
    #[arg(long, value_name = "FILE")]
    pub(super) ssh_config: Option<PathBuf>,
    /// Read known host keys from this file instead of the usual ones
    #[arg(long, value_name = "FILE")]
    pub(super) known_hosts: Option<PathBuf>,
    /// Accept an unknown host key with this fingerprint (repeatable)
    #[arg(long, value_name = "SHA256:...")]
    pub(super) accept_host_key: Vec<String>,
    /// Longest time that reading a node, or the cluster, may take once it is connected [default: 60 a node, 180 the
    /// cluster]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(super) timeout: Option<u64>,
    /// Leave out what takes seconds on a node: pending updates and the health of Microsoft Defender
    #[arg(long)]
    pub(super) no_packages: bool,
    /// How many nodes are read at once [default: 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(super) jobs: Option<u16>,
}

impl Under for Look {
    fn under(self, before: Self) -> Self {
        Look {
            site: self.site.or(before.site),
            kubeconfig: joined(before.kubeconfig, self.kubeconfig),
            context: self.context.or(before.context),
            no_cluster: self.no_cluster || before.no_cluster,
            no_endpoints: self.no_endpoints || before.no_endpoints,
            azure: self.azure || before.azure,
            azure_json: joined(before.azure_json, self.azure_json),
            local: self.local || before.local,
            node: joined(before.node, self.node),
            identity: joined(before.identity, self.identity),
            jump: self.jump.or(before.jump),
            ssh_config: self.ssh_config.or(before.ssh_config),
            known_hosts: self.known_hosts.or(before.known_hosts),
            accept_host_key: joined(before.accept_host_key, self.accept_host_key),
            timeout: self.timeout.or(before.timeout),
            jobs: self.jobs.or(before.jobs),
            no_packages: self.no_packages || before.no_packages,
        }
    }
}

impl Look {
    /// The options that say how nodes are reached, without those that name them, as they would be typed again.
    pub(super) fn ways(&self) -> Vec<String> {
        let file = |name: &str, file: &PathBuf| [name.to_owned(), file.display().to_string()];
        let mut words: Vec<String> = self.site.iter().flat_map(|site| file("--site", site)).collect();
        words.extend(self.identity.iter().flat_map(|key| file("--identity", key)));
        words.extend(self.jump.iter().flat_map(|jump| ["--jump".to_owned(), jump.clone()]));
        words.extend(self.ssh_config.iter().flat_map(|config| file("--ssh-config", config)));
        words.extend(self.known_hosts.iter().flat_map(|hosts| file("--known-hosts", hosts)));
        words
    }

    /// The options that name the cluster and the way to it, as they would be typed again, with a blank before each.
    pub(super) fn cluster_again(&self) -> String {
        let file = |name: &str, file: &PathBuf| [name.to_owned(), file.display().to_string()];
        let mut words: Vec<String> = self.site.iter().flat_map(|site| file("--site", site)).collect();
        words.extend(self.kubeconfig.iter().flat_map(|config| file("--kubeconfig", config)));
        words.extend(self.context.iter().flat_map(|name| ["--context".to_owned(), name.clone()]));
        typed(&words)
    }

    /// Names of the options that were given.
    pub(super) fn given(&self) -> Vec<&'static str> {
        given([
            ("--context", self.context.is_some()),
            ("--kubeconfig", !self.kubeconfig.is_empty()),
            ("--no-cluster", self.no_cluster),
            ("--no-endpoints", self.no_endpoints),
            ("--azure", self.azure),
            ("--azure-json", !self.azure_json.is_empty()),
            ("--node", !self.node.is_empty()),
            ("--local", self.local),
            ("--site", self.site.is_some()),
            ("--identity", !self.identity.is_empty()),
            ("--jump", self.jump.is_some()),
            ("--ssh-config", self.ssh_config.is_some()),
            ("--known-hosts", self.known_hosts.is_some()),
            ("--accept-host-key", !self.accept_host_key.is_empty()),
            ("--timeout", self.timeout.is_some()),
            ("--jobs", self.jobs.is_some()),
            ("--no-packages", self.no_packages),
        ])
    }
}
