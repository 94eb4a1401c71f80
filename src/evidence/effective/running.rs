//! How a component is run on a node: its command line, from what lies nearest to the running process; its environment, its
//! configuration file, its version.

use super::super::cluster::ConfigMapText;
use super::super::listed::{Instance, Listed, Told};
use super::super::{Component, ConfigText, Fact, Gap, Reading, Reason, Value};
use super::differences::differ;
use super::flags::Flags;
use super::gap_at;
use super::layers::{self, Layer};
use super::program::{File, Program};
use jiff::{SignedDuration, Timestamp};
use std::borrow::Cow;

/// How long after a change of a ConfigMap a kubelet may still show its pods the file of before. It renews it with its next
/// round over the pod, about every minute and a half at most, by what it has watched (`syncFrequency`, and
/// `workerResyncIntervalJitterFactor` in `pkg/kubelet/pod_workers.go`); the rest is for clocks that differ.
const FILE_RENEWED: SignedDuration = SignedDuration::from_mins(5);

/// How a component is run.
pub(super) struct Running<'a> {
    pub(super) program: &'static Program,
    pub(super) flags: Flags,
    from: From<'a>,
    /// Arguments of the manifest on the node's disk, where it was read.
    manifest: Option<(&'a str, &'a [String])>,
    environment: Environment<'a>,
    /// The configuration file that the command line names, as a layer.
    pub(super) layer: Option<Layer<'a>>,
    /// Version, where it was read.
    pub(super) version: Option<Cow<'a, str>>,
    /// Why it was not.
    pub(super) version_gap: Gap,
}

/// Where the command line comes from.
enum From<'a> {
    Process,
    Pod(Instance<'a>),
    Manifest(&'a str),
}

/// The environment variables that it was started with.
enum Environment<'a> {
    /// Names of all of them; of what a unit sets, lines of `NAME=VALUE`.
    Known {
        names: &'a [String],
        lines: Vec<(&'a str, &'a str)>,
    },
    Unread(Gap),
}

/// What the environment says of a flag.
pub(super) enum Variable {
    /// It is not set.
    Unset,
    /// It is set to this, by this file.
    Set(String, String),
    /// It is set, and not to what; or nothing is known.
    Unread(Gap),
}

