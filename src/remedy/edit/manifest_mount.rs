//! A folder or file of the node, mounted into a static pod's container.

use super::EditError;
use super::error::Trouble;
use super::manifest_flag::Container;
use super::scalar::{Around, read, text_written};
use super::scan::scan;
use super::splice::{Splices, line_end};
use super::tree::{Document, Kind, Node, Style};
use super::yaml::finish;
use serde_json::{Value as Json, json};

/// What must be at a hostPath.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostPathKind {
    /// A folder that is there.
    Directory,
    /// A folder, made where it is missing.
    DirectoryOrCreate,
    /// A file that is there.
    File,
    /// A file, made empty where it is missing.
    FileOrCreate,
}

impl HostPathKind {
    /// The name in a manifest.
    pub fn name(self) -> &'static str {
        match self {
            HostPathKind::Directory => "Directory",
            HostPathKind::DirectoryOrCreate => "DirectoryOrCreate",
            HostPathKind::File => "File",
            HostPathKind::FileOrCreate => "FileOrCreate",
        }
    }
}

/// Whether a container sees the node's `host_path` at `mount_path`, by a volume of any name and a mount of its own.
/// A mount of a folder above it does not count. An error where the manifest is not surely understood.
pub fn has_mount(text: &str, container: &str, host_path: &str, mount_path: &str) -> Result<bool, EditError> {
    let found = || {
        let tree = read(text)?;
        let document = scan(text)?;
        let number = Container::find(&document, container)?.number;
        Ok(mount(&tree, number, mount_path).is_some_and(|mount| host_path_of(&tree, mount) == Some(host_path)))
    };
    found().map_err(|trouble: Trouble| trouble.with(&format!("look for a mount at {mount_path} by hand")))
}

/// Whether what a container writes at `path` comes to lie on the node: some hostPath is mounted there or at a folder above it.
/// An error where the manifest is not surely understood.
pub fn is_on_node(text: &str, container: &str, path: &str) -> Result<bool, EditError> {
    let found = || {
        let tree = read(text)?;
        let document = scan(text)?;
        let number = Container::find(&document, container)?.number;
        let mut above = std::iter::successors(Some(bare(path)), |path| path.rsplit_once('/').map(|(above, _)| above));
        // The mount that is nearest counts.
        let nearest = above.find_map(|path| mount(&tree, number, path));
        Ok(nearest.is_some_and(|mount| host_path_of(&tree, mount).is_some()))
    };
    found().map_err(|trouble: Trouble| trouble.with(&format!("look for a mount of {path} by hand")))
}

/// Mounts the node's `host_path` at `mount_path` into a container: a volume `name` and a mount of it, each behind those
/// that are there.
///
/// Gives the new text; the same text where the mount is there. An error where the manifest is not surely understood,
/// where `name` is another volume, or where something else, or something read-only that is to be written, is mounted at
/// `mount_path`.
pub fn add_mount(
    text: &str,
    container: &str,
    name: &str,
    host_path: &str,
    mount_path: &str,
    read_only: bool,
    kind: HostPathKind,
) -> Result<String, EditError> {
    let wanted = Wanted { name, host_path, mount_path, read_only, kind };
    try_add(text, container, &wanted)
        .map_err(|trouble| trouble.with(&format!("mount {host_path} at {mount_path} in {container} by hand")))
}

struct Wanted<'a> {
    name: &'a str,
    host_path: &'a str,
    mount_path: &'a str,
    read_only: bool,
    kind: HostPathKind,
}

fn list<'t>(tree: &'t Json, pointer: &str) -> impl Iterator<Item = &'t Json> {
    tree.pointer(pointer).and_then(Json::as_array).into_iter().flatten()
}

fn text_of<'t>(map: &'t Json, key: &str) -> Option<&'t str> {
    map.get(key).and_then(Json::as_str)
}

/// A path without the slash at its end.
fn bare(path: &str) -> &str {
    path.trim_end_matches('/')
}

fn mount<'t>(tree: &'t Json, container: usize, path: &str) -> Option<&'t Json> {
    list(tree, &format!("/spec/containers/{container}/volumeMounts"))
        .find(|mount| text_of(mount, "mountPath").map(bare) == Some(bare(path)))
}

fn host_path_of<'t>(tree: &'t Json, mount: &Json) -> Option<&'t str> {
    // Of a mount of a part of the volume it is not the volume's path that is seen.
    if mount.get("subPath").is_some() || mount.get("subPathExpr").is_some() {
        return None;
    }
    let name = text_of(mount, "name")?;
    let volume = list(tree, "/spec/volumes").find(|volume| text_of(volume, "name") == Some(name))?;
    volume.pointer("/hostPath/path").and_then(Json::as_str)
}

