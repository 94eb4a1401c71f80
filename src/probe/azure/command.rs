//! The commands: what is run, to the letter, and what a person is shown who is to run it.

use super::names;
use crate::evidence::Fact;
use crate::evidence::cluster::ArcIdentity;
use std::fmt;

/// What one command tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AzFact {
    /// The Arc resource: `az connectedk8s show`.
    ConnectedCluster,
    /// The AKS cluster on Azure Local: `az aksarc show`.
    ProvisionedCluster,
    /// Versions that it can be upgraded to: `az aksarc get-upgrades`.
    Upgrades,
    /// Extensions: `az k8s-extension list`.
    Extensions,
}

impl AzFact {
    /// All of them, in the order in which they are asked.
    pub const ALL: [AzFact; 4] =
        [AzFact::ConnectedCluster, AzFact::ProvisionedCluster, AzFact::Upgrades, AzFact::Extensions];

    /// Path below the cluster.
    pub fn path(self) -> &'static str {
        match self {
            AzFact::ConnectedCluster => "azure.connected_cluster",
            AzFact::ProvisionedCluster => "azure.provisioned_cluster",
            AzFact::Upgrades => "azure.upgrades",
            AzFact::Extensions => "azure.extensions",
        }
    }

    /// The extension of `az` that brings the command.
    pub(super) fn az_extension(self) -> &'static str {
        match self {
            AzFact::ConnectedCluster => "connectedk8s",
            AzFact::ProvisionedCluster | AzFact::Upgrades => "aksarc",
            AzFact::Extensions => "k8s-extension",
        }
    }

    /// Words of the command, and the option that names the cluster.
    fn words(self) -> ([&'static str; 2], &'static str) {
        match self {
            AzFact::ConnectedCluster => (["connectedk8s", "show"], "--name"),
            AzFact::ProvisionedCluster => (["aksarc", "show"], "--name"),
            AzFact::Upgrades => (["aksarc", "get-upgrades"], "--name"),
            AzFact::Extensions => (["k8s-extension", "list"], "--cluster-name"),
        }
    }
}

/// One run of `az`. It reads and changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AzCommand {
    /// What it tells.
    pub fact: AzFact,
    /// Its arguments.
    pub args: Vec<String>,
}

impl fmt::Display for AzCommand {
    /// The command line, as a shell takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&az_line(&self.args))
    }
}

/// Subscription (where it is known), resource group and name, as far as they are names in Azure. The evidence may come
/// from a file that anybody wrote: everything is looked at once more.
fn checked(identity: &ArcIdentity) -> (Option<&str>, Option<&str>, Option<&str>) {
    let by_id = identity.resource_id.known().and_then(|id| names::split_arm_id(id));
    let own = |fact: &'_ Fact<String>, fits: fn(&str) -> bool| fact.known().is_some_and(|text| fits(text));
    let subscription = own(&identity.subscription, names::subscription).then(|| identity.subscription.known());
    let group = own(&identity.resource_group, names::resource_group).then(|| identity.resource_group.known());
    let name = own(&identity.name, names::cluster).then(|| identity.name.known());
    (
        subscription.flatten().map(String::as_str).or(by_id.map(|(subscription, ..)| subscription)),
        group.flatten().map(String::as_str).or(by_id.map(|(_, group, _)| group)),
        name.flatten().map(String::as_str).or(by_id.map(|(.., name)| name)),
    )
}

/// What the cluster tells of its Azure resource, as far as it is a name in Azure.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AzNames {
    /// Subscription.
    pub subscription: Option<String>,
    /// Resource group.
    pub group: Option<String>,
    /// Name of the connected cluster.
    pub name: Option<String>,
}

/// The names of the cluster's own Azure resource. What is no such name by Azure's rules is none.
pub fn own_names(identity: &ArcIdentity) -> AzNames {
    let (subscription, group, name) = checked(identity);
    let owned = |text: Option<&str>| text.map(str::to_owned);
    AzNames { subscription: owned(subscription), group: owned(group), name: owned(name) }
}

/// Whether a text is the name of a cluster's extension in Azure: one plain word that is no option.
pub fn is_extension_name(text: &str) -> bool {
    names::cluster(text)
}

