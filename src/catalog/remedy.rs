//! How a failed control is put right: the recipe's name and its parameters, as a catalog says them.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A recipe with its parameters. `recipe` in YAML is its name in kebab-case; an unknown parameter is an error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "recipe", rename_all = "kebab-case", deny_unknown_fields)]
pub enum RemedySpec {
    /// Takes rights away from the files or folders that the finding names.
    FileMode {
        /// The most that is allowed, in octal: `600`. Bits that a file lacks are not added.
        mode: String,
        /// User's number, where the owner must be this one too.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        uid: Option<u32>,
        /// Group's number, where it must be this one too.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        gid: Option<u32>,
    },
    /// Gives the files or folders that the finding names to an owner.
    FileOwner {
        /// User's number.
        uid: u32,
        /// Group's number.
        gid: u32,
    },
    /// Sets keywords of sshd.
    SshdSetting {
        /// Keyword as in sshd_config(5), such as `PermitRootLogin`, and its value.
        set: BTreeMap<String, String>,
    },
    /// Takes algorithms out of what sshd allows now.
    SshdAlgorithms {
        /// `KexAlgorithms`, `Ciphers` or `MACs`.
        keyword: String,
        /// Only these stay. Empty: all but those of `without`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        allowed: Vec<String>,
        /// These go; `*` stands for anything.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        without: Vec<String>,
    },
    /// Sets a value in the file or drop-in that the kubelet reads.
    KubeletSetting {
        /// Path in KubeletConfiguration: `authentication.anonymous.enabled`.
        path: String,
        /// Its value.
        value: serde_json::Value,
    },
    /// Sets a value in the ConfigMap that kube-proxy runs with, and restarts it.
    KubeProxySetting {
        /// Path in KubeProxyConfiguration: `metricsBindAddress`.
        path: String,
        /// Its value.
        value: serde_json::Value,
    },
    /// Sets or removes a flag of a control-plane component that runs as a static pod.
    StaticPodFlag {
        /// `kube-apiserver`, `kube-controller-manager`, `kube-scheduler` or `etcd`.
        component: String,
        /// Without the dashes: `profiling`.
        flag: String,
        /// Its value. Absent, with nothing in `add` and `without`: the flag is removed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<String>,
        /// Of a list with commas: words that must be in it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        add: Vec<String>,
        /// Of a list with commas: words that must not be in it. A list that is empty then is removed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        without: Vec<String>,
    },
    /// Lets the API server of kubeadm write an audit log: a policy, a folder for the log, flags and mounts.
    AuditPolicy {},
    /// Lets the API server of a kubeadm cluster with one control-plane node encrypt Secrets, and writes all of them anew.
    EncryptionAtRest {},
    /// Takes the keys that the finding names out of their files, or binds them to the site's management networks.
    AuthorizedKey {
        /// What becomes of them.
        action: KeyAction,
    },
    /// Stops and disables every SSH server of the node.
    SshOff {},
    /// Lets nobody reach the SSH server but the site's management networks.
    SshSourceRestriction {},
    /// Lets the node install security updates by itself, without a restart of the node.
    AutomaticUpdates {},
    /// Installs the security updates that wait.
    SecurityUpdates {},
    /// Renews the certificates of a kubeadm control plane and makes its static pods anew.
    CertificateRenew {},
    /// Changes the objects of the cluster that the finding names.
    KubeObject {
        /// How.
        change: KubeChange,
    },
    /// Runs `az` for the cluster's own Azure resource.
    AzCommand {
        /// Which of its commands.
        command: AzRemedy,
    },
    /// The words of the control's `fix`, for a person to follow.
    ManualSteps {},
}

/// What becomes of an authorized key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyAction {
    /// It is taken out of its file.
    Remove,
    /// It gets `from=` with the management networks.
    From,
}

/// What is done to objects of the cluster; `do` in YAML is its name in kebab-case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum KubeChange {
    /// Labels each namespace that the finding names.
    LabelNamespace {
        /// Key of the label.
        key: String,
        /// Its value.
        value: String,
    },
    /// Sets a field of an object in each namespace that the finding names.
    SetField {
        /// Kind of the object. ServiceAccount alone is known.
        kind: String,
        /// Its name.
        name: String,
        /// The field at the top of the object: `automountServiceAccountToken`.
        field: String,
        /// Its value.
        value: serde_json::Value,
    },
    /// Puts a network policy into each namespace that the finding names, by which its pods take connections from pods of
    /// the same namespace alone.
    DenyFromOtherNamespaces {},
    /// Takes the subjects that the finding names out of their bindings; a binding that binds nobody else is deleted.
    Unbind {},
}

/// What `az` is asked to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AzRemedy {
    /// Arc's agents are upgraded by themselves.
    AgentsAutoUpgrade,
    /// Arc's agents are upgraded now.
    AgentsUpgrade,
    /// Each extension that the finding names is upgraded by itself.
    ExtensionsAutoUpgrade,
    /// AKS on Azure Local: to the newest patch of the minor version that runs.
    NewestPatch,
    /// AKS on Azure Local: to the next minor version.
    NextMinor,
}

