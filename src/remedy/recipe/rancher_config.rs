//! The configuration files of k3s and RKE2, as they merge them: `config.yaml`, then `config.yaml.d` by name. A key takes the
//! place of what stood before it, `key+` adds to it (k3s, pkg/configfilearg/parser.go). What a key `COMPONENT-arg` holds
//! goes to the component, each `NAME=VALUE` a flag (pkg/util/args.go, GetArgs).

use super::static_flag::Flag;
use crate::remedy::edit::yaml::{get_path, set_path};
use crate::remedy::plan::Refusal;
use serde_json::Value as Json;

/// One file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ConfigFile {
    pub(super) path: String,
    pub(super) text: String,
}

/// One key of one file, with what it holds.
struct Holder {
    file: usize,
    key: String,
    items: Vec<String>,
    /// Whether it is written as a list.
    list: bool,
}

/// The value that a component runs with where the files do not give it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Running {
    /// This one; None: the flag is not given.
    Seen(Option<String>),
    /// It cannot be seen.
    Hidden,
}

/// What a flag was in the files, and what it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) was: Option<String>,
    pub(super) is: Option<String>,
}

/// The holders that count, the one that comes first before the others.
fn holders(files: &[ConfigFile], key: &str) -> Result<Vec<Holder>, Refusal> {
    let mut found: Vec<Holder> = Vec::new();
    for (number, file) in files.iter().enumerate() {
        let more = format!("{key}+");
        let get =
            |key: &str| get_path(&file.text, &[key]).map_err(|error| Refusal::new(format!("{}: {error}", file.path)));
        let (key, value, adds) = match (get(key)?, get(&more)?) {
            (None, None) => continue,
            (Some(_), Some(_)) => {
                return Err(Refusal::new(format!(
                    "{} has both {key} and {more}, whose order decides. Make one of them by hand",
                    file.path
                )));
            }
            (Some(value), None) => (key, value, false),
            (None, Some(value)) => (more.as_str(), value, true),
        };
        let texts = match &value {
            Json::String(text) => Some(vec![text.clone()]),
            Json::Array(items) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
            _ => None,
        };
        let Some(items) = texts else {
            return Err(Refusal::new(format!(
                "{}: {key} holds something else than texts NAME=VALUE. Put it right by hand",
                file.path
            )));
        };
        if !adds {
            found.clear();
        }
        found.push(Holder { file: number, key: key.to_owned(), items, list: value.is_array() });
    }
    Ok(found)
}

/// The name of the flag in `NAME=VALUE`, as the components compare it, and its value.
fn split(item: &str) -> (String, String) {
    let (name, value) = item.split_once('=').unwrap_or((item, "true"));
    (name.trim_start_matches('-').replace('_', "-"), value.to_owned())
}

/// Whether the files give a component this flag.
pub(super) fn gives(files: &[ConfigFile], key: &str, flag: &str) -> Result<bool, Refusal> {
    Ok(holders(files, key)?.iter().flat_map(|holder| &holder.items).any(|item| split(item).0 == flag))
}

/// Makes the files give a component this flag, in the place where it is decided. Gives what becomes of it; the same twice
/// where nothing changes.
pub(super) fn set(
    files: &mut [ConfigFile],
    key: &str,
    flag: &str,
    setting: &Flag,
    running: &Running,
) -> Result<Turn, Refusal> {
    let mut found = holders(files, key)?;
    let main = files.first().map_or_else(String::new, |file| file.path.clone());
    let mut uses: Vec<(usize, usize, String)> = Vec::new();
    for (number, holder) in found.iter().enumerate() {
        let path = files.get(holder.file).map_or(main.as_str(), |file| file.path.as_str());
        for (at, item) in holder.items.iter().enumerate() {
            let (name, value) = split(item);
            if name.trim_end_matches(['+', '-']) != flag {
                continue;
            }
            if name != flag {
                return Err(Refusal::new(format!(
                    "{path}: {key} has `{name}`, which adds to a value that is not seen here. Write --{flag} in full by hand first"
                )));
            }
            if !uses.is_empty() {
                return Err(Refusal::new(format!(
                    "{path}: {key} gives --{flag} more than once, so it is not plain which one is meant. Take all but one out by hand \
                     first"
                )));
            }
            uses.push((number, at, value));
        }
    }
    let Some((number, at, value)) = uses.pop() else {
        let now = match (running, setting) {
            (Running::Seen(now), _) => now.as_deref(),
            (Running::Hidden, Flag::List { .. }) => {
                return Err(Refusal::new(format!(
                    "{main} and its drop-ins do not give --{flag}, and what the component is given instead cannot be seen, so that it \
                     would be lost. Write --{flag} in full by hand"
                )));
            }
            (Running::Hidden, _) => None,
        };
        let Some(wanted) = setting.wanted(now) else {
            return Err(Refusal::new(format!(
                "{main} and its drop-ins do not give --{flag}, so there is nothing to take out there. Look by hand where it comes from"
            )));
        };
        if now == Some(wanted.as_str()) {
            return Ok(Turn { was: None, is: None });
        }
        let new = Holder { file: 0, key: key.to_owned(), items: Vec::new(), list: true };
        let mut holder = found.pop().unwrap_or(new);
        holder.items.push(format!("{flag}={wanted}"));
        write(files, &holder)?;
        return Ok(Turn { was: None, is: Some(wanted) });
    };
    let wanted = setting.wanted(Some(&value));
    if wanted.as_ref() != Some(&value)
        && let Some(holder) = found.get_mut(number)
    {
        holder.items.splice(at..=at, wanted.as_ref().map(|value| format!("{flag}={value}")));
        write(files, holder)?;
    }
    Ok(Turn { was: Some(value), is: wanted })
}

