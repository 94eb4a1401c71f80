//! Where each distribution keeps its files: `assets/layouts.yaml`, checked and written as lines of the collector.

use serde::Deserialize;
use std::collections::BTreeMap;

/// The file that the program carries.
const LAYOUTS: &str = include_str!("../../../assets/layouts.yaml");

/// All roles and where their files lie.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layouts {
    version: u32,
    roles: BTreeMap<String, BTreeMap<String, Places>>,
}

/// The places of one role on one distribution.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Places {
    files: Vec<String>,
    globs: Vec<String>,
    trees: Vec<String>,
}

/// What is wrong with the layouts.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// Not YAML, or not of the shape.
    #[error("assets/layouts.yaml: {0}. The program was built from a damaged tree: build it again")]
    Malformed(String),
    /// A path, role or version that the collector cannot take.
    #[error("assets/layouts.yaml: {0:?} is not a role or path that the collector takes. Correct it and build again")]
    Unfit(String),
}

impl Layouts {
    /// The layouts that the program carries.
    pub fn embedded() -> Result<Layouts, LayoutError> {
        Layouts::parse(LAYOUTS)
    }

    /// Reads and checks layouts: every path absolute and of plain characters, every role a plain word.
    pub fn parse(text: &str) -> Result<Layouts, LayoutError> {
        let layouts: Layouts =
            serde_saphyr::from_str(text).map_err(|error| LayoutError::Malformed(error.to_string()))?;
        if layouts.version != 1 {
            return Err(LayoutError::Unfit(format!("version {}", layouts.version)));
        }
        for (role, systems) in &layouts.roles {
            if role.is_empty() || !role.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
                return Err(LayoutError::Unfit(role.clone()));
            }
            for places in systems.values() {
                let plain = places.files.iter().chain(&places.trees).find(|path| !fit(path, false));
                let glob = places.globs.iter().find(|path| !fit(path, true));
                if let Some(path) = plain.or(glob) {
                    return Err(LayoutError::Unfit(path.clone()));
                }
            }
        }
        Ok(layouts)
    }

    /// The roles, in the order of their names.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.roles.keys().map(String::as_str)
    }

    /// Lines of shell that name every place: `look ROLE PATH`, `every ROLE PATTERN`, `tree ROLE DIR`.
    pub fn script(&self) -> String {
        let mut lines = String::new();
        let mut line = |verb: &str, role: &str, path: &str| {
            // The characters were checked, so quoting cannot fail; a glob is quoted too and unfolds inside `every`.
            let path = shlex::try_quote(path).unwrap_or_default();
            lines.push_str(&format!("{verb} {role} {path}\n"));
        };
        for (role, systems) in &self.roles {
            for places in systems.values() {
                places.files.iter().for_each(|path| line("look", role, path));
                places.globs.iter().for_each(|path| line("every", role, path));
                places.trees.iter().for_each(|path| line("tree", role, path));
            }
        }
        lines
    }
}

fn fit(path: &str, glob: bool) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@:".contains(c) || (glob && "*?".contains(c));
    path.starts_with('/')
        && !path.ends_with('/')
        && path.len() <= 200
        && path.chars().all(plain)
        && !path.split('/').any(|part| part == "..")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn the_embedded_layouts_are_sound_and_know_the_roles_that_controls_ask_for() {
        let layouts = Layouts::embedded().unwrap();
        let roles: Vec<&str> = layouts.roles().collect();
        for role in ["pki", "kubelet-config", "kubelet-service", "kube-apiserver-manifest", "etcd-data", "kubelet-ca"] {
            assert!(roles.contains(&role), "{role}");
        }
        let script = layouts.script();
        assert!(script.contains("tree pki /etc/kubernetes/pki\n"));
        assert!(script.contains("every sshd-host-key '/etc/ssh/ssh_host_*_key'\n"), "{script}");
    }

    #[test]
    fn a_path_that_a_shell_could_read_otherwise_is_refused() {
        for path in
            ["etc/x", "/etc/$(id)", "/etc/a b", "/etc/../shadow", "/etc/`id`", "/etc/x;id", "/etc/*", "/etc/'x", "/x/"]
        {
            let text = format!("version: 1\nroles: {{pki: {{all: {{files: [{path:?}]}}}}}}\n");
            assert!(matches!(Layouts::parse(&text), Err(LayoutError::Unfit(_))), "{path}");
        }
        assert!(matches!(Layouts::parse("version: 1\nroles: {a b: {}}\n"), Err(LayoutError::Unfit(_))));
        assert!(matches!(Layouts::parse("version: 1\nroles: {a: {x: {dirs: []}}}\n"), Err(LayoutError::Malformed(_))));
    }
}
