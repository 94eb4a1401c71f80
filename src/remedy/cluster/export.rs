//! A plan of the cluster as a script, for somebody who has `kubectl` or `az` and not this program.

use super::act::{Act, How};
use super::azure::AzureChange;
use super::{ClusterChange, export_text, undo};
use crate::probe::azure::az_line;
use crate::remedy::export::comment;
use crate::remedy::words::quoted;
use std::fmt::Write as _;

/// Begins every script of this kind.
const PREPARE: &str = r#"set -u
umask 077
stop() { echo "$1. Nothing was changed." >&2; exit 1; }
failed() { echo 'It failed. What was done before it stays; the way back stands at the end of this script.' >&2; exit 1; }
"#;

impl ClusterChange {
    /// The lines that make the change by `kubectl`. None where a text would be edited whose lines a shell could not be trusted
    /// with: there a person works by the diff.
    pub(in crate::remedy) fn script(&self) -> Option<String> {
        let kubectl = match self.context.as_str() {
            "in-cluster" => "kubectl".to_owned(),
            context => format!("kubectl --context {}", quoted(context)),
        };
        let mut text = PREPARE.to_owned();
        text.push_str("command -v kubectl >/dev/null || stop 'kubectl is not installed here'\n");
        if self.context != "in-cluster" {
            let _ = writeln!(
                text,
                "SERVER=$({kubectl} config view --minify -o 'jsonpath={{.clusters[0].cluster.server}}') || stop 'The context is not known'\n\
                 [ \"${{SERVER%/}}\" = {} ] || stop 'The context leads to another cluster'",
                quoted(self.server.trim_end_matches('/'))
            );
        }
        text.push_str(
            "KEEP=$(mktemp -d \"${HOME:-.}/sitewarden-by-hand.XXXXXX\") || stop 'There is no room for the copies'\n",
        );
        for (number, act) in self.acts.iter().enumerate() {
            text.push('\n');
            comment(&mut text, &format!("Look: {} is as it was when this plan was made", act.name()));
            look(&mut text, &kubectl, number + 1, act);
        }
        text.push_str("\n# The change.\n");
        let (mut ways, mut restarts) = (Vec::new(), Vec::new());
        for (number, act) in self.acts.iter().enumerate() {
            comment(&mut text, &act.in_words());
            for line in act.diff(act.before.as_ref(), act.after.as_ref()).lines() {
                let _ = writeln!(text, "#   {line}");
            }
            if let How::Text { key, text: new, .. } = &act.how {
                ways.push(export_text::change(&mut text, &kubectl, act, key, new, number + 1)?);
                continue;
            }
            let _ = writeln!(text, "{{ {}; }} || failed", act.command(&self.context));
            match act.how {
                // What runs with a text is made anew when all texts are back.
                How::Restart { .. } => restarts.extend(way_back(act, &self.context)),
                _ => ways.extend(way_back(act, &self.context)),
            }
        }
        text.push_str("echo \"Done. The objects as they were: $KEEP\"\n");
        let texts = self.acts.iter().any(|act| matches!(act.how, How::Text { .. }));
        let keep = texts.then(|| "KEEP=FOLDER # the one that was printed".to_owned());
        back(&mut text, keep.into_iter().chain(ways.into_iter().rev()).chain(restarts));
        Some(text)
    }
}

impl AzureChange {
    /// The lines that run `az`.
    pub(in crate::remedy) fn script(&self) -> String {
        let mut text = PREPARE.to_owned();
        text.push_str("command -v az >/dev/null || stop 'az is not installed here'\n\n# The change.\n");
        for run in &self.runs {
            comment(&mut text, &run.what);
            let _ = writeln!(text, "{} || failed", az_line(&run.args));
        }
        text.push_str("echo 'Done.'\n");
        back(&mut text, self.runs.iter().rev().filter_map(|run| run.back.as_deref().map(az_line)));
        text
    }
}

