//! Requests over connections that are kept for the next ones.

use super::super::error::{ApiError, seconds};
use super::super::tls;
use super::deadline::{Deadline, Late};
use super::road::Road;
use crate::evidence::Reason;
use http::header::{HOST, PROXY_AUTHORIZATION};
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper_util::rt::TokioIo;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Connections that are kept at most.
const KEPT: usize = 8;

/// Most bytes of the head of an answer, and most bytes that are read at once.
const BUFFER: usize = 256 << 10;

type Sender = SendRequest<Full<Bytes>>;

/// Connections to one server with one identity.
pub(in crate::kubeapi) struct Wire {
    /// The way there.
    pub(in crate::kubeapi) road: Road,
    idle: Mutex<Vec<Sender>>,
}

/// The head of an answer; the body is still to come.
pub(in crate::kubeapi) struct Reply {
    /// Status, headers, body.
    pub(in crate::kubeapi) response: Response<Incoming>,
    sender: Sender,
}

/// What is asked. Paths begin with `/`.
pub(in crate::kubeapi) struct Asked<'a> {
    pub(in crate::kubeapi) method: &'a Method,
    pub(in crate::kubeapi) path: &'a str,
    pub(in crate::kubeapi) headers: HeaderMap,
    pub(in crate::kubeapi) body: &'a Bytes,
    /// Whether it is a change, which must not be sent twice.
    pub(in crate::kubeapi) once: bool,
}

impl Wire {
    /// Nothing is connected yet.
    pub(in crate::kubeapi) fn new(road: Road) -> Self {
        Wire { road, idle: Mutex::new(Vec::new()) }
    }

    /// Sends a request and waits for the head of the answer. `connect`: how long a new connection may take.
    pub(in crate::kubeapi) async fn ask(
        &self,
        asked: &Asked<'_>,
        connect: Deadline,
        deadline: Deadline,
    ) -> Result<Reply, ApiError> {
        // A kept connection may have been closed by the server meanwhile. What changes nothing may be asked again; a change
        // gets a connection of its own.
        while !asked.once
            && let Some(mut sender) = self.idle()
        {
            if sender.ready().await.is_err() {
                continue;
            }
            match deadline.hold(sender.send_request(self.request(asked)?)).await {
                Ok(Ok(response)) => return Ok(Reply { response, sender }),
                Ok(Err(_)) => {}
                Err(Late) => return Err(self.late(deadline)),
            }
        }
        let mut sender = self.open(connect.or(deadline)).await?;
        match deadline.hold(sender.send_request(self.request(asked)?)).await {
            Ok(Ok(response)) => Ok(Reply { response, sender }),
            Ok(Err(error)) => match self.road.judgement(&error, deadline).await {
                Some(told) => Err(told.say(&self.road.server.shown, &self.road.file)),
                None => Err(unsure(self.broken(&error), asked.once)),
            },
            Err(Late) => Err(unsure(self.late(deadline), asked.once)),
        }
    }

    /// Keeps a connection whose answer was read to its end.
    pub(in crate::kubeapi) fn keep(&self, sender: Sender) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT && !sender.is_closed() {
            idle.push(sender);
        }
    }

    fn idle(&self) -> Option<Sender> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    async fn open(&self, deadline: Deadline) -> Result<Sender, ApiError> {
        let stream = self.road.open(deadline).await?;
        let handshake = Builder::new().max_buf_size(BUFFER).handshake(TokioIo::new(stream)).await;
        let (sender, connection) = handshake.map_err(|error| self.broken(&error))?;
        // Ends when the sender and the body of its last answer are gone, or with the runtime.
        tokio::spawn(connection);
        Ok(sender)
    }

    fn request(&self, asked: &Asked<'_>) -> Result<Request<Full<Bytes>>, ApiError> {
        let server = &self.road.server;
        let own = || ApiError::new(Reason::Unsupported, "this path cannot be asked for. Report it");
        let path = format!("{}{}", server.prefix, asked.path);
        let uri = if self.road.is_absolute() { format!("http://{}{path}", server.authority()) } else { path };
        let mut request = Request::new(Full::new(asked.body.clone()));
        request.method_mut().clone_from(asked.method);
        *request.uri_mut() = uri.parse().map_err(|_| own())?;
        *request.headers_mut() = asked.headers.clone();
        let host = HeaderValue::try_from(server.authority()).map_err(|_| own())?;
        request.headers_mut().insert(HOST, host);
        if let Some(login) = self.road.proxy_login() {
            let mut value = HeaderValue::try_from(login.as_str()).map_err(|_| own())?;
            value.set_sensitive(true);
            request.headers_mut().insert(PROXY_AUTHORIZATION, value);
        }
        Ok(request)
    }

    /// The error of a connection that broke before or within an answer.
    pub(in crate::kubeapi) fn broken(&self, error: &hyper::Error) -> ApiError {
        let (url, file) = (&self.road.server.shown, &self.road.file);
        if let Some(told) = tls::told(error).filter(|told| *told != tls::Told::Ended) {
            return told.say(url, file);
        }
        if error.is_parse() {
            let hint =
                if self.road.connector.is_none() { "whether `server` must begin with https://" } else { "the port" };
            let text = format!("{url}: what answers there does not speak HTTP. Check {hint} in {file}");
            return ApiError::new(Reason::Malformed, text);
        }
        let text = format!("{url}: the connection was cut before the answer was whole");
        ApiError::new(
            Reason::Unreachable,
            format!(
                "{text}. Check whether the API server restarts, and for a firewall or proxy in between; then try again"
            ),
        )
    }

    /// The error of an answer that did not come in time.
    pub(in crate::kubeapi) fn late(&self, deadline: Deadline) -> ApiError {
        let text = format!("{}: no whole answer within {}", self.road.server.shown, seconds(deadline.limit));
        let fix = "Check whether the API server is overloaded or hangs, or give more time with --timeout";
        ApiError::new(Reason::Timeout, format!("{text}. {fix}"))
    }
}

impl Reply {
    /// Takes it apart: what to read, and what to keep when that is done.
    pub(in crate::kubeapi) fn apart(self) -> (http::response::Parts, Incoming, Sender) {
        let (parts, body) = self.response.into_parts();
        (parts, body, self.sender)
    }
}

/// An error after something was sent; of a change it is not known whether it was made.
pub(in crate::kubeapi) fn unsure(mut error: ApiError, once: bool) -> ApiError {
    if once {
        error.message.push_str(". Whether the change was made is not known: look before you try again");
    }
    error
}

/// How long a server asks to wait: `Retry-After` in seconds. A date there is not heeded; API servers send none.
pub(in crate::kubeapi) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?;
    value.trim().parse().ok().map(Duration::from_secs)
}