impl KubeChange {
    fn problem(&self) -> Option<String> {
        match self {
            KubeChange::LabelNamespace { key, value } => {
                let (prefix, name) = key.rsplit_once('/').unwrap_or(("", key));
                if !label_word(name)
                    || name.is_empty()
                    || !prefix.chars().all(|c| c.is_ascii_alphanumeric() || ".-".contains(c))
                {
                    return Some(format!(
                        "key {key:?}: write a label's key, such as pod-security.kubernetes.io/enforce"
                    ));
                }
                (!label_word(value)).then(|| format!("value {value:?}: write a label's value, such as baseline"))
            }
            KubeChange::SetField { kind, name, field, value } => {
                if kind != "ServiceAccount" {
                    return Some(format!("kind {kind:?}: write ServiceAccount"));
                }
                let plain = |word: &str, more: &str| {
                    !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
                };
                if !plain(name, "-.") {
                    return Some(format!("name {name:?}: write the name of an object"));
                }
                if !plain(field, "") || ["metadata", "kind", "apiVersion", "secrets", "data"].contains(&field.as_str())
                {
                    return Some(format!("field {field:?}: write a field at the top of the object"));
                }
                (value.is_null() || value.is_object() || value.is_array())
                    .then(|| "value: write a word or a number".to_owned())
            }
            KubeChange::DenyFromOtherNamespaces {} | KubeChange::Unbind {} => None,
        }
    }
}

/// A label's value, or the name in its key.
fn label_word(word: &str) -> bool {
    let edge = |c: Option<char>| c.is_none_or(|c| c.is_ascii_alphanumeric());
    word.len() <= 63
        && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        && edge(word.chars().next())
        && edge(word.chars().last())
}

impl RemedySpec {
    /// What is wrong with the parameters, if anything: a sentence with what to write instead.
    pub(super) fn problem(&self) -> Option<String> {
        match self {
            RemedySpec::FileMode { mode, .. } => {
                let octal = (3..=4).contains(&mode.len()) && mode.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
                (!octal).then(|| format!("mode {mode:?}: write three or four octal digits, such as \"600\""))
            }
            RemedySpec::SshdSetting { set } => set.iter().find_map(|(keyword, value)| {
                let word = !keyword.is_empty() && keyword.bytes().all(|byte| byte.is_ascii_alphanumeric());
                if !word {
                    return Some(format!("keyword {keyword:?}: write it as in sshd_config, such as PermitRootLogin"));
                }
                let plain = !value.is_empty() && !value.contains(|c: char| c.is_control() || c == '#' || c == '"');
                (!plain).then(|| format!("value {value:?}: write it as in sshd_config, on one line"))
            }),
            RemedySpec::SshdAlgorithms { keyword, allowed, without } => {
                if !["KexAlgorithms", "Ciphers", "MACs"].contains(&keyword.as_str()) {
                    return Some(format!("keyword {keyword:?}: write KexAlgorithms, Ciphers or MACs"));
                }
                (allowed.is_empty() && without.is_empty())
                    .then(|| "write which algorithms are `allowed`, or which go (`without`)".to_owned())
            }
            RemedySpec::KubeletSetting { path, value } | RemedySpec::KubeProxySetting { path, value } => {
                let name = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
                if !path.split('.').all(name) {
                    return Some(format!(
                        "path {path:?}: write it as in the component's configuration file, with dots"
                    ));
                }
                (value.is_null() || value.is_object()).then(|| "value: write a word, a number or a list".to_owned())
            }
            RemedySpec::StaticPodFlag { component, flag, value, add, without } => {
                static_pod_flag(component, flag, value.as_deref(), add, without)
            }
            RemedySpec::KubeObject { change } => change.problem(),
            RemedySpec::FileOwner { .. }
            | RemedySpec::AuditPolicy {}
            | RemedySpec::EncryptionAtRest {}
            | RemedySpec::AuthorizedKey { .. }
            | RemedySpec::SshOff {}
            | RemedySpec::SshSourceRestriction {}
            | RemedySpec::AutomaticUpdates {}
            | RemedySpec::SecurityUpdates {}
            | RemedySpec::CertificateRenew {}
            | RemedySpec::AzCommand { .. }
            | RemedySpec::ManualSteps {} => None,
        }
    }
}

/// What a flag is named that takes a file or folder, which has to be there before the flag.
const OF_FILES: [&str; 8] = ["-file", "-config", "-kubeconfig", "-path", "-dir", "-cafile", "-certfile", "-keyfile"];

fn static_pod_flag(
    component: &str,
    flag: &str,
    value: Option<&str>,
    add: &[String],
    without: &[String],
) -> Option<String> {
    const KNOWN: [&str; 4] = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd"];
    if !KNOWN.contains(&component) {
        return Some(format!("component {component:?}: write one of {}", KNOWN.join(", ")));
    }
    let name = !flag.starts_with('-')
        && flag.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !flag.is_empty();
    if !name {
        return Some(format!("flag {flag:?}: write it without the dashes in front"));
    }
    let of_files = OF_FILES.iter().any(|end| flag.ends_with(end));
    let listed = !add.is_empty() || !without.is_empty();
    let words = || add.iter().chain(without).map(String::as_str);
    if (of_files || value.into_iter().chain(words()).any(|value| value.starts_with('/'))) && (listed || value.is_some())
    {
        return Some(format!("flag {flag:?}: it needs a file to be there first. Write the steps into `fix`"));
    }
    if value.is_some() && listed {
        return Some("value: write it, or what to `add` and what goes (`without`), not both".to_owned());
    }
    let plain = |text: &str| !text.is_empty() && !text.contains(|c: char| c.is_control() || c == '$');
    if !value.into_iter().chain(words()).all(plain) {
        return Some("value: write a word on one line, without $".to_owned());
    }
    words().any(|word| word.contains(',')).then(|| "add, without: write one word an item".to_owned())
}
