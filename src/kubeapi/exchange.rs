//! One request and its answer: login, waiting where the server asks for it, bounds. This is the service that kube's client
//! sends by, so that whatever is done with that client, `kube::Api` included, keeps them.

use super::ApiError;
use super::answer::{About, Answer};
use super::client::ApiLimits;
use super::error::shown;
use super::http::{Asked, Cut, Deadline, Proxy, Road, Wire, retry_after, route, unsure, whole};
use super::kubeconfig::{Chosen, Server, Source, Surroundings, choose, read_bounded, set};
use super::login::{self, Credentials, Login};
use super::tls::{self, Anchors, Identity};
use super::{moment, words};
use crate::evidence::Reason;
use crate::site::ClusterTarget;
use http::header::{ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, DATE, USER_AGENT, WARNING};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use http_body_util::Full;
use hyper::body::Bytes;
use jiff::Timestamp;
use kube::client::Body;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// Most bytes of a text, and of an answer that tells of an error.
const TEXT: usize = 1 << 20;

/// Most requests for one answer, where the server asks to come again.
const TRIES: usize = 6;

/// Most warnings that are kept.
const WARNINGS: usize = 100;

/// What is asked by this room itself, rather than by `kube::Api`.
pub(super) struct Ask<'a> {
    pub(super) path: &'a str,
    accept: &'static str,
    body: Option<Bytes>,
    text: bool,
}

/// Goes with such a request: its answer is wanted as it is, whatever its status. Without this a status of an error becomes
/// an [`ApiError`], since what kube makes of it loses the status and whether the API server said it.
#[derive(Clone, Copy)]
struct Raw {
    text: bool,
}

impl<'a> Ask<'a> {
    pub(super) fn get(path: &'a str) -> Self {
        Ask { path, accept: "application/json", body: None, text: false }
    }

    pub(super) fn metadata(path: &'a str) -> Self {
        // Servers without tables and metadata lists (custom ones) send the whole objects.
        let accept = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";
        Ask { accept, ..Ask::get(path) }
    }

    pub(super) fn text(path: &'a str) -> Self {
        Ask { accept: "text/plain, */*", text: true, ..Ask::get(path) }
    }

    /// Creates a review, which changes nothing.
    pub(super) fn review(path: &'a str, body: Vec<u8>) -> Self {
        Ask { body: Some(body.into()), ..Ask::get(path) }
    }

    /// What it is about, for sentences.
    pub(super) fn words(&self) -> String {
        words::of_request(self.method(), self.path)
    }

    fn method(&self) -> &'static Method {
        if self.body.is_some() { &Method::POST } else { &Method::GET }
    }

    pub(super) fn request(&self) -> Result<Request<Body>, ApiError> {
        let mut request = Request::builder().method(self.method()).uri(self.path).header(ACCEPT, self.accept);
        if self.body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let body = self.body.clone().map_or_else(Body::empty, Body::from);
        request.extension(Raw { text: self.text }).body(body).map_err(|_| unaskable())
    }
}

/// A path that HTTP cannot carry.
fn unaskable() -> ApiError {
    ApiError::new(Reason::Unsupported, "this path cannot be asked for. Report it")
}

/// A request as it goes out, but for what the login and the connection add.
struct Sent {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
    text: bool,
    /// Whether somebody wants something changed, or to see how it would be.
    changes: bool,
    /// Whether the cluster may be another afterwards, so that it must not be sent twice.
    once: bool,
}

/// Everything that requests to one cluster share.
pub(super) struct Exchange {
    pub(super) context: String,
    pub(super) server: Server,
    pub(super) login: Login,
    pub(super) limits: ApiLimits,
    /// The API server's clock at its first answer.
    pub(super) clock: OnceLock<Timestamp>,
    /// What the API server warned of in its answers to changes, since it was last asked for.
    pub(super) warnings: Mutex<Vec<String>>,
    file: String,
    tls_name: String,
    anchors: Anchors,
    proxy: Option<Proxy>,
    gzip: bool,
    /// Connections, and the login that they are made with.
    wire: Mutex<Option<(Arc<Credentials>, Arc<Wire>)>>,
}

impl Exchange {
    /// Reads what a target says. Nothing is connected to and no program run.
    pub(super) fn of(target: &ClusterTarget, limits: ApiLimits) -> Result<Self, ApiError> {
        let around = Surroundings::real();
        let chosen = choose(target, &around)?;
        let login = Login::of(&chosen)?;
        let file = chosen.source.place();
        let anchors = anchors(&chosen, &file)?;
        let (mut tls_name, mut named, mut gzip) = (chosen.server.host.clone(), None, true);
        if let Source::File { cluster, .. } = &chosen.source {
            let said = &cluster.value;
            if let Some(name) = set(said.tls_server_name.as_ref()) {
                name.clone_into(&mut tls_name);
            }
            named = said.proxy_url.as_ref().map(|url| (url.as_str(), file.as_str()));
            gzip = said.disable_compression != Some(true);
        }
        let proxy = route(&chosen.server, named, &around)?;
        let Chosen { context, server, .. } = chosen;
        let wire = Mutex::new(None);
        Ok(Exchange {
            context,
            server,
            login,
            limits,
            clock: OnceLock::new(),
            warnings: Mutex::default(),
            file,
            tls_name,
            anchors,
            proxy,
            gzip,
            wire,
        })
    }

