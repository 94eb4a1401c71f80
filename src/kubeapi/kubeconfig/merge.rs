//! Several kubeconfig files as one. Rules: client-go `tools/clientcmd/loader.go`: the first file that has a name wins it
//! whole, the first that sets `current-context` wins that, relative paths start at the file that names them.
//!
//! Not by `Kubeconfig::merge`: it forgets which file said what, takes an empty `current-context` for one, and does not see
//! two entries of one name.

use super::super::error::{ApiError, shown};
use super::files::{self, KUBECONFIG_LIMIT};
use super::surroundings::Surroundings;
use super::tolerant;
use crate::evidence::Reason;
use crate::site::ClusterTarget;
use kube::config::{AuthInfo, Cluster, Context, Kubeconfig};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Something from a kubeconfig, and the file that says it.
#[derive(Clone)]
pub(in crate::kubeapi) struct Placed<T> {
    /// What it says.
    pub(in crate::kubeapi) value: T,
    /// The file.
    pub(in crate::kubeapi) file: Arc<Path>,
}

// Never what it says: kube's types show arguments and variables of plugins, tokens of oidc, and passwords of proxies.
impl<T> fmt::Debug for Placed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Placed").field("file", &self.file).finish_non_exhaustive()
    }
}

impl<T> Placed<T> {
    /// A path that the file names: a relative one starts at the file's folder.
    pub(in crate::kubeapi) fn path(&self, named: &str) -> PathBuf {
        self.file.parent().unwrap_or(Path::new("")).join(named)
    }

    /// The file, for sentences.
    pub(in crate::kubeapi) fn place(&self) -> String {
        shown(&self.file.display().to_string())
    }
}

/// All files as one.
#[derive(Debug, Default)]
pub(in crate::kubeapi) struct Merged {
    pub(super) clusters: BTreeMap<String, Placed<Cluster>>,
    pub(super) users: BTreeMap<String, Placed<AuthInfo>>,
    /// In the order of the files.
    pub(super) contexts: Vec<(String, Placed<Context>)>,
    pub(super) current: Option<String>,
    /// Files that were read.
    pub(super) files: Vec<Arc<Path>>,
    /// Whether the person named them, by option or by `KUBECONFIG`.
    pub(super) named: bool,
}

impl Merged {
    /// Reads what a target names: its files, else those of `KUBECONFIG`, else `~/.kube/config`. None: nothing was named
    /// and there is nothing.
    pub(in crate::kubeapi) fn read(target: &ClusterTarget, around: &Surroundings) -> Result<Option<Self>, ApiError> {
        if !target.kubeconfig.is_empty() {
            let mut config = Merged { named: true, ..Merged::default() };
            for path in &target.kubeconfig {
                if !config.add(path)? {
                    return Err(missing(std::slice::from_ref(path), "with --kubeconfig or in the site file"));
                }
            }
            return Ok(Some(config));
        }
        let listed = around.variable("KUBECONFIG");
        let listed: Vec<PathBuf> =
            listed.iter().flat_map(std::env::split_paths).filter(|path| !path.as_os_str().is_empty()).collect();
        if !listed.is_empty() {
            let mut config = Merged { named: true, ..Merged::default() };
            let mut there = false;
            for (at, path) in listed.iter().enumerate() {
                // A file that is named twice is one file; kubectl passes over those that do not exist.
                if !listed.iter().take(at).any(|earlier| earlier == path) {
                    there |= config.add(path)?;
                }
            }
            return if there { Ok(Some(config)) } else { Err(missing(&listed, "in the variable KUBECONFIG")) };
        }
        let Some(home) = &around.home else { return Ok(None) };
        let mut config = Merged::default();
        let there = config.add(&home.join(".kube/config"))?;
        // What an uninstalled tool leaves behind is an empty file; that names nothing.
        let empty = config.contexts.is_empty() && config.clusters.is_empty() && config.users.is_empty();
        Ok((there && !empty).then_some(config))
    }