impl<'a> Running<'a> {
    /// How the program of `component` is run; why that is not known, where it is not.
    pub(super) fn of(
        program: &'static Program,
        component: &'a Component,
        listed: Option<&Listed<'a>>,
        root: &Reading,
    ) -> Result<Running<'a>, Gap> {
        let (key, name) = (program.key, program.name());
        // What the API shows of pods is their kubelet's word.
        let listed = listed.filter(|listed| listed.node.silence().is_none());
        let told = listed.map(|listed| listed.component(name));
        let pod = match &told {
            Some(Told::Pod(instance)) => Some(*instance),
            _ => None,
        };
        let process = component.process.known().and_then(|process| process.args.known());
        let manifest = component.static_pod.known().and_then(|pod| Some((pod.path.as_str(), pod.command.known()?)));
        let manifest = manifest.map(|(path, command)| (path, command.as_slice()));
        let of_pod = pod.and_then(|pod| Some((pod, pod.command(name)?)));
        let (args, from) = match (process, of_pod, manifest) {
            (Some(args), ..) => (args.as_slice(), From::Process),
            // A process that was seen and whose arguments cannot be seen holds the component in itself: a pod or a
            // manifest of the same name would be another one.
            _ if embedded(component, root, key) => return Err(gap_at(root, &format!("{key}.process.args"))),
            // No process was seen, and the manifest says something else than the pod: it is older, or not loaded yet.
            (None, Some((pod, command)), Some((path, manifest))) if pod.pod.mirror && differ(command, manifest) => {
                let why = format!(
                    "{path} on the node and {} through the API differ, and no process of it was seen",
                    pod.named()
                );
                return Err(Gap::new(Reason::NotVisible, why));
            }
            (None, Some((pod, command)), _) => (command, From::Pod(pod)),
            (None, None, Some((path, command))) => (command, From::Manifest(path)),
            (None, None, None) => {
                let gap = gap_at(root, &format!("{key}.process.args"));
                return Err(match pod {
                    Some(_) => Gap::new(Reason::NotVisible, "the API shows its pod, and not the command line in it"),
                    None => gap,
                });
            }
        };
        let flags = Flags::parse_as(program.dialect, args, |flag| program.takes(flag));
        let version = component.version.known().map(|version| Cow::Borrowed(version.as_str()));
        let version = version.or_else(|| pod.and_then(|pod| pod.version()).map(Cow::Owned));
        let mut running = Running {
            program,
            flags,
            from,
            manifest,
            environment: Environment::Unread(Gap::not_in_evidence()),
            layer: None,
            version,
            version_gap: gap_at(root, &format!("{key}.version")),
        };
        running.environment = running.environment(component, pod, root);
        let of_set = listed.zip(pod.filter(|pod| !pod.pod.mirror));
        running.layer = running.layer(component, of_set, root);
        Ok(running)
    }

    /// The environment. `pod`: the API's pod of the component.
    fn environment(&self, component: &'a Component, pod: Option<Instance<'a>>, root: &Reading) -> Environment<'a> {
        let key = self.program.key;
        if self.program.environment.is_empty() {
            return Environment::Known { names: &[], lines: Vec::new() };
        }
        let of_manifest = component.static_pod.known().map(|pod| &pod.environment_names);
        let of_pod = pod.and_then(|pod| pod.container).map(|container| &container.environment_names);
        let names = match &self.from {
            From::Pod(_) => of_pod,
            From::Process | From::Manifest(_) => of_manifest.or(of_pod),
        };
        match names {
            Some(Fact::Known(names)) => Environment::Known { names, lines: Vec::new() },
            Some(_) => Environment::Unread(Gap::new(Reason::NotVisible, "its environment variables were not read")),
            None => {
                let in_container =
                    component.process.known().is_some_and(|process| process.container == Fact::Known(true));
                let lines = component.environment.items.iter().map(lines);
                match lines.collect::<Option<Vec<_>>>() {
                    Some(lines) if component.environment.complete && !in_container => {
                        Environment::Known { names: &[], lines: lines.into_iter().flatten().collect() }
                    }
                    _ if in_container => {
                        Environment::Unread(Gap::new(Reason::NotVisible, "its environment variables are not seen"))
                    }
                    _ => Environment::Unread(gap_at(root, &format!("{key}.environment"))),
                }
            }
        }
    }

    /// The configuration file as a layer. `of_set`: the node in the API and the pod that runs it, where that is no static one.
    fn layer(
        &self,
        component: &'a Component,
        of_set: Option<(&Listed<'a>, Instance<'a>)>,
        root: &Reading,
    ) -> Option<Layer<'a>> {
        let (File::ForItsOwn(flag) | File::ForAll(flag)) = self.program.file else { return None };
        if self.flags.last(flag).is_none_or(str::is_empty) {
            return match self.variable(flag) {
                Variable::Unset => None,
                Variable::Set(..) => Some(Layer::Hole(Gap::new(
                    Reason::NotVisible,
                    "a variable of its environment names a configuration file, which is not read",
                ))),
                Variable::Unread(gap) => Some(Layer::Hole(gap)),
            };
        }
        let (key, name) = (self.program.key, self.program.name());
        let started = component.process.known().and_then(|process| process.started.known()).copied();
        if let Fact::Known(file) = &component.config_file
            && file.document.known().is_some()
        {
            return Some(layers::of_file(file, name, false, started, || {
                gap_at(root, &format!("{key}.config_file.document"))
            }));
        }
        let of_set = of_set.filter(|_| name == "kube-proxy");
        let layer = match of_set.map(|(listed, pod)| (listed.proxy_config(), pod)).map(|(map, pod)| Ok((map?, pod))) {
            Some(Ok((map, pod))) => match &map.document {
                Fact::Known(document) if document.is_object() => match loaded(map, &pod, started) {
                    Ok(()) => Layer::File { path: &map.name, document, drop_in: false },
                    Err(gap) => Layer::Hole(gap),
                },
                _ => Layer::Hole(Gap::new(map.unread.unwrap_or(Reason::Malformed), "the ConfigMap of kube-proxy")),
            },
            Some(Err(gap)) => Layer::Hole(gap),
            None if matches!(component.config_file, Fact::Absent) => Layer::Hole(Gap::new(
                Reason::NotVisible,
                "its command line names a configuration file, and there is none in the evidence",
            )),
            None => Layer::Hole(gap_at(root, &format!("{key}.config_file.document"))),
        };
        Some(layer)
    }

    /// What the environment says of a flag that is not given.
    pub(super) fn variable(&self, flag: &str) -> Variable {
        if self.program.environment.is_empty() {
            return Variable::Unset;
        }
        match &self.environment {
            Environment::Unread(gap) => Variable::Unread(gap.clone()),
            Environment::Known { names, lines } => {
                let wanted = self.program.variable(flag);
                let set = lines.iter().rev().find_map(|(path, line)| {
                    let (name, value) = line.split_once('=')?;
                    (name.trim() == wanted).then(|| (value.trim().trim_matches(['"', '\'']).to_owned(), *path))
                });
                match set {
                    Some((value, _)) if value.contains("[redacted]") || value.contains('$') => {
                        Variable::Unread(Gap::new(Reason::NotVisible, format!("{wanted} is set in its environment")))
                    }
                    Some((value, path)) => Variable::Set(value, format!("{wanted}, from {path}")),
                    None if names.contains(&wanted) => Variable::Unread(Gap::new(
                        Reason::NotVisible,
                        format!("{wanted} is set in its environment, and values of variables are not read"),
                    )),
                    None => Variable::Unset,
                }
            }
        }
    }

    /// How the origin of a flag is said.
    pub(super) fn origin(&self, flag: &str) -> String {
        let same = |arg: &String| {
            let bare = arg.trim_start_matches('-');
            arg.starts_with('-') && bare.split('=').next() == Some(flag)
        };
        match (&self.from, self.manifest) {
            (From::Process, Some((path, command))) if command.iter().any(same) => format!("flag, {path}"),
            (From::Process, _) => format!("flag of the running {}", self.program.name()),
            (From::Pod(pod), _) => format!("flag, {} through the API", pod.named()),
            (From::Manifest(path), _) => format!("flag, {path}"),
        }
    }

    /// Whether the command line comes from the running process.
    pub(super) fn is_process(&self) -> bool {
        matches!(self.from, From::Process)
    }
}