    pub(super) fn is_unverified(&self) -> bool {
        !self.server.tls || matches!(self.anchors, Anchors::Anybody)
    }

    pub(super) fn is_on_this_machine(&self) -> bool {
        self.server.is_loopback()
    }

    /// What is known of a request, for sentences.
    pub(super) fn about<'a>(&'a self, what: &'a str) -> About<'a> {
        About { url: &self.server.shown, file: &self.file, context: &self.context, login: &self.login.name, what }
    }

    /// What kube's client calls: the answer is read whole, and unpacked.
    pub(super) async fn answer(&self, request: Request<Body>) -> Result<Response<Full<Bytes>>, ApiError> {
        let (head, body) = request.into_parts();
        let raw = head.extensions.get::<Raw>().copied();
        let path = head.uri.path_and_query().map(http::uri::PathAndQuery::as_str).ok_or_else(unaskable)?;
        // What this room sends itself reads or reviews.
        let changes = raw.is_none() && head.method != Method::GET;
        let sent = Sent {
            path: path.trim_end_matches('?').to_owned(),
            headers: head.headers,
            body: body.collect_bytes().await.map_err(|_| unaskable())?,
            text: raw.is_some_and(|raw| raw.text),
            changes,
            once: changes && !path.contains("dryRun=All"),
            method: head.method,
        };
        let answer = self.ask(&sent).await?;
        if raw.is_none() && !(200..=299).contains(&answer.status) {
            return Err(answer.error(&self.about(&sent.words()), sent.changes));
        }
        let mut response = Response::new(Full::new(answer.body));
        *response.status_mut() = answer.code;
        if answer.json {
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        Ok(response)
    }

    /// Asks, and reads the whole answer, whatever its status; but 401, which is an error here. Comes again where the
    /// server asks for it (429 and 5xx with `Retry-After`, as client-go), as long as there is time. A change is not sent
    /// again after 5xx: it may have been done.
    async fn ask(&self, ask: &Sent) -> Result<Answer, ApiError> {
        let deadline = Deadline::after(self.limits.request);
        let mut connect = Deadline::after(self.limits.connect);
        let mut credentials = self.login.credentials(connect).await?;
        let mut changed = false;
        let mut tries = 1;
        loop {
            let answer = self.once(ask, &credentials, connect, deadline).await?;
            if answer.status == 401 {
                let now = self.clock.get().copied().unwrap_or_else(Timestamp::now);
                let refused = || {
                    let text = self.login.refused(&credentials, &self.context, now.max(Timestamp::now()));
                    ApiError::new(Reason::Forbidden, text).with_status(401)
                };
                if changed {
                    return Err(refused());
                }
                changed = true;
                connect = Deadline::after(self.limits.connect);
                match self.login.others(&credentials, connect).await? {
                    Some(others) => credentials = others,
                    None => return Err(refused()),
                }
                continue;
            }
            let busy = answer.status == 429 || (answer.status >= 500 && !ask.once);
            match answer.wait.filter(|_| busy) {
                Some(wait) if tries < TRIES && wait < deadline.left() => {
                    tries += 1;
                    tokio::time::sleep(wait.max(Duration::from_millis(100))).await;
                    connect = Deadline::after(self.limits.connect);
                }
                _ => return Ok(answer),
            }
        }
    }

    async fn once(
        &self,
        ask: &Sent,
        credentials: &Arc<Credentials>,
        connect: Deadline,
        deadline: Deadline,
    ) -> Result<Answer, ApiError> {
        let wire = self.wire(credentials)?;
        let asked = Asked {
            method: &ask.method,
            path: &ask.path,
            headers: self.headers(ask, credentials),
            body: &ask.body,
            once: ask.once,
        };
        let reply = wire.ask(&asked, connect, deadline).await?;
        let (head, body, sender) = reply.apart();
        if let Some(date) = head.headers.get(DATE).and_then(|date| date.to_str().ok()).and_then(moment::http_date) {
            let _ = self.clock.set(date);
        }
        if ask.changes {
            self.warned(&head.headers);
        }
        let gzip = head.headers.get(CONTENT_ENCODING).is_some_and(|coding| coding == "gzip");
        let good = head.status.is_success();
        let most = if good && !ask.text { self.limits.answer } else { self.limits.answer.min(TEXT) };
        let body = match whole(body, gzip, most, deadline).await {
            Ok(body) => {
                wire.keep(sender);
                body
            }
            // What an error says is not needed to know that it is one.
            Err(Cut::TooLarge | Cut::Damaged) if !good && !ask.text => Vec::new(),
            Err(cut) => return Err(unsure(self.cut(cut, ask, most, &wire, deadline), ask.once)),
        };
        let wait = retry_after(&head.headers);
        Ok(Answer { wait, ..Answer::of(head.status, &head.headers, body.into()) })
    }

    /// Keeps the texts of `Warning: 299 - "TEXT"`.
    fn warned(&self, headers: &HeaderMap) {
        let mut kept = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        for value in headers.get_all(WARNING) {
            let value = String::from_utf8_lossy(value.as_bytes());
            let Some(quoted) = value.split_once('"').and_then(|(_, rest)| rest.rsplit_once('"')) else { continue };
            let text = shown(&quoted.0.replace("\\\"", "\"").replace("\\\\", "\\"));
            if kept.len() < WARNINGS && !kept.contains(&text) {
                kept.push(text);
            }
        }
    }

    fn cut(&self, cut: Cut, ask: &Sent, most: usize, wire: &Wire, deadline: Deadline) -> ApiError {
        let what = ask.words();
        let url = &self.server.shown;
        match cut {
            Cut::Late => wire.late(deadline),
            Cut::Broken(error) => wire.broken(&error),
            Cut::TooLarge => ApiError::new(
                Reason::TooLarge,
                format!(
                    "{url}: the answer is longer than {} MiB ({what}). Look at what fills the cluster with such objects",
                    most >> 20
                ),
            ),
            Cut::Damaged => ApiError::new(
                Reason::Malformed,
                format!(
                    "{url}: the answer is damaged on its way ({what}). Write `disable-compression: true` beside `server` in {}",
                    self.file
                ),
            ),
        }
    }

    fn headers(&self, ask: &Sent, credentials: &Credentials) -> HeaderMap {
        let mut headers = ask.headers.clone();
        headers.extend(self.login.impersonation.clone());
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("sitewarden/", env!("CARGO_PKG_VERSION"))));
        // Measured with 10,000 pods on an API server 1.36 of the same machine: gzip sends a fourteenth and takes as long as
        // without, for the server and for us (less to decrypt); on a slow link it is all the difference.
        if self.gzip {
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        }
        if let Some(header) = &credentials.header {
            headers.insert(AUTHORIZATION, header.clone());
        }
        headers
    }

    /// The connections that are made with these credentials. A token may change on a connection, a certificate may not.
    fn wire(&self, credentials: &Arc<Credentials>) -> Result<Arc<Wire>, ApiError> {
        let mut kept = self.wire.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((with, wire)) = kept.as_ref()
            && (Arc::ptr_eq(with, credentials) || (with.identity.is_none() && credentials.identity.is_none()))
        {
            return Ok(Arc::clone(wire));
        }
        let wire = Arc::new(Wire::new(self.road(credentials.identity.as_ref(), credentials)?));
        *kept = Some((Arc::clone(credentials), Arc::clone(&wire)));
        Ok(wire)
    }

    fn road(&self, identity: Option<&Identity>, credentials: &Credentials) -> Result<Road, ApiError> {
        let connector = if self.server.tls {
            Some(tls::connector(&self.anchors, identity)?)
        } else if credentials.header.is_some() && !self.server.is_loopback() {
            let text = format!(
                "{}: the login would go over the network unencrypted, since `server` in {} begins with http://. Write https://, or take the login out",
                self.server.shown, self.file
            );
            return Err(ApiError::new(Reason::Unsupported, text));
        } else {
            None
        };
        Ok(Road {
            server: self.server.clone(),
            file: self.file.clone(),
            tls_name: self.tls_name.clone(),
            proxy: self.proxy.clone(),
            connector,
            own_ca: matches!(self.anchors, Anchors::Named(_)),
        })
    }
}