/// Writes what a key holds into its file; a single text stays one.
fn write(files: &mut [ConfigFile], holder: &Holder) -> Result<(), Refusal> {
    let Some(file) = files.get_mut(holder.file) else { return Ok(()) };
    let value = match holder.items.as_slice() {
        [only] if !holder.list => Json::String(only.clone()),
        items => items.iter().cloned().map(Json::String).collect(),
    };
    file.text = set_path(&file.text, &[&holder.key], &value)
        .map_err(|error| Refusal::new(format!("{}: {error}", file.path)))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn files(texts: &[&str]) -> Vec<ConfigFile> {
        let named =
            |(number, text): (usize, &&str)| ConfigFile { path: format!("/{number}"), text: (*text).to_owned() };
        texts.iter().enumerate().map(named).collect()
    }

    /// Sets `read-only-port` to 0, and gives the texts.
    fn with(texts: &[&str]) -> Result<Vec<String>, Refusal> {
        let mut files = files(texts);
        let turn = set(&mut files, "kubelet-arg", "read-only-port", &Flag::Value("0".to_owned()), &Running::Hidden)?;
        assert_eq!(turn.is.as_deref(), Some("0"));
        Ok(files.into_iter().map(|file| file.text).collect())
    }

    #[test]
    fn it_goes_where_it_is_decided_and_the_form_stays() {
        assert_eq!(with(&[""]).unwrap(), ["kubelet-arg:\n- read-only-port=0\n"]);
        assert_eq!(
            with(&["# ours\ntoken: secret # keep\nkubelet-arg:\n  - \"max-pods=20\" # few\n\ndisable: traefik"])
                .unwrap(),
            [
                "# ours\ntoken: secret # keep\nkubelet-arg:\n  - \"max-pods=20\" # few\n  - read-only-port=0\n\ndisable: traefik"
            ]
        );
        // Of the same name it takes the place, with or without dashes.
        assert_eq!(
            with(&["kubelet-arg: ['--read-only-port=10255', max-pods=20]\n"]).unwrap(),
            ["kubelet-arg: ['read-only-port=0', max-pods=20]\n"]
        );
        assert_eq!(with(&["kubelet-arg: read_only_port=1\n"]).unwrap(), ["kubelet-arg: read-only-port=0\n"]);
        assert_eq!(
            with(&["kubelet-arg: max-pods=20\n"]).unwrap(),
            ["kubelet-arg:\n- max-pods=20\n- read-only-port=0\n"]
        );
    }

    #[test]
    fn later_files_replace_and_a_plus_adds() {
        let first = "kubelet-arg: [read-only-port=10255]\n";
        // What an earlier file says does not count any more.
        let last = "kubelet-arg:\n- max-pods=20\n";
        assert_eq!(with(&[first, last]).unwrap(), [first, "kubelet-arg:\n- max-pods=20\n- read-only-port=0\n"]);
        let adds = "kubelet-arg+:\n- max-pods=20\n";
        assert_eq!(with(&[first, adds]).unwrap(), ["kubelet-arg: [read-only-port=0]\n", adds]);
        let adds = "kubelet-arg+: read-only-port=5\n";
        assert_eq!(with(&["", "a: b\n", adds]).unwrap(), ["", "a: b\n", "kubelet-arg+: read-only-port=0\n"]);
        assert_eq!(with(&["kubelet-arg: [read-only-port=0]\n"]).unwrap(), ["kubelet-arg: [read-only-port=0]\n"]);
    }

    #[test]
    fn what_is_not_plain_is_left_to_a_person() {
        for texts in [
            &["kubelet-arg: [read-only-port=1]\n", "kubelet-arg+: [read-only-port=2]\n"][..],
            &["kubelet-arg: [read-only-port+=1]\n"],
            &["kubelet-arg: [5]\n"],
            &["kubelet-arg:\n"],
            &["kubelet-arg: [a=b]\nkubelet-arg+: [c=d]\n"],
            &["kubelet-arg: ["],
        ] {
            let refused = with(texts).unwrap_err();
            assert!(refused.0.contains("by hand"), "{refused}");
        }
    }

    #[test]
    fn a_list_keeps_its_words_and_those_that_run() {
        let add = Flag::List { add: vec!["NodeRestriction".to_owned()], without: Vec::new() };
        let with = |text: &str, setting: &Flag, running: Option<&str>| {
            let running = running.map_or(Running::Hidden, |value| Running::Seen(Some(value.to_owned())));
            let mut files = files(&[text]);
            let turn = set(&mut files, "kube-apiserver-arg", "enable-admission-plugins", setting, &running)?;
            Ok::<_, Refusal>((files.remove(0).text, turn))
        };
        let (text, turn) = with("", &add, Some("PodSecurity")).unwrap();
        assert_eq!(text, "kube-apiserver-arg:\n- enable-admission-plugins=PodSecurity,NodeRestriction\n");
        assert_eq!(turn.was, None);
        let (text, turn) = with("kube-apiserver-arg: [enable-admission-plugins=A]\n", &add, Some("B")).unwrap();
        assert_eq!(text, "kube-apiserver-arg: [\"enable-admission-plugins=A,NodeRestriction\"]\n");
        assert_eq!(turn.was.as_deref(), Some("A"));
        let (text, turn) = with("kube-apiserver-arg: [enable-admission-plugins=A]\n", &Flag::Gone, None).unwrap();
        assert_eq!((text.as_str(), turn.is), ("kube-apiserver-arg: []\n", None));
        assert!(with("", &Flag::Gone, Some("A")).unwrap_err().0.contains("by hand"));
        assert!(with("", &add, None).unwrap_err().0.contains("cannot be seen"));
        assert_eq!(with("", &add, Some("NodeRestriction")).unwrap().0, "");
    }
}