/// Whether a pod surely runs with what its ConfigMap says now: it was made after the ConfigMap changed last, or its program
/// started so long after that the kubelet had brought the file up to date. kube-proxy does end where its file is written or
/// renamed (`eventHandler` in `cmd/kube-proxy/app/options.go`); the kubelet does neither, but turns a link above the file.
/// `process`: when the program started, where a channel saw it.
fn loaded(map: &ConfigMapText, pod: &Instance<'_>, process: Option<Timestamp>) -> Result<(), Gap> {
    let unknown = |why: &str| Err(Gap::new(Reason::NotVisible, why));
    let Some(changed) = map.changed.known() else {
        return unknown(
            "when the ConfigMap of kube-proxy changed last is not known, and its pod runs with what it said before",
        );
    };
    let created = pod.pod.created.known();
    let container = pod.container.and_then(|container| container.started.known()).copied();
    let started = process.or(container);
    if created.is_some_and(|created| created > changed)
        || started.is_some_and(|started| started.duration_since(*changed) > FILE_RENEWED)
    {
        return Ok(());
    }
    match (created, started) {
        (None, None) => {
            unknown("when the pod of kube-proxy started is not known, and it runs with what its ConfigMap said then")
        }
        _ => unknown(
            "the ConfigMap of kube-proxy may have changed after its pod started, and what it runs with is not seen",
        ),
    }
}

/// Whether another program holds the component in itself.
fn embedded(component: &Component, root: &Reading, key: &str) -> bool {
    let hidden = || match root.at(&format!("{key}.process.args")).value {
        Value::Unread(gap) => gap.reason == Reason::NotVisible,
        _ => false,
    };
    component.process.known().is_some_and(|process| process.args.is_unread()) && hidden()
}

/// Lines of an environment file, each with the file's path. None where it was not read.
fn lines(file: &ConfigText) -> Option<Vec<(&str, &str)>> {
    let text = file.text.known()?;
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#') && line.contains('='));
    Some(lines.map(|line| (file.path.as_str(), line)).collect())
}