impl Sent {
    fn words(&self) -> String {
        words::of_request(&self.method, &self.path)
    }
}

/// Which CAs a context trusts.
fn anchors(chosen: &Chosen, file: &str) -> Result<Anchors, ApiError> {
    match &chosen.source {
        Source::Pod(folder) => {
            let text = read_bounded(&folder.join("ca.crt"), "certificate authority", file)?;
            tls::certificates(&text, "the CA of this pod's service account").map(Anchors::Named)
        }
        Source::File { cluster, .. } => {
            let said = &cluster.value;
            if !chosen.server.tls || said.insecure_skip_tls_verify == Some(true) {
                return Ok(Anchors::Anybody);
            }
            let (data, path) =
                (set(said.certificate_authority_data.as_ref()), set(said.certificate_authority.as_ref()));
            if data.is_none() && path.is_none() {
                return Ok(Anchors::Machine);
            }
            let path = path.map(|path| cluster.path(path));
            let text = login::pem(data, path.as_deref(), "certificate authority", file)?;
            let from = path.filter(|_| data.is_none()).map(|path| shown(&path.display().to_string()));
            let place = format!("certificate authority in {}", from.as_deref().unwrap_or(file));
            tls::certificates(&text, &place).map(Anchors::Named)
        }
    }
}
