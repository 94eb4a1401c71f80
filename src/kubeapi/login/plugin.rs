//! Programs that give credentials. Contract: kubernetes.io, "client-go credential plugins", `client.authentication.k8s.io`
//! v1 and v1beta1. We run them ourselves: without a terminal, within a deadline, and nothing they print is shown.

use super::super::error::{ApiError, shown};
use super::super::http::Deadline;
use super::super::kubeconfig::{ODD_MODE, Placed, Secret, set};
use super::super::tls::{self, Identity};
use super::credentials::{Credentials, bearer};
use super::fixed::pem;
use super::{cache, process};
use crate::evidence::Reason;
use kube::config::{AuthInfo, Cluster, ExecConfig, ExecInteractiveMode};
use openssl::base64::encode_block;
use openssl::sha::Sha256;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Name of the extension of a cluster that is meant for its plugin.
const EXTENSION: &str = "client.authentication.k8s.io/exec";

/// Longest hint how to install a program, in characters.
const HINT: usize = 400;

/// One program of one user for one cluster.
pub(super) struct Plugin {
    /// The program's name, for sentences.
    pub(super) name: String,
    /// The user, for sentences.
    pub(super) place: String,
    pub(super) command: PathBuf,
    pub(super) args: Vec<Secret>,
    pub(super) env: Vec<(String, Secret)>,
    pub(super) mode: Mode,
    version: &'static str,
    hint: Option<String>,
    cluster: Option<Value>,
    key: cache::Key,
    /// Concurrent requests wait for one run.
    turn: tokio::sync::Mutex<()>,
}

/// Whether a program speaks with a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Never,
    IfAvailable,
    Always,
}

impl Plugin {
    pub(super) fn new(
        exec: &ExecConfig,
        user: &Placed<AuthInfo>,
        cluster: &Placed<Cluster>,
        place: String,
    ) -> Result<Self, ApiError> {
        let wrong = |reason: Reason, text: String| ApiError::new(reason, format!("{place}: {text}"));
        let command = exec.command.as_deref().unwrap_or_default();
        if command.is_empty() {
            return Err(wrong(Reason::Malformed, "its `exec` names no command. Fetch the kubeconfig again".to_owned()));
        }
        // Only what has a separator is a path; a bare name is looked for in PATH.
        let is_path = command.contains(std::path::MAIN_SEPARATOR);
        let path = if is_path { user.path(command) } else { PathBuf::from(command) };
        let name = shown(&Path::new(command).file_name().map_or_else(|| command.into(), |name| name.to_string_lossy()));
        let version = match exec.api_version.as_deref().unwrap_or_default() {
            "client.authentication.k8s.io/v1" => "client.authentication.k8s.io/v1",
            "client.authentication.k8s.io/v1beta1" => "client.authentication.k8s.io/v1beta1",
            other => {
                let text = format!(
                    "{name} is to speak apiVersion {:?}, which is not known. Update {name} and fetch the kubeconfig again, so that it says client.authentication.k8s.io/v1",
                    shown(other)
                );
                return Err(wrong(Reason::Unsupported, text));
            }
        };
        if let Some(other) = exec.other.get(ODD_MODE).and_then(Value::as_str).filter(|other| !other.is_empty()) {
            let text =
                format!("its interactiveMode {:?} is not known. Write Never, IfAvailable or Always", shown(other));
            return Err(wrong(Reason::Malformed, text));
        }
        let mode = match exec.interactive_mode {
            Some(ExecInteractiveMode::Never) => Mode::Never,
            Some(ExecInteractiveMode::IfAvailable) | None => Mode::IfAvailable,
            Some(ExecInteractiveMode::Always) => Mode::Always,
        };
        let mut env = Vec::new();
        for entry in exec.env.iter().flatten() {
            let key = entry.get("name").cloned().unwrap_or_default();
            let value = Secret::new(entry.get("value").cloned().unwrap_or_default());
            if key.is_empty() || key.contains(['=', '\0']) || value.expose().contains('\0') {
                let text = "a variable in its `exec` has no name, or one that cannot be. Correct `env`".to_owned();
                return Err(wrong(Reason::Malformed, text));
            }
            env.push((key, value));
        }
        let args: Vec<Secret> = exec.args.iter().flatten().cloned().map(Secret::new).collect();
        if args.iter().any(|arg| arg.expose().contains('\0')) {
            return Err(wrong(
                Reason::Malformed,
                "an argument in its `exec` cannot be passed. Correct `args`".to_owned(),
            ));
        }
        let info = if exec.provide_cluster_info { Some(cluster_info(cluster)?) } else { None };
        let key = key_of(&path, &args, &env, version, info.as_ref(), cluster);
        let hint = exec.install_hint.as_deref().map(plain).filter(|hint| !hint.is_empty());
        let turn = tokio::sync::Mutex::new(());
        Ok(Plugin { name, place, command: path, args, env, mode, version, hint, cluster: info, key, turn })
    }

