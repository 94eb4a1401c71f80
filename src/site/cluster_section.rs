//! The table `[cluster]` of a site file.

use super::cluster::{AzureSource, ClusterSection, ClusterTarget};
use super::site_file::{Reader, near};
use std::path::PathBuf;
use toml::de::{DeTable, DeValue};

const CLUSTER_KEYS: [&str; 5] = ["kubeconfig", "context", "platform", "azure", "no_endpoints"];

impl Reader<'_> {
    /// The table; an empty one names the current context.
    pub(super) fn cluster(&mut self, site: &DeTable<'_>) -> Option<ClusterSection> {
        let (key, value) = site.get_key_value("cluster")?;
        let DeValue::Table(table) = value.get_ref() else {
            let message = "`cluster` is one table: write [cluster] in single brackets, and its keys below it";
            self.tell(key.span(), message.to_owned());
            return None;
        };
        self.check_keys(table, &CLUSTER_KEYS, "a [cluster]");
        let kubeconfig = self.paths(table, "kubeconfig", "kubeconfig = \"~/.kube/site\"");
        let context = self.text_of(table, "context", "context = \"edge-042\"");
        if context.as_deref() == Some("") {
            self.problem_at(table, "context", "`context` is empty: write its name, or leave the key out");
        }
        let platform = self.text_of(table, "platform", "platform = \"kubeadm\"");
        if let Some(given) = platform.as_deref().filter(|given| !self.platforms.contains(given)) {
            let known = self.platforms;
            let hint = match near(given, known) {
                Some(name) => format!("did you mean \"{name}\"?"),
                None => format!("it may be: {}", known.join(", ")),
            };
            self.problem_at(table, "platform", &format!("`platform` {given:?} is not known: {hint}"));
        }
        Some(ClusterSection {
            target: ClusterTarget { kubeconfig, context, platform },
            azure: self.azure(table),
            no_endpoints: self.bool_of(table, "no_endpoints"),
        })
    }

    /// `az`, or files with what it printed.
    fn azure(&mut self, table: &DeTable<'_>) -> AzureSource {
        if table.get("azure").and_then(|value| value.get_ref().as_str()) == Some("az") {
            return AzureSource { run: true, files: Vec::new() };
        }
        let write = "azure = \"az\" to run it, or azure = \"azure.json\" for what it printed";
        AzureSource { run: false, files: self.paths(table, "azure", write) }
    }

    /// One path, or a list of them.
    fn paths(&mut self, table: &DeTable<'_>, key: &str, write: &str) -> Vec<PathBuf> {
        let given = match table.get(key).map(|value| value.get_ref()) {
            None => return Vec::new(),
            Some(DeValue::Array(_)) => {
                let texts = self.texts_of(table, key, write).unwrap_or_default();
                texts.into_iter().map(toml::Spanned::into_inner).collect()
            }
            Some(_) => Vec::from_iter(self.text_of(table, key, write)),
        };
        if given.iter().any(String::is_empty) {
            self.problem_at(table, key, &format!("`{key}` names no file: write {write}"));
        }
        given.iter().map(|path| self.path(path)).collect()
    }
}