/// The object is as it was seen, and a copy of it is kept.
fn look(text: &mut String, kubectl: &str, number: usize, act: &Act) {
    let namespace = act.place.namespace.as_ref().map_or_else(String::new, |name| format!(" -n {}", quoted(name)));
    let object = format!("{} {}", act.place.kind.to_lowercase(), quoted(&act.place.name));
    let get = format!("{kubectl}{namespace} get {object}");
    let name = act.name();
    let stop = |why: &str| quoted(&format!("{name} {why}"));
    let Some(seen) = &act.seen else {
        let _ = writeln!(text, "FOUND=$({get} --ignore-not-found -o name) || stop {}", stop("cannot be read"));
        let _ = writeln!(text, "[ -z \"$FOUND\" ] || stop {}", stop("is there by now"));
        return;
    };
    // The state of what pods run under changes with every pod, which is no reason not to restart them.
    let (path, state) = match act.how {
        How::Restart { .. } => ("{.metadata.uid}", seen.uid.clone()),
        _ => ("{.metadata.uid} {.metadata.resourceVersion}", format!("{} {}", seen.uid, seen.resource_version)),
    };
    let _ = writeln!(text, "STATE=$({get} -o 'jsonpath={path}') || stop {}", stop("cannot be read"));
    let _ = writeln!(
        text,
        "[ \"$STATE\" = {} ] || stop {}",
        quoted(&state),
        stop("is not as it was when this plan was made")
    );
    let _ = writeln!(text, "{get} -o yaml >\"$KEEP/{number}.yaml\" || stop 'The copy cannot be kept'");
}

/// The command that takes a change back. None where there is nothing of it to be taken back.
fn way_back(act: &Act, context: &str) -> Option<String> {
    let how = match &act.how {
        How::Field { field, own, .. } => {
            let value = act.before.as_ref().and_then(|before| before.get(field)).cloned();
            How::Field { field: field.clone(), value, own: own.clone(), force: true }
        }
        How::Replace { .. } => How::Replace { object: act.before.clone()? },
        _ => undo::inverse(act, None).ok()?,
    };
    Some(Act { how, ..act.clone() }.command(context))
}

