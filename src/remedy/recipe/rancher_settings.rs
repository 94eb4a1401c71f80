//! Settings of the kubelet of k3s and RKE2 that are no flags: `protectKernelDefaults`, which has a key of its own, and those that
//! a file in the folder sets that the kubelet is started with (docs.k3s.io/installation/configuration, "Kubelet Configuration
//! Files"; k3s writes 00-k3s-defaults.conf there at each start, and leaves other files alone).

use super::kubelet;
use super::rancher::{RancherOp, Which};
use super::rancher_config::ConfigFile;
use crate::evidence::NodeEvidence;
use crate::remedy::change::{FileChange, NodeChange, State};
use crate::remedy::edit::yaml::{get_path, set_path};
use crate::remedy::fresh::{Fresh, Want};
use crate::remedy::plan::Refusal;
use crate::remedy::words::quoted;
use serde_json::json;

/// Comes after what k3s and most people put there; files are taken in the order of their names.
const OURS: &str = "90-sitewarden.conf";
const HEAD: &str = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";
const KEY: &str = "protect-kernel-defaults";

fn folder(which: Which) -> String {
    which.data("/agent/etc/kubelet.conf.d")
}

/// Whether the kubelet was started with this folder.
pub(super) fn reads_drop_ins(which: Which, node: &NodeEvidence) -> bool {
    let args = node.kubelet.process.known().and_then(|process| process.args.known());
    let wanted = format!("--config-dir={}", folder(which));
    args.is_some_and(|args| {
        args.iter().filter(|arg| arg.starts_with("--config-dir=")).all(|arg| *arg == wanted) && args.contains(&wanted)
    })
}

impl RancherOp {
    pub(super) fn wants_of_kubelet(&self) -> Vec<Want> {
        let mut wants = Vec::new();
        if self.protects {
            wants.push(Want::Tell(kubelet::KERNEL.to_owned()));
        }
        if !self.settings.is_empty() {
            let folder = folder(self.which);
            wants.extend([Want::File(format!("{folder}/{OURS}")), Want::Pattern(format!("{folder}/*.conf"))]);
        }
        wants
    }

    /// Adds what these settings change.
    pub(super) fn change_kubelet(
        &self,
        fresh: &Fresh,
        files: &mut [ConfigFile],
        change: &mut NodeChange,
        (new, old): (&mut Vec<String>, &mut Vec<String>),
    ) -> Result<(), Refusal> {
        if self.protects {
            kubelet::kernel(fresh)?;
            if self.protect(files)? {
                new.push(self.protected());
                old.push(format!("! {{ {}; }}", self.protected()));
            }
        }
        if !self.settings.is_empty() {
            self.drop_in(fresh, change, new)?;
        }
        Ok(())
    }

    /// The condition that the kubelet protects the kernel's settings: by a flag, or by the file that is written for it.
    fn protected(&self) -> String {
        let flag = self.runs("kubelet", "--protect-kernel-defaults=true").join(" && ");
        format!(
            "{{ {flag}; }} || grep -qx 'protectKernelDefaults: true' {}/00-{}-defaults.conf",
            folder(self.which),
            self.which.id()
        )
    }

    /// Sets the key where it is decided. Gives whether anything changed.
    fn protect(&self, files: &mut [ConfigFile]) -> Result<bool, Refusal> {
        let refused = |path: &str, error: &dyn std::fmt::Display| Refusal::new(format!("{path}: {error}"));
        let mut decides = 0;
        for (number, file) in files.iter().enumerate() {
            let known = get_path(&file.text, &[KEY]).map_err(|error| refused(&file.path, &error))?;
            if known.is_some() {
                decides = number;
            }
        }
        let Some(file) = files.get_mut(decides) else { return Ok(false) };
        let text = set_path(&file.text, &[KEY], &json!(true)).map_err(|error| refused(&file.path, &error))?;
        let changes = text != file.text;
        file.text = text;
        Ok(changes)
    }

    /// The file of our own with the settings in it.
    fn drop_in(&self, fresh: &Fresh, change: &mut NodeChange, new: &mut Vec<String>) -> Result<(), Refusal> {
        let folder = folder(self.which);
        let ours = format!("{folder}/{OURS}");
        for file in fresh.pattern(&format!("{folder}/*.conf")) {
            let Some(text) = file.text().filter(|_| file.trouble.is_none()) else {
                return Err(Refusal::new(format!("{} is no plain file with text. Change it by hand", file.path)));
            };
            if file.path <= ours {
                continue;
            }
            for path in self.settings.keys() {
                let parts: Vec<&str> = path.split('.').collect();
                let known = get_path(text, &parts).map_err(|error| Refusal::new(format!("{}: {error}", file.path)))?;
                if known.is_some() {
                    return Err(Refusal::new(format!(
                        "{} sets {path} and comes after {OURS}. Change it there by hand, then restart {}",
                        file.path, self.unit
                    )));
                }
            }
        }
        let Some(known) = fresh.file(&ours) else {
            return Err(Refusal::new(format!("{ours}: the node did not tell of it. Try again")));
        };
        if let Some(trouble) = known.trouble {
            return Err(Refusal::new(format!("{ours} is left alone: {trouble}")));
        }
        let mut text = match &known.state {
            Some(State::Absent) => HEAD.to_owned(),
            _ => known.text().unwrap_or_default().to_owned(),
        };
        for (path, value) in &self.settings {
            let parts: Vec<&str> = path.split('.').collect();
            let set = set_path(&text, &parts, value).map_err(|error| Refusal::new(format!("{ours}: {error}")))?;
            text = set;
        }
        if known.text() == Some(text.as_str()) {
            return Ok(());
        }
        let state = known.state.clone().unwrap_or(State::Absent);
        let was = known.contents.clone();
        change.files.push(FileChange::contents(&ours, state, was, text.into_bytes(), Some(0o600)));
        change.why.push(format!(
            "No flag sets {} alone, so it goes into a file of the kubelet's own configuration, in the folder that it is started with",
            self.settings.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
        ));
        // A kubelet that does not like the file ends, and with it the unit: that it is up is the proof that it was taken.
        new.extend(self.runs("kubelet", &format!("--config-dir={folder}")));
        new.push(format!("[ -f {} ]", quoted(&ours)));
        Ok(())
    }
}