    /// Adds a file. Whether there is one.
    fn add(&mut self, path: &Path) -> Result<bool, ApiError> {
        let Some(bytes) = files::read_if_there(path, "kubeconfig", KUBECONFIG_LIMIT)? else { return Ok(false) };
        // A relative name must stay right wherever else it is used.
        let path: Arc<Path> = std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).into();
        let file = parse(&path, &bytes)?;
        self.take(&path, file)?;
        self.files.push(path);
        Ok(true)
    }

    fn take(&mut self, path: &Arc<Path>, file: Kubeconfig) -> Result<(), ApiError> {
        let place = |kind: &str| format!("kubeconfig {}: {kind}", shown(&path.display().to_string()));
        let mut seen = BTreeSet::new();
        for entry in file.clusters {
            let name = named(entry.name, &mut seen, || place("clusters"))?;
            let value = entry.cluster.unwrap_or_default();
            self.clusters.entry(name).or_insert_with(|| Placed { value, file: path.clone() });
        }
        seen.clear();
        for entry in file.auth_infos {
            let name = named(entry.name, &mut seen, || place("users"))?;
            let value = entry.auth_info.unwrap_or_default();
            self.users.entry(name).or_insert_with(|| Placed { value, file: path.clone() });
        }
        seen.clear();
        let earlier: BTreeSet<String> = self.contexts.iter().map(|(name, _)| name.clone()).collect();
        for entry in file.contexts {
            let name = named(entry.name, &mut seen, || place("contexts"))?;
            let value = entry.context.unwrap_or_default();
            if !earlier.contains(&name) {
                self.contexts.push((name, Placed { value, file: path.clone() }));
            }
        }
        let current = file.current_context.filter(|name| !name.is_empty());
        self.current = self.current.take().or(current);
        Ok(())
    }
}

/// The name of an entry, which no other of the same file has: kubectl refuses such a file too.
fn named(name: String, seen: &mut BTreeSet<String>, place: impl Fn() -> String) -> Result<String, ApiError> {
    if name.is_empty() {
        let text = format!("{}: an entry has no name. Give it one, or fetch the file again", place());
        return Err(ApiError::new(Reason::Malformed, text));
    }
    if !seen.insert(name.clone()) {
        let text = format!("{}: two entries are named {:?}. Rename or remove one of them", place(), shown(&name));
        return Err(ApiError::new(Reason::Malformed, text));
    }
    Ok(name)
}

fn missing(paths: &[PathBuf], named: &str) -> ApiError {
    let names: Vec<String> = paths.iter().map(|path| shown(&path.display().to_string())).collect();
    let text = format!("kubeconfig {}: there is no such file. Correct the path {named}", names.join(", "));
    ApiError::new(Reason::Unreachable, text)
}

/// Reads the text of a file.
fn parse(path: &Path, bytes: &[u8]) -> Result<Kubeconfig, ApiError> {
    let place = shown(&path.display().to_string());
    let wrong = |text: String| ApiError::new(Reason::Malformed, format!("kubeconfig {place}: {text}"));
    let Some(text) = text_of(bytes) else {
        return Err(wrong("it is not text. Name a kubeconfig file".to_owned()));
    };
    if text.chars().all(char::is_whitespace) {
        return Ok(Kubeconfig::default());
    }
    let file = tolerant::read(&text).map_err(|at| {
        let at = at.map(|at| format!(" at line {}, column {}", at.line(), at.column()));
        wrong(format!(
            "it cannot be read as a kubeconfig{}. Check indentation, quotes and doubled keys there, or fetch the file again",
            at.unwrap_or_default()
        ))
    })?;
    let is =
        |value: &Option<String>, wanted: &str| value.as_deref().is_none_or(|value| value.is_empty() || value == wanted);
    if !is(&file.kind, "Config") || !is(&file.api_version, "v1") {
        return Err(wrong("it holds another kind of object than a kubeconfig. Name a kubeconfig file".to_owned()));
    }
    Ok(file)
}

/// The text of a file: UTF-8, or UTF-16 with its mark, which PowerShell's `>` writes.
fn text_of(bytes: &[u8]) -> Option<String> {
    let wide = |bytes: &[u8], number: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).filter_map(|pair| pair.try_into().ok()).map(number).collect();
        String::from_utf16(&units).ok()
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8(rest.to_vec()).ok(),
        bytes => String::from_utf8(bytes.to_vec()).ok(),
    }
}
