//! How one logs in: certificate, token, password, or a program that gives one of them.

mod cache;
mod credentials;
mod fixed;
mod interactive;
mod jwt;
mod plugin;
mod process;
mod refusal;

pub(super) use credentials::Credentials;
pub(super) use fixed::pem;
pub use interactive::{LoginHint, interactive_login, login, login_program};

use super::error::{ApiError, shown};
use super::http::Deadline;
use super::kubeconfig::{Chosen, Secret, Source, set};
use super::tls::Identity;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use kube::config::AuthInfo;
use plugin::Plugin;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often a file with a token is read anew at most. Pods' tokens are renewed long before they expire.
const FRESH: Duration = Duration::from_secs(60);

/// The login of one context.
pub(super) struct Login {
    /// As the person knows it: `client certificate`, `token`, `exec kubelogin`, `service account`.
    pub(super) name: String,
    /// Headers of `as` and its relatives.
    pub(super) impersonation: HeaderMap,
    way: Way,
}

enum Way {
    Fixed(Arc<Credentials>),
    File(TokenFile),
    Plugin(Box<Plugin>),
}

struct TokenFile {
    path: PathBuf,
    place: String,
    identity: Option<Identity>,
    last: Mutex<Option<(Instant, Arc<Credentials>)>>,
}

impl Login {
    /// Reads what a context says. Certificates, keys and files are read; no program is run yet.
    pub(super) fn of(chosen: &Chosen) -> Result<Self, ApiError> {
        match &chosen.source {
            Source::Pod(folder) => {
                let file = TokenFile::new(folder.join("token"), "this pod's service account".to_owned(), None)?;
                Ok(Login { name: "service account".to_owned(), impersonation: HeaderMap::new(), way: Way::File(file) })
            }
            Source::File { cluster, user } => {
                let (name, user) = user.as_ref();
                let place = format!("the user {:?} in {}", shown(name), user.place());
                fixed::check(&user.value, &place)?;
                let identity = fixed::identity(user, &place)?;
                let (mut text, way) = if let Some((text, header)) = fixed::header(&user.value, &place)? {
                    (text.to_owned(), Way::Fixed(Arc::new(Credentials::new(Some(header), identity))))
                } else if let Some(path) = set(user.value.token_file.as_ref()) {
                    ("token file".to_owned(), Way::File(TokenFile::new(user.path(path), place.clone(), identity)?))
                } else if identity.is_some() {
                    // As client-go: with a certificate of one's own a plugin is not asked.
                    ("client certificate".to_owned(), Way::Fixed(Arc::new(Credentials::new(None, identity))))
                } else if let Some(exec) = &user.value.exec {
                    let plugin = Plugin::new(exec, user, cluster, place.clone())?;
                    (format!("exec {}", plugin.name), Way::Plugin(Box::new(plugin)))
                } else {
                    ("no credentials".to_owned(), Way::Fixed(Arc::new(Credentials::new(None, None))))
                };
                let impersonation = impersonation(&user.value, &place)?;
                if let Some(who) = set(user.value.impersonate.as_ref()) {
                    text = format!("{text}, as {}", shown(who));
                }
                Ok(Login { name: text, impersonation, way })
            }
        }
    }

    /// The program that gives the credentials, where one does.
    fn plugin(&self) -> Option<&Plugin> {
        if let Way::Plugin(plugin) = &self.way { Some(plugin) } else { None }
    }

    /// What to log in with now. Runs a program where one is needed and has not given anything that still holds.
    pub(super) async fn credentials(&self, deadline: Deadline) -> Result<Arc<Credentials>, ApiError> {
        match &self.way {
            Way::Fixed(credentials) => Ok(Arc::clone(credentials)),
            Way::File(file) => file.read(FRESH),
            Way::Plugin(plugin) => plugin.credentials(None, deadline).await,
        }
    }

