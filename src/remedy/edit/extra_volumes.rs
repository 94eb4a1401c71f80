//! Files and folders of a node that a component of kubeadm's ClusterConfiguration sees: `extraVolumes`, a list that is the same
//! in all its versions (`HostPathMount`: name, hostPath, mountPath, readOnly, pathType).

use super::EditError;
use super::error::Trouble;
use super::extra_args::push;
use super::scalar::read;
use serde_json::{Value as Json, json};

/// What is mounted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Volume<'v> {
    /// Its name.
    pub name: &'v str,
    /// Where it is, on the node and for the component.
    pub path: &'v str,
    /// Whether it is not to be written to.
    pub read_only: bool,
    /// What there must be, as in a manifest: `File`, `DirectoryOrCreate`.
    pub kind: &'v str,
}

/// Makes the list at `path` hold the volume, and leaves everything else to the byte; the same text where one mounts the same path
/// at the same place already. An error where another one has its name or its place, or the text is not surely understood.
pub fn add_volume(text: &str, path: &[&str], volume: &Volume<'_>) -> Result<String, EditError> {
    let Volume { name, path: place, .. } = volume;
    let hand = format!("put the mount of {place} into {} by hand", path.join("."));
    try_add(text, path, volume)
        .map_err(|trouble| trouble.with(&format!("{hand} (name {name}, hostPath and mountPath {place})")))
}

fn try_add(text: &str, path: &[&str], volume: &Volume<'_>) -> Result<String, Trouble> {
    let tree = read(text)?;
    let wrong = || Trouble::whole(format!("{} is no list of volumes", path.join(".")));
    let list = match path.iter().try_fold(&tree, |tree, key| tree.get(*key)) {
        None | Some(Json::Null) => &Vec::new(),
        Some(list) => list.as_array().ok_or_else(wrong)?,
    };
    let of = |item: &Json, key: &str| item.get(key).and_then(Json::as_str).map(str::to_owned);
    for item in list {
        let (name, from, to) = (of(item, "name"), of(item, "hostPath"), of(item, "mountPath"));
        if from.as_deref() == Some(volume.path) && to.as_deref() == Some(volume.path) {
            return Ok(text.to_owned());
        }
        if name.as_deref() == Some(volume.name) || to.as_deref() == Some(volume.path) {
            return Err(Trouble::whole(format!(
                "{} has a volume {} already, which mounts {} at {}",
                path.join("."),
                name.unwrap_or_default(),
                from.unwrap_or_default(),
                to.unwrap_or_default()
            )));
        }
    }
    let item = [
        ("name", json!(volume.name)),
        ("hostPath", json!(volume.path)),
        ("mountPath", json!(volume.path)),
        ("readOnly", json!(volume.read_only)),
        ("pathType", json!(volume.kind)),
    ];
    push(text, tree, path, &item)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const PATH: [&str; 2] = ["apiServer", "extraVolumes"];
    const POLICY: Volume<'_> = Volume { name: "audit-policy", path: "/etc/a.yaml", read_only: true, kind: "File" };
    const LOG: Volume<'_> =
        Volume { name: "audit-log", path: "/var/log/a", read_only: false, kind: "DirectoryOrCreate" };

    #[test]
    fn volumes_are_put_behind_the_others_and_once() {
        let with = add_volume("apiServer: {}\ndns: {}\n", &PATH, &POLICY).unwrap();
        let one = "apiServer:\n  extraVolumes:\n  - name: audit-policy\n    hostPath: /etc/a.yaml\n    mountPath: /etc/a.yaml\n    \
                   readOnly: true\n    pathType: File\n";
        assert_eq!(with, format!("{one}dns: {{}}\n"));
        let both = add_volume(&with, &PATH, &LOG).unwrap();
        let two = "  - name: audit-log\n    hostPath: /var/log/a\n    mountPath: /var/log/a\n    readOnly: false\n    \
                   pathType: DirectoryOrCreate\n";
        assert_eq!(both, format!("{one}{two}dns: {{}}\n"));
        assert_eq!(add_volume(&both, &PATH, &POLICY).unwrap(), both);
        let flow =
            add_volume("apiServer: {extraVolumes: [{name: x, hostPath: /x, mountPath: /x}]}\n", &PATH, &LOG).unwrap();
        assert!(flow.contains("mountPath: /x}, {name: audit-log, hostPath: /var/log/a,"), "{flow}");
        for taken in ["name: audit-log, hostPath: /b, mountPath: /b", "name: b, hostPath: /b, mountPath: /var/log/a"] {
            let text = format!("apiServer: {{extraVolumes: [{{{taken}}}]}}\n");
            assert!(add_volume(&text, &PATH, &LOG).unwrap_err().to_string().contains("already"), "{taken}");
        }
        assert!(add_volume("apiServer: {extraVolumes: 1}\n", &PATH, &LOG).is_err());
    }
}
