//! Controls as data: what ought to hold, in YAML, with conditions in CEL. Loading checks everything that can be known
//! before evidence is seen, so that a control never fails to say what is wrong with itself at a site.

mod check;
mod control;
mod expression;
pub(crate) mod functions;
mod of_item;
mod paths;
mod remedy;
pub mod shape;
mod yaml;

pub use check::Conditions;
pub use control::{Control, EmptyMeans, References, Scope, Section, Severity, Who};
pub use expression::Expression;
pub use functions::{FunctionDoc, functions};
pub use remedy::{AzRemedy, KeyAction, KubeChange, RemedySpec};

#[cfg(test)]
pub(crate) use expression::with_stack;

use openssl::sha::Sha256;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The files that this program was built with: by section, in the order of the walk.
const EMBEDDED: [(&str, &str); 20] = [
    ("patches.yaml", include_str!("../../assets/catalog/patches.yaml")),
    ("patches-updates.yaml", include_str!("../../assets/catalog/patches-updates.yaml")),
    ("patches-cluster.yaml", include_str!("../../assets/catalog/patches-cluster.yaml")),
    ("node-protection.yaml", include_str!("../../assets/catalog/node-protection.yaml")),
    ("node-protection-files.yaml", include_str!("../../assets/catalog/node-protection-files.yaml")),
    ("node-protection-host.yaml", include_str!("../../assets/catalog/node-protection-host.yaml")),
    ("node-protection-kubelet.yaml", include_str!("../../assets/catalog/node-protection-kubelet.yaml")),
    ("node-protection-control-plane.yaml", include_str!("../../assets/catalog/node-protection-control-plane.yaml")),
    ("node-protection-identity.yaml", include_str!("../../assets/catalog/node-protection-identity.yaml")),
    ("node-protection-workloads.yaml", include_str!("../../assets/catalog/node-protection-workloads.yaml")),
    ("control-plane-communication.yaml", include_str!("../../assets/catalog/control-plane-communication.yaml")),
    (
        "control-plane-communication-components.yaml",
        include_str!("../../assets/catalog/control-plane-communication-components.yaml"),
    ),
    (
        "control-plane-communication-endpoints.yaml",
        include_str!("../../assets/catalog/control-plane-communication-endpoints.yaml"),
    ),
    ("node-access.yaml", include_str!("../../assets/catalog/node-access.yaml")),
    ("node-access-networks.yaml", include_str!("../../assets/catalog/node-access-networks.yaml")),
    ("node-access-endpoints.yaml", include_str!("../../assets/catalog/node-access-endpoints.yaml")),
    ("node-access-rbac.yaml", include_str!("../../assets/catalog/node-access-rbac.yaml")),
    ("node-access-sshd.yaml", include_str!("../../assets/catalog/node-access-sshd.yaml")),
    ("node-access-sshd-more.yaml", include_str!("../../assets/catalog/node-access-sshd-more.yaml")),
    ("node-access-files.yaml", include_str!("../../assets/catalog/node-access-files.yaml")),
];

/// All controls that were loaded, checked and compiled. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// By section, then in the order of the files, then as written.
    pub controls: Arc<[Control]>,
    /// SHA-256 over the names and bytes of every file, lower-case hex.
    pub digest: String,
    /// Conditions of the controls, in the same order.
    conditions: Arc<[Conditions]>,
    /// Ids of those that this program brought itself.
    own: Arc<BTreeSet<String>>,
}

