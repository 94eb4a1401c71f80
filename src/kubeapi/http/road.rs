//! The whole way to an API server: TCP, proxy, TLS.

use super::super::error::{ApiError, seconds};
use super::super::kubeconfig::Server;
use super::super::moment;
use super::super::tls::{self, Anchors, Handshake, Peer, Refused, Told, connector};
use super::deadline::{Deadline, Late};
use super::dial::dial;
use super::route::{Kind, Proxy};
use super::tunnel;
use crate::evidence::Reason;
use jiff::Timestamp;
use openssl::ssl::SslConnector;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use zeroize::Zeroizing;

/// Most bytes of the head of an answer that is only asked for its date.
const HEAD: usize = 16 << 10;

/// How long a server is listened to that ended a connection without a word.
const LISTENING: Duration = Duration::from_secs(1);

/// A connection, whatever it leads through.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A way that can be gone again and again.
pub(in crate::kubeapi) struct Road {
    /// Where it leads.
    pub(in crate::kubeapi) server: Server,
    /// The kubeconfig, for sentences.
    pub(in crate::kubeapi) file: String,
    /// The name that the certificate must be for.
    pub(in crate::kubeapi) tls_name: String,
    /// The proxy on the way.
    pub(in crate::kubeapi) proxy: Option<Proxy>,
    /// TLS. None: the server speaks plain HTTP.
    pub(in crate::kubeapi) connector: Option<SslConnector>,
    /// Whether the kubeconfig names the CA.
    pub(in crate::kubeapi) own_ca: bool,
}

impl Road {
    /// Opens a connection.
    pub(super) async fn open(&self, deadline: Deadline) -> Result<Box<dyn Stream>, ApiError> {
        let Some(connector) = &self.connector else { return self.reach(deadline).await };
        match self.shake(connector, deadline).await? {
            Ok(stream) => Ok(stream),
            Err(refused) => {
                let theirs = if refused.is_about_time() { self.their_clock(deadline).await } else { None };
                Err(refused.say(&self.peer(), Timestamp::now(), theirs))
            }
        }
    }

    fn peer(&self) -> Peer<'_> {
        Peer { url: &self.server.shown, file: &self.file, name: &self.tls_name, own_ca: self.own_ca }
    }

    async fn shake(
        &self,
        connector: &SslConnector,
        deadline: Deadline,
    ) -> Result<Result<Box<dyn Stream>, Refused>, ApiError> {
        let handshake = Handshake::new(connector, &self.tls_name)?;
        let stream = self.reach(deadline).await?;
        match deadline.hold(handshake.make(stream)).await {
            Ok(Ok(stream)) => Ok(Ok(Box::new(stream))),
            Ok(Err(refused)) => Ok(Err(refused)),
            Err(Late) => {
                Err(silent(&self.server.shown, "the API server", &format!("the server in {}", self.file), deadline))
            }
        }
    }

    /// TCP to the server, through the proxy where there is one.
    async fn reach(&self, deadline: Deadline) -> Result<Box<dyn Stream>, ApiError> {
        let Server { host, port, shown, .. } = &self.server;
        let Some(proxy) = &self.proxy else {
            let fix = format!("the server in {}", self.file);
            return Ok(Box::new(dial(host, *port, shown, &fix, deadline).await?));
        };
        let whom = format!("the proxy {}", proxy.shown);
        let tcp = dial(&proxy.host, proxy.port, &whom, &proxy.named_by, deadline).await?;
        let mut stream: Box<dyn Stream> = if proxy.kind == Kind::Https {
            let handshake = Handshake::new(&connector(&Anchors::Machine, None)?, &proxy.host)?;
            let peer = Peer { url: &proxy.shown, file: &proxy.named_by, name: &proxy.host, own_ca: false };
            match deadline.hold(handshake.make(tcp)).await {
                Ok(Ok(stream)) => Box::new(stream),
                Ok(Err(refused)) => return Err(refused.say(&peer, Timestamp::now(), None)),
                Err(Late) => return Err(silent(&whom, "the proxy", &proxy.named_by, deadline)),
            }
        } else {
            Box::new(tcp)
        };
        let late = |Late| silent(&whom, "the proxy", &proxy.named_by, deadline);
        match proxy.kind {
            Kind::Socks5 => deadline.hold(tunnel::socks5(&mut stream, proxy, host, *port)).await.map_err(late)??,
            // Without TLS an HTTP proxy takes the request itself.
            Kind::Http | Kind::Https if self.is_absolute() => {}
            Kind::Http | Kind::Https => {
                deadline.hold(tunnel::connect(&mut stream, proxy, host, *port)).await.map_err(late)??;
            }
        }
        Ok(stream)
    }

    /// What the server has against our certificate, or against our having none, after a first request failed.
    ///
    /// In TLS 1.3 a server judges it only when our part of the handshake is over and the request already under way. When it
    /// ends the connection then, the write may fail before its alert is read. Who listens without asking hears it.
    pub(super) async fn judgement(&self, failed: &hyper::Error, deadline: Deadline) -> Option<Told> {
        let heard = tls::told(failed);
        if heard.is_some_and(Told::is_judgement) {
            return heard;
        }
        let deadline = Deadline::after(LISTENING).or(deadline);
        let mut stream = self.shake(self.connector.as_ref()?, deadline).await.ok()?.ok()?;
        let error = deadline.hold(stream.read_u8()).await.ok()?.err()?;
        tls::told(&error).filter(|told| told.is_judgement())
    }

    /// Whether requests name the server in full, since an HTTP proxy reads them.
    pub(super) fn is_absolute(&self) -> bool {
        self.connector.is_none() && self.proxy.as_ref().is_some_and(|proxy| proxy.kind != Kind::Socks5)
    }

    /// What a proxy that reads the requests wants to know of us.
    pub(super) fn proxy_login(&self) -> Option<Zeroizing<String>> {
        self.proxy.as_ref().filter(|_| self.is_absolute()).and_then(tunnel::basic)
    }

    /// The clock of a server whose certificate is not accepted for its times: one request without credentials over a
    /// connection that trusts anybody. Only ever used to say whose clock may be wrong.
    async fn their_clock(&self, deadline: Deadline) -> Option<Timestamp> {
        let anybody = connector(&Anchors::Anybody, None).ok()?;
        let mut stream = self.shake(&anybody, deadline).await.ok()?.ok()?;
        let request = format!(
            "GET {}/version HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.server.prefix,
            self.server.authority()
        );
        let ask = async {
            stream.write_all(request.as_bytes()).await.ok()?;
            stream.flush().await.ok()?;
            let mut head = Vec::new();
            while head.len() < HEAD && !head.windows(4).any(|end| end == b"\r\n\r\n") {
                if stream.read_buf(&mut head).await.ok()? == 0 {
                    break;
                }
            }
            let head = String::from_utf8_lossy(&head).into_owned();
            let line = head.lines().find_map(|line| {
                line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("date")).map(|(_, value)| value)
            })?;
            moment::http_date(line)
        };
        deadline.hold(ask).await.ok().flatten()
    }
}

/// Somebody accepted the connection and said nothing.
fn silent(whom: &str, what: &str, fix: &str, deadline: Deadline) -> ApiError {
    let text = format!(
        "{whom}: the connection was accepted, and then nothing came within {}. Check whether {what} hangs, and {fix}",
        seconds(deadline.limit)
    );
    ApiError::new(Reason::Timeout, text)
}