fn try_add(text: &str, container: &str, wanted: &Wanted<'_>) -> Result<String, Trouble> {
    let mut tree = read(text)?;
    let document = scan(text)?;
    let found = Container::find(&document, container)?;
    if let Some(mount) = mount(&tree, found.number, wanted.mount_path) {
        let locked = mount.get("readOnly").and_then(Json::as_bool).unwrap_or(false);
        return match host_path_of(&tree, mount) {
            Some(path) if bare(path) == bare(wanted.host_path) && (wanted.read_only || !locked) => Ok(text.to_owned()),
            Some(path) if bare(path) == bare(wanted.host_path) => {
                Err(Trouble::whole(format!("{path} is mounted there, but read-only")))
            }
            _ => Err(Trouble::whole(format!("something else is mounted at {}", wanted.mount_path))),
        };
    }
    let volume = list(&tree, "/spec/volumes").find(|volume| text_of(volume, "name") == Some(wanted.name));
    let has_volume = match volume.map(|volume| volume.pointer("/hostPath/path").and_then(Json::as_str)) {
        None => false,
        Some(Some(path)) if bare(path) == bare(wanted.host_path) => true,
        Some(_) => return Err(Trouble::whole(format!("another volume has the name `{}`", wanted.name))),
    };
    let mut splices = Splices::default();
    let plain = |text: &str| text_written(text, None, Around::Block);
    let mut lines = vec![format!("mountPath: {}", plain(wanted.mount_path)), format!("name: {}", plain(wanted.name))];
    let mut new = json!({"mountPath": wanted.mount_path, "name": wanted.name});
    if wanted.read_only {
        lines.push("readOnly: true".to_owned());
        new["readOnly"] = json!(true);
    }
    add(&document, found.node, "volumeMounts", &lines, &mut splices)?;
    push(&mut tree, &format!("/spec/containers/{}", found.number), "volumeMounts", new);
    if !has_volume {
        let lines = [
            "hostPath:".to_owned(),
            format!("  path: {}", plain(wanted.host_path)),
            format!("  type: {}", wanted.kind.name()),
            format!("name: {}", plain(wanted.name)),
        ];
        let Some(spec) = document.root.get("spec") else { return Err(Trouble::whole("the manifest has no spec")) };
        add(&document, spec, "volumes", &lines, &mut splices)?;
        let new = json!({"hostPath": {"path": wanted.host_path, "type": wanted.kind.name()}, "name": wanted.name});
        push(&mut tree, "/spec", "volumes", new);
    }
    finish(text, splices, &tree)
}

fn push(tree: &mut Json, map: &str, key: &str, new: Json) {
    if let Some(map) = tree.pointer_mut(map).and_then(Json::as_object_mut) {
        match map.get_mut(key).and_then(Json::as_array_mut) {
            Some(list) => list.push(new),
            None => {
                map.insert(key.to_owned(), Json::Array(vec![new]));
            }
        }
    }
}

/// Adds an item of several lines to the list under a key of a block map.
fn add(document: &Document<'_>, map: &Node, key: &str, lines: &[String], splices: &mut Splices) -> Result<(), Trouble> {
    let strange = |node: &Node| {
        Err(Trouble::at(document.line(node.start), format!("`{key}` is written in a form that is not added to")))
    };
    let Kind::Map(Style::Block(indent), _) = map.kind else { return strange(map) };
    let (place, dash, head) = match map.get(key) {
        Some(Node { kind: Kind::Seq(Style::Block(dash), items), end, .. }) if !items.is_empty() => (*end, *dash, None),
        Some(other) => return strange(other),
        None => {
            let head = format!("{}{}:", " ".repeat(indent), key);
            (map.end, indent + document.dash_step(), Some(head))
        }
    };
    let eol = line_end(document.text);
    let mut new: Vec<String> = head.into_iter().collect();
    for (number, line) in lines.iter().enumerate() {
        new.push(format!("{}{}{line}", " ".repeat(dash), if number == 0 { "- " } else { "  " }));
    }
    let place = document.lines.end(place.saturating_sub(1));
    splices.insert(place, new.iter().map(|line| format!("{eol}{line}")).collect::<String>());
    Ok(())
}

#[cfg(test)]
#[path = "manifest_mount_tests.rs"]
mod tests;