    /// Others than `refused`, which the server did not accept. None: there are no others to be had.
    pub(super) async fn others(
        &self,
        refused: &Arc<Credentials>,
        deadline: Deadline,
    ) -> Result<Option<Arc<Credentials>>, ApiError> {
        match &self.way {
            Way::Fixed(_) => Ok(None),
            Way::File(file) => Ok(Some(file.read(Duration::ZERO)?).filter(|new| new.header != refused.header)),
            Way::Plugin(plugin) => plugin.credentials(Some(refused), deadline).await.map(Some),
        }
    }

    /// What to say when the server does not know us. `now`: the server's clock where it is known.
    pub(super) fn refused(&self, credentials: &Credentials, context: &str, now: jiff::Timestamp) -> String {
        let context = shown(context);
        match &self.way {
            Way::Plugin(plugin) => refusal::of_plugin(&plugin.name, &context),
            Way::File(file) => refusal::of_token(credentials, &file.place, now),
            Way::Fixed(_) => refusal::of_fixed(credentials, &self.name, &context, now),
        }
    }
}

impl TokenFile {
    fn new(path: PathBuf, place: String, identity: Option<Identity>) -> Result<Self, ApiError> {
        let file = TokenFile { path, place, identity, last: Mutex::new(None) };
        file.read(FRESH)?;
        Ok(file)
    }

    fn read(&self, fresh: Duration) -> Result<Arc<Credentials>, ApiError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, credentials)) = last.as_ref().filter(|(at, _)| at.elapsed() < fresh) {
            let _ = at;
            return Ok(Arc::clone(credentials));
        }
        let header = match fixed::token_of_file(&self.path, &self.place) {
            Ok(header) => header,
            // A file that was there and is gone leaves what it said (kubernetes issue 68164).
            Err(error) => return last.as_ref().map(|(_, credentials)| Arc::clone(credentials)).ok_or(error),
        };
        let credentials = Arc::new(Credentials::new(Some(header), self.identity.clone()));
        *last = Some((Instant::now(), Arc::clone(&credentials)));
        Ok(credentials)
    }
}

/// The headers of `as`, `as-uid`, `as-groups` and `as-user-extra`. Source: kubernetes.io, "User impersonation".
fn impersonation(user: &AuthInfo, place: &str) -> Result<HeaderMap, ApiError> {
    let wrong = |what: &str| {
        let text = format!("{place}: `{what}` holds characters that cannot be sent. Correct it");
        ApiError::new(crate::evidence::Reason::Malformed, text)
    };
    let mut headers = HeaderMap::new();
    let mut add = |name: HeaderName, value: &str, what: &str| {
        headers.append(name, HeaderValue::try_from(value).map_err(|_| wrong(what))?);
        Ok::<(), ApiError>(())
    };
    let who = set(user.impersonate.as_ref());
    let uid = set(user.impersonate_uid.as_ref());
    let groups = user.impersonate_groups.as_deref().unwrap_or_default();
    let extra: BTreeMap<_, _> = user.impersonate_user_extra.iter().flatten().collect();
    if who.is_none() && (uid.is_some() || !groups.is_empty() || !extra.is_empty()) {
        let text =
            format!("{place}: it asks to act with another uid, groups or extra, but `as` names nobody. Add `as`");
        return Err(ApiError::new(crate::evidence::Reason::Malformed, text));
    }
    if let Some(who) = who {
        add(HeaderName::from_static("impersonate-user"), who, "as")?;
    }
    if let Some(uid) = uid {
        add(HeaderName::from_static("impersonate-uid"), uid, "as-uid")?;
    }
    for group in groups {
        add(HeaderName::from_static("impersonate-group"), group, "as-groups")?;
    }
    for (key, values) in extra {
        let name = format!("impersonate-extra-{}", super::http::encode(&key.to_lowercase()).to_lowercase());
        let name = HeaderName::try_from(name).map_err(|_| wrong("as-user-extra"))?;
        for value in values {
            add(name.clone(), value, "as-user-extra")?;
        }
    }
    Ok(headers)
}
