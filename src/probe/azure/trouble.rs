//! Why `az` gave no answer, in our own words: what it writes is looked through and forgotten.

use super::command::AzFact;
use crate::evidence::Reason;
use crate::kubeapi::program::NotRun;

/// Why a command told nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It was not run to its end.
    NotRun(NotRun),
    /// Nobody is logged in, or the login is too old.
    NoLogin,
    /// The extension of `az` that brings the command is not installed.
    NoExtension,
    /// The account does not see the subscription.
    NoSubscription,
    /// The account may not read the resource.
    Refused,
    /// Azure has no such resource.
    NotFound,
    /// Azure was not reached.
    NoNetwork,
    /// Something else.
    Unknown,
    /// An answer came that is none to this question.
    Malformed,
    /// The answer speaks of another resource.
    Another,
}

/// Reads what a failed command wrote on standard error. What asks for a login comes first, since it stands beside others.
pub fn of_stderr(stderr: &[u8]) -> Trouble {
    const KINDS: [(Trouble, &[&str]); 6] = [
        (
            Trouble::NoExtension,
            &[
                "misspelled or not recognized",
                "requires the extension",
                "is not in the 'az",
                "extension is not installed",
            ],
        ),
        (
            Trouble::NoSubscription,
            &["doesn't exist in cloud", "subscriptionnotfound", "subscription was not found", "invalidsubscription"],
        ),
        (
            Trouble::NoLogin,
            &["az login", "aadsts", "refresh token", "no subscription found", "not logged in", "reauth"],
        ),
        (Trouble::Refused, &["authorizationfailed", "does not have authorization", "forbidden", "(403)"]),
        (
            Trouble::NotFound,
            &[
                "resourcenotfound",
                "resourcegroupnotfound",
                "parentresourcenotfound",
                "was not found",
                "could not be found",
                "(404)",
            ],
        ),
        (
            Trouble::NoNetwork,
            &[
                "failed to resolve",
                "name resolution",
                "max retries",
                "connection",
                "timed out",
                "certificate_verify_failed",
                "proxyerror",
            ],
        ),
    ];
    let text = String::from_utf8_lossy(stderr).to_lowercase();
    let found = KINDS.iter().find(|(_, words)| words.iter().any(|word| text.contains(word)));
    found.map_or(Trouble::Unknown, |(trouble, _)| *trouble)
}

impl Trouble {
    /// Whether the next command would meet the same.
    pub(super) fn is_of_all(self) -> bool {
        matches!(
            self,
            Trouble::NotRun(NotRun::Missing | NotRun::NotStarted | NotRun::Late)
                | Trouble::NoLogin
                | Trouble::NoSubscription
                | Trouble::NoNetwork
        )
    }

    /// The kind of reason, for the evidence.
    pub(super) fn reason(self) -> Reason {
        match self {
            Trouble::NotRun(not_run) => not_run.reason(),
            Trouble::NoExtension => Reason::Unsupported,
            Trouble::NoLogin | Trouble::NoSubscription | Trouble::Refused => Reason::Forbidden,
            Trouble::NotFound | Trouble::Unknown => Reason::NotVisible,
            Trouble::NoNetwork => Reason::Unreachable,
            Trouble::Malformed | Trouble::Another => Reason::Malformed,
        }
    }

    /// A sentence for the person, ending in what to do.
    pub(super) fn words(self, fact: AzFact) -> String {
        let extension = fact.az_extension();
        match self {
            Trouble::NotRun(NotRun::Missing) => {
                "`az` is not installed on this machine: install the Azure CLI, or run the commands elsewhere and read their answers from a file".to_owned()
            }
            Trouble::NotRun(NotRun::NotStarted) => "`az` could not be started: try it by hand".to_owned(),
            Trouble::NotRun(NotRun::Late) => "`az` did not answer in time: try it by hand".to_owned(),
            Trouble::NotRun(NotRun::TooLarge) => "`az` answered more than this program reads: run it by hand".to_owned(),
            Trouble::NoLogin => "`az` is not logged in, or its login is too old: run `az login`, then ask again".to_owned(),
            Trouble::NoExtension => {
                format!("`az` lacks the extension {extension}: run `az extension add --name {extension}`, then ask again")
            }
            Trouble::NoSubscription => {
                "the account of `az` does not see the cluster's subscription: log in to its tenant with `az login --tenant`".to_owned()
            }
            Trouble::Refused => "the account of `az` may not read it: it needs the role Reader on the cluster's resource".to_owned(),
            Trouble::NotFound => "Azure has no such resource: look whether the cluster is still connected".to_owned(),
            Trouble::NoNetwork => "`az` did not reach Azure: look at the network and its proxy".to_owned(),
            Trouble::Unknown => "`az` failed for a reason that is not known here: run the command by hand".to_owned(),
            Trouble::Malformed => "the answer of `az` is not what this command answers: bring `az` and its extensions up to date".to_owned(),
            Trouble::Another => "Azure answered about another resource: look which cluster and subscription were asked".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_az_writes_is_told_apart() {
        for (text, trouble) in [
            ("ERROR: Please run 'az login' to setup account.", Trouble::NoLogin),
            ("ERROR: AADSTS700082: The refresh token has expired due to inactivity.", Trouble::NoLogin),
            ("ERROR: 'connectedk8s' is misspelled or not recognized by the system.", Trouble::NoExtension),
            (
                "ERROR: The command requires the extension k8s-extension. Do you want to install it now?",
                Trouble::NoExtension,
            ),
            ("ERROR: The subscription of 'x' doesn't exist in cloud 'AzureCloud'.", Trouble::NoSubscription),
            (
                "ERROR: (AuthorizationFailed) The client 'a' does not have authorization to perform action",
                Trouble::Refused,
            ),
            ("ERROR: (ResourceNotFound) The Resource 'x' under resource group 'y' was not found.", Trouble::NotFound),
            ("ERROR: HTTPSConnectionPool(host='x'): Max retries exceeded: Failed to resolve", Trouble::NoNetwork),
            ("Traceback (most recent call last)", Trouble::Unknown),
            ("", Trouble::Unknown),
        ] {
            assert_eq!(of_stderr(text.as_bytes()), trouble, "{text}");
        }
    }
}