/// The way back by hand, as comments.
fn back(text: &mut String, commands: impl Iterator<Item = String>) {
    let mut commands = commands.peekable();
    match commands.peek() {
        Some(_) => text.push_str("\n# The way back by hand, later:\n"),
        None => text.push_str("\n# There is no way back of it.\n"),
    }
    for command in commands {
        let _ = writeln!(text, "#   {command}");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::kubeapi::{ObjectPlace, Seen};
    use crate::remedy::Risk;
    use serde_json::{Value, json};
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    fn place(kind: &str, namespace: Option<&str>) -> ObjectPlace {
        ObjectPlace {
            group: String::new(),
            version: "v1".to_owned(),
            kind: kind.to_owned(),
            plural: String::new(),
            namespace: namespace.map(str::to_owned),
            name: "it's".to_owned(),
        }
    }

    fn act(kind: &str, namespace: Option<&str>, how: How, before: Option<Value>) -> Act {
        let seen = before.as_ref().map(|_| Seen { uid: "u-1".to_owned(), resource_version: "7".to_owned() });
        Act { place: place(kind, namespace), how, seen, before, after: None }
    }

    fn change(acts: Vec<Act>) -> ClusterChange {
        let (context, server) = ("the edge".to_owned(), "https://10.0.0.1:6443/".to_owned());
        ClusterChange { context, server, acts, risk: Risk::Safe, remarks: Vec::new() }
    }

    fn acts() -> Vec<Act> {
        let metadata = json!({"name": "it's", "labels": {"level": "old"}});
        let subjects = json!([{"kind": "Group", "name": "a"}, {"kind": "Group", "name": "b"}]);
        let binding = json!({"metadata": metadata, "subjects": subjects});
        let label = How::Label { key: "level".to_owned(), value: Some("new".to_owned()) };
        let value = Some(json!(false));
        let field = How::Field { field: "auto".to_owned(), value, own: serde_json::Map::new(), force: false };
        vec![
            act("Namespace", None, label, Some(json!({"metadata": metadata}))),
            act("ServiceAccount", Some("shop"), field, Some(json!({"metadata": metadata}))),
            act("NetworkPolicy", Some("shop"), How::Create { object: json!({"spec": {"a": "$(touch x)"}}) }, None),
            act("RoleBinding", Some("shop"), How::Replace { object: json!({"subjects": []}) }, Some(binding.clone())),
            act("ClusterRoleBinding", None, How::Delete, Some(binding)),
        ]
    }

    #[test]
    fn each_change_is_looked_at_made_and_can_be_taken_back() {
        let text = change(acts()).script().unwrap();
        let (_, back) = text.split_once("# The way back by hand").unwrap();
        let back: Vec<&str> = back.lines().filter_map(|line| line.strip_prefix("#   ")).collect();
        assert_eq!(back.len(), 5, "{text}");
        assert!(back[0].contains("create -f -"), "what was deleted is made again, first: {}", back[0]);
        assert!(back[1].contains(r#""name":"b""#) && back[2].contains("delete networkpolicy"), "{back:?}");
        assert!(back[3].contains(r#"{"auto":null}"#) && back[4].contains("level=old"), "{back:?}");
        assert!(text.contains("= 'u-1 7' ] || stop"), "{text}");
        assert!(text.contains("[ \"${SERVER%/}\" = https://10.0.0.1:6443 ]"), "{text}");
    }

    #[test]
    fn a_text_is_carried_by_the_lines_that_change_or_not_at_all() {
        let edit = |was: &str, text: &str| {
            let how = How::Text { key: "config.conf".to_owned(), text: text.to_owned(), what: "Set".to_owned() };
            act("ConfigMap", Some("kube-system"), how, Some(json!({"data": {"config.conf": was}})))
        };
        let (was, new) = ("proxy: hidden-word\na: 1\nEND\n", "proxy: hidden-word\na: $(touch x)\nEND\nb: '\n");
        let text = change(vec![edit(was, new)]).script().unwrap();
        let around: Vec<&str> =
            text.lines().filter(|line| line.contains("hidden-word") && !line.starts_with("#  ")).collect();
        assert!(around.is_empty(), "{text}");
        // With a `kubectl` that has the text: what it is told to put there.
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().display();
        std::fs::write(folder.path().join("was"), was).unwrap();
        let shell = format!(
            "#!/bin/sh\ncase \"$*\" in *'config view'*) echo https://10.0.0.1:6443 ;; *jsonpath*) printf 'u-1 7' ;;\n\
             *go-template*) cat {home}/was ;; *'create configmap'*) for word; do case $word in --from-file=config.conf=*) \
             cp \"${{word#--from-file=config.conf=}}\" {home}/now ;; esac; done ;; esac\n"
        );
        std::fs::write(folder.path().join("kubectl"), shell).unwrap();
        let sh = |script: &str| {
            let script = format!("chmod 755 {home}/kubectl; PATH={home}:$PATH; HOME={home}\n{script}");
            let mut child = Command::new("sh").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
            let out = child.wait_with_output().unwrap();
            assert!(out.status.success(), "{script}");
            String::from_utf8(out.stdout).unwrap()
        };
        let now = || std::fs::read_to_string(folder.path().join("now")).unwrap();
        let said = sh(&text);
        assert_eq!(now(), new);
        let kept = said.trim().rsplit(' ').next().unwrap();
        let (_, back) = text.split_once("# The way back by hand").unwrap();
        let back: Vec<&str> = back.lines().filter_map(|line| line.strip_prefix("#   ")).collect();
        sh(&back.join("\n").replace("KEEP=FOLDER", &format!("KEEP={kept}")));
        assert_eq!(now(), was);
        for (was, new) in [("a", "b\n"), ("a\n", "b"), ("a\r\n", "b\r\n")] {
            assert!(change(vec![edit(was, new)]).script().is_none(), "{was:?} {new:?}");
        }
    }

    /// With a `kubectl` that says what it is told: the object has changed since.
    #[test]
    fn nothing_is_changed_where_an_object_is_not_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let said = folder.path().join("said");
        let program = folder.path().join("kubectl");
        let shell = format!(
            "#!/bin/sh\necho \"$*\" >>{}\ncase \"$*\" in *'config view'*) echo https://10.0.0.1:6443 ;; *jsonpath*) echo 'u-1 8' ;; esac\n",
            said.display()
        );
        std::fs::write(&program, shell).unwrap();
        let script = format!(
            "chmod 755 {0}/kubectl; PATH={0}:$PATH; HOME={0}\n{1}",
            folder.path().display(),
            change(acts()).script().unwrap()
        );
        let mut child = Command::new("sh").stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        let out = child.wait_with_output().unwrap();
        let why = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(!out.status.success() && why.contains("not as it was") && why.contains("Nothing was changed"), "{why}");
        let said = std::fs::read_to_string(said).unwrap();
        assert!(said.lines().all(|line| line.contains("config view") || line.contains(" get ")), "{said}");
    }

    #[test]
    fn shellcheck_has_nothing_to_say() {
        // Left out where it is not installed.
        if Command::new("shellcheck").arg("--version").output().is_err() {
            return;
        }
        let mut acts = acts();
        let (was, new) = ("a: 1\nb: 2\n", "a: 1\nb: 3\n");
        let how = How::Text { key: "config.conf".to_owned(), text: new.to_owned(), what: "Set".to_owned() };
        acts.push(act("ConfigMap", Some("kube-system"), how, Some(json!({"data": {"config.conf": was}}))));
        let text = format!("#!/bin/sh\n# shellcheck disable=SC2016\n{}", change(acts).script().unwrap());
        let mut child = Command::new("shellcheck")
            .args(["-s", "sh", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let found = child.wait_with_output().unwrap();
        assert!(found.status.success(), "{}\n{text}", String::from_utf8_lossy(&found.stdout));
    }
}