    /// Credentials that hold: what was given before, else what a run gives. `refused` are not good enough.
    pub(super) async fn credentials(
        &self,
        refused: Option<&Arc<Credentials>>,
        deadline: Deadline,
    ) -> Result<Arc<Credentials>, ApiError> {
        let _turn = deadline.hold(self.turn.lock()).await.map_err(|_| process::late(self, deadline.limit))?;
        if let Some(kept) = cache::get(&self.key)
            && refused.is_none_or(|refused| !Arc::ptr_eq(refused, &kept))
        {
            return Ok(kept);
        }
        if self.mode == Mode::Always {
            return Err(self.wants_person());
        }
        let answer = process::run(self, self.request(false)?, deadline).await?;
        self.take(&answer)
    }

    /// Reads what a run gave, and keeps it.
    pub(super) fn take(&self, answer: &[u8]) -> Result<Arc<Credentials>, ApiError> {
        Ok(cache::put(self.key, self.read(answer)?))
    }

    /// The value of `KUBERNETES_EXEC_INFO`.
    pub(super) fn request(&self, interactive: bool) -> Result<String, ApiError> {
        let mut spec = Map::new();
        spec.insert("interactive".to_owned(), Value::Bool(interactive));
        if let Some(cluster) = &self.cluster {
            spec.insert("cluster".to_owned(), cluster.clone());
        }
        let request = json!({"kind": "ExecCredential", "apiVersion": self.version, "spec": spec});
        Ok(request.to_string())
    }

    fn read(&self, answer: &[u8]) -> Result<Credentials, ApiError> {
        let wrong = |text: &str| {
            let text =
                format!("{}: {} {text}. Update it, or run it by hand to see what is wrong", self.place, self.name);
            ApiError::new(Reason::Malformed, text)
        };
        let answer: Answer =
            serde_json::from_slice(answer).map_err(|_| wrong("gave no credentials, but something else"))?;
        if answer.kind.as_deref() != Some("ExecCredential") || answer.api_version.as_deref() != Some(self.version) {
            return Err(wrong(&format!("gave an answer of another kind or version than {}", self.version)));
        }
        let status = answer.status.unwrap_or_default();
        let until = match status.expiration_timestamp.as_deref().filter(|text| !text.is_empty()) {
            None => None,
            Some(text) => Some(text.parse().map_err(|_| wrong("gave an expirationTimestamp that is no time"))?),
        };
        let given = |secret: Option<Secret>| secret.filter(|secret| !secret.expose().is_empty());
        let (certificate, key) = (given(status.client_certificate_data), given(status.client_key_data));
        let identity = match (certificate, key) {
            (None, None) => None,
            (Some(certificate), Some(key)) => {
                let place = format!("client certificate that {} gave for {}", self.name, self.place);
                let chain = tls::certificates(certificate.expose().as_bytes(), &place)?;
                let key =
                    tls::key(key.expose().as_bytes(), &format!("key that {} gave for {}", self.name, self.place))?;
                Some(Identity::new(chain, key, place)?)
            }
            _ => return Err(wrong("gave a certificate without a key, or the other way round")),
        };
        let header = match given(status.token) {
            Some(token) => Some(bearer(token.expose(), &format!("what {} gave for {}", self.name, self.place))?),
            None => None,
        };
        if header.is_none() && identity.is_none() {
            return Err(wrong("gave neither a token nor a certificate"));
        }
        Ok(Credentials { header, identity, until })
    }