/// A command line of `az` as a shell takes it.
pub fn az_line(args: &[String]) -> String {
    let quoted = |arg: &String| shlex::try_quote(arg).map_or_else(|_| format!("{arg:?}"), |word| word.into_owned());
    std::iter::once("az".to_owned()).chain(args.iter().map(quoted)).collect::<Vec<_>>().join(" ")
}

fn command(fact: AzFact, subscription: Option<&str>, group: &str, name: &str) -> AzCommand {
    let (words, option) = fact.words();
    let mut args: Vec<&str> = words.to_vec();
    args.extend([option, name, "--resource-group", group]);
    if fact == AzFact::Extensions {
        args.extend(["--cluster-type", "connectedClusters"]);
    }
    if let Some(subscription) = subscription {
        args.extend(["--subscription", subscription]);
    }
    args.extend(["--only-show-errors", "--output", "json"]);
    AzCommand { fact, args: args.into_iter().map(str::to_owned).collect() }
}

/// The commands that would be run to ask Azure about this cluster, in their order: exactly these. None where the cluster
/// does not tell its resource group and name, or tells what is no such name.
pub fn commands(identity: &ArcIdentity) -> Vec<AzCommand> {
    let (subscription, Some(group), Some(name)) = checked(identity) else { return Vec::new() };
    AzFact::ALL.iter().map(|fact| command(*fact, subscription, group, name)).collect()
}

/// The command for a person to run, with words in capitals for what is not known.
pub fn hint(fact: AzFact, identity: &ArcIdentity) -> String {
    let (subscription, group, name) = checked(identity);
    command(fact, subscription, group.unwrap_or("RESOURCE-GROUP"), name.unwrap_or("CLUSTER")).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(subscription: &str, group: &str, name: &str) -> ArcIdentity {
        let fact = |text: &str| if text.is_empty() { Fact::Unread } else { Fact::Known(text.to_owned()) };
        ArcIdentity {
            subscription: fact(subscription),
            resource_group: fact(group),
            name: fact(name),
            ..ArcIdentity::default()
        }
    }

    const SUBSCRIPTION: &str = "df56d048-2e20-4ab6-82b7-11643163aa53";

    #[test]
    fn the_commands_to_the_letter() {
        let lines: Vec<String> =
            commands(&identity(SUBSCRIPTION, "shops (east)", "shop-7")).iter().map(ToString::to_string).collect();
        assert!(lines.is_empty(), "a blank is in no name of a group");
        let lines: Vec<String> =
            commands(&identity(SUBSCRIPTION, "shops(east)", "shop-7")).iter().map(ToString::to_string).collect();
        let end = format!("--subscription {SUBSCRIPTION} --only-show-errors --output json");
        assert_eq!(
            lines,
            [
                format!("az connectedk8s show --name shop-7 --resource-group 'shops(east)' {end}"),
                format!("az aksarc show --name shop-7 --resource-group 'shops(east)' {end}"),
                format!("az aksarc get-upgrades --name shop-7 --resource-group 'shops(east)' {end}"),
                format!(
                    "az k8s-extension list --cluster-name shop-7 --resource-group 'shops(east)' --cluster-type connectedClusters {end}"
                ),
            ]
        );
    }

    #[test]
    fn what_a_hostile_config_map_holds_becomes_no_argument() {
        for (subscription, group, name) in [
            ("", "rg", "--query"),
            ("", "-o", "shop"),
            ("", "rg", "shop\n--debug"),
            ("", "rg", ""),
            ("", "", "shop"),
            ("", "@/etc/passwd", "shop"),
        ] {
            assert!(commands(&identity(subscription, group, name)).is_empty(), "{group} {name}");
        }
        let odd = commands(&identity("--debug", "rg", "shop"));
        assert!(odd.iter().all(|command| !command.args.iter().any(|arg| arg == "--debug" || arg == "--subscription")));
    }

    #[test]
    fn the_id_alone_is_enough_and_nothing_known_gives_a_hint() {
        let resource_id = Fact::Known(names::arm_id(SUBSCRIPTION, "rg", "shop"));
        let by_id = ArcIdentity { resource_id, ..ArcIdentity::default() };
        assert_eq!(commands(&by_id).len(), 4);
        let hint = hint(AzFact::Extensions, &ArcIdentity::default());
        assert!(
            hint.starts_with("az k8s-extension list --cluster-name CLUSTER --resource-group RESOURCE-GROUP"),
            "{hint}"
        );
    }
}