/// What is wrong with a catalog file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}:{line}: {message}", file.display())]
pub struct CatalogError {
    /// The file.
    pub file: PathBuf,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl Catalog {
    /// The catalog that this program was built with.
    pub fn embedded() -> Result<Self, Vec<CatalogError>> {
        Catalog::of_files(&embedded_files())
    }

    /// The embedded catalog and the `*.yaml` files of further folders, in the order of their names. Fails with every
    /// error of every file, by file and line.
    pub fn load(folders: &[&Path]) -> Result<Self, Vec<CatalogError>> {
        let mut files = embedded_files();
        let mut errors = Vec::new();
        for folder in folders {
            match read_folder(folder) {
                Ok(found) => files.extend(found),
                Err(error) => errors.push(error),
            }
        }
        match Catalog::of_files(&files) {
            Ok(catalog) if errors.is_empty() => Ok(catalog),
            Ok(_) => Err(errors),
            Err(more) => Err(errors.into_iter().chain(more).collect()),
        }
    }

    /// A catalog of files that are already read: name and text of each.
    pub fn of_files(files: &[(PathBuf, String)]) -> Result<Self, Vec<CatalogError>> {
        expression::with_stack(|| build(files)).unwrap_or_else(|| {
            Err(vec![CatalogError {
                file: PathBuf::from("catalog"),
                line: 1,
                message: "this machine had no memory or thread to check the catalog with: try again".to_owned(),
            }])
        })
    }

    /// A catalog for tests of screens, which show controls and never ask them: nothing is checked or compiled.
    #[cfg(test)]
    pub(crate) fn sample(controls: Vec<Control>) -> Self {
        let conditions = controls.iter().map(|_| Conditions::default()).collect();
        let own = Arc::new(controls.iter().map(|control| control.id.clone()).collect());
        Catalog { controls: controls.into(), digest: "00".to_owned(), conditions, own }
    }

    /// The compiled conditions of [`Catalog::controls`], one for one.
    pub fn conditions(&self) -> &[Conditions] {
        &self.conditions
    }

    /// Whether a control is one that this program was built with, and not of a folder that somebody named.
    pub fn is_own(&self, control: &Control) -> bool {
        self.own.contains(&control.id)
    }

    /// Whether a control is judged at each node.
    pub fn is_of_nodes(&self, id: &str) -> bool {
        self.control(id).is_some_and(|control| control.scope == Scope::Node)
    }

    /// The control with an id.
    pub fn control(&self, id: &str) -> Option<&Control> {
        self.controls.iter().find(|control| control.id == id)
    }
}

fn embedded_files() -> Vec<(PathBuf, String)> {
    EMBEDDED.iter().map(|(name, text)| (Path::new("catalog").join(name), (*text).to_owned())).collect()
}

/// The catalog files of a folder.
fn read_folder(folder: &Path) -> Result<Vec<(PathBuf, String)>, CatalogError> {
    let wrong = |file: &Path, message: String| CatalogError { file: file.to_owned(), line: 1, message };
    let listed = std::fs::read_dir(folder).map_err(|error| {
        wrong(folder, format!("the folder cannot be read ({error}): name a folder of *.yaml files"))
    })?;
    let mut paths: Vec<PathBuf> = listed
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    paths.sort();
    if paths.is_empty() {
        return Err(wrong(folder, "no *.yaml file is in this folder: name one that holds controls".to_owned()));
    }
    let read = |path: PathBuf| {
        let size = std::fs::metadata(&path).map(|meta| (meta.is_file(), meta.len()));
        match size {
            Ok((true, size)) if size <= yaml::LARGEST as u64 => match std::fs::read_to_string(&path) {
                Ok(text) => Ok((path, text)),
                Err(error) => Err(wrong(&path, format!("the file cannot be read ({error}): it must be UTF-8 text"))),
            },
            Ok(_) => {
                Err(wrong(&path, "not a file of at most 1 MiB: remove it from the folder, or split it".to_owned()))
            }
            Err(error) => Err(wrong(&path, format!("the file cannot be read ({error})"))),
        }
    };
    paths.into_iter().map(read).collect()
}

fn build(files: &[(PathBuf, String)]) -> Result<Catalog, Vec<CatalogError>> {
    let mut errors = Vec::new();
    let mut digest = Sha256::new();
    let mut loaded: Vec<(Control, Conditions)> = Vec::new();
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let mut own = BTreeSet::new();
    for (file, text) in files {
        let name = file.file_name().unwrap_or_default().as_encoded_bytes();
        for part in [name, text.as_bytes()] {
            digest.update(&(part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        for entry in yaml::entries(file, text, &mut errors) {
            let id = entry.control.id.clone();
            let mut wrong = |key: &str, message: String| {
                let message = format!("control {}: {message}", printable(&id));
                errors.push(CatalogError { file: file.clone(), line: entry.line(key), message });
            };
            let place = format!("{}:{}", file.display(), entry.line("id"));
            if let Some(first) = seen.insert(id.clone(), place) {
                wrong("id", format!("this id was given before, at {first}: give each control an id of its own"));
            }
            match check::check(&entry.control) {
                Ok(conditions) => {
                    // By its text: a folder may hold a file of the same name.
                    if EMBEDDED.iter().any(|(_, own)| own == text) {
                        own.insert(id.clone());
                    }
                    loaded.push((entry.control, conditions));
                }
                Err(all) => all.into_iter().for_each(|(key, message)| wrong(key, message)),
            }
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    loaded.sort_by_key(|(control, _)| control.section);
    let (controls, conditions): (Vec<_>, Vec<_>) = loaded.into_iter().unzip();
    let digest = digest.finish().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Catalog { controls: controls.into(), digest, conditions: conditions.into(), own: Arc::new(own) })
}

/// An id as it may be shown: a file that anybody wrote may hold anything.
fn printable(id: &str) -> String {
    let shown: String = id.chars().filter(|c| !c.is_control()).take(80).collect();
    if shown.is_empty() { "(no id)".to_owned() } else { shown }
}