    /// It cannot work without a person.
    pub(super) fn wants_person(&self) -> ApiError {
        let Plugin { name, place, .. } = self;
        let text = format!(
            "{place}: {name} wants a person at the terminal. Log in by it before: run it by hand (az login, kubelogin ...) or any kubectl command"
        );
        ApiError::new(Reason::Forbidden, text)
    }

    /// It is not installed.
    pub(super) fn missing(&self) -> ApiError {
        let Plugin { name, place, .. } = self;
        let hint = self.hint.as_deref().map_or_else(
            || "Install it, or fetch another kubeconfig".to_owned(),
            |hint| format!("The kubeconfig says how to install it: {hint}"),
        );
        let text = format!("{place}: the program {name}, by which it logs in, is not there or may not be run. {hint}");
        ApiError::new(Reason::Unsupported, text)
    }
}

/// An answer (`ExecCredential`).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    kind: Option<String>,
    api_version: Option<String>,
    status: Option<Status>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    expiration_timestamp: Option<String>,
    token: Option<Secret>,
    client_certificate_data: Option<Secret>,
    client_key_data: Option<Secret>,
}

/// What a program may know of the cluster (`ExecCredential.spec.cluster`).
fn cluster_info(cluster: &Placed<Cluster>) -> Result<Value, ApiError> {
    let said = &cluster.value;
    let mut info = Map::new();
    let mut add = |key: &str, value: Value| {
        info.insert(key.to_owned(), value);
    };
    add("server", Value::String(said.server.clone().unwrap_or_default()));
    if let Some(name) = set(said.tls_server_name.as_ref()) {
        add("tls-server-name", Value::String(name.to_owned()));
    }
    if said.insecure_skip_tls_verify == Some(true) {
        add("insecure-skip-tls-verify", Value::Bool(true));
    }
    let (data, file) = (set(said.certificate_authority_data.as_ref()), set(said.certificate_authority.as_ref()));
    if data.is_some() || file.is_some() {
        let path = file.map(|file| cluster.path(file));
        let text = pem(data, path.as_deref(), "certificate authority", &cluster.place())?;
        add("certificate-authority-data", Value::String(encode_block(&text)));
    }
    if let Some(url) = set(said.proxy_url.as_ref()) {
        add("proxy-url", Value::String(url.to_owned()));
    }
    if said.disable_compression == Some(true) {
        add("disable-compression", Value::Bool(true));
    }
    let own = said.extensions.iter().flatten().find(|extension| extension.name == EXTENSION);
    if let Some(config) = own.map(|extension| extension.extension.clone()).filter(|config| !config.is_null()) {
        add("config", config);
    }
    Ok(Value::Object(info))
}

fn key_of(
    command: &Path,
    args: &[Secret],
    env: &[(String, Secret)],
    version: &str,
    info: Option<&Value>,
    cluster: &Placed<Cluster>,
) -> cache::Key {
    let mut hash = Sha256::new();
    let mut add = |part: &[u8]| {
        hash.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    };
    add(command.as_os_str().as_encoded_bytes());
    add(version.as_bytes());
    // What is given for one cluster must not reach another one, whatever the program thinks.
    add(cluster.value.server.as_deref().unwrap_or_default().as_bytes());
    add(&Zeroizing::new(info.map(Value::to_string).unwrap_or_default().into_bytes()));
    add(&u64::try_from(args.len()).unwrap_or(u64::MAX).to_be_bytes());
    args.iter().for_each(|arg| add(arg.expose().as_bytes()));
    for (name, value) in env {
        add(name.as_bytes());
        add(value.expose().as_bytes());
    }
    hash.finish()
}

/// A text of several lines as one for a sentence.
fn plain(text: &str) -> String {
    let words: Vec<String> = text.split_whitespace().map(shown).collect();
    words.join(" ").chars().take(HINT).collect()
}
