//! A connected client.

use super::ApiError;
use super::answer::{About, Answer, not_kubernetes};
use super::exchange::{Ask, Exchange};
use super::list;
use crate::evidence::Reason;
use crate::site::ClusterTarget;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Bounds of time and size.
#[derive(Debug, Clone, Copy)]
pub struct ApiLimits {
    /// To connect, with TLS and login.
    pub connect: Duration,
    /// For one request, from sending it to the last byte.
    pub request: Duration,
    /// Most bytes of one answer (of one page of a list).
    pub answer: usize,
    /// Most items of one list.
    pub items: usize,
}

impl Default for ApiLimits {
    /// 20 seconds to connect (az takes some to log in), 60 for a request, 32 MiB an answer, 200,000 items a list.
    fn default() -> Self {
        ApiLimits {
            connect: Duration::from_secs(20),
            request: Duration::from_secs(60),
            answer: 32 << 20,
            items: 200_000,
        }
    }
}

/// How far a list was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// How many items were handed over.
    pub items: usize,
    /// Why there may be more. None: the list was read whole.
    pub gap: Option<ApiError>,
}

/// A client of one cluster. Clones share its connections. It works in the runtime in which it was connected.
#[derive(Clone)]
pub struct Api {
    pub(super) exchange: Arc<Exchange>,
    /// kube's client, which sends by the exchange.
    pub(super) client: kube::Client,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("context", &self.context()).field("server", &self.server()).finish_non_exhaustive()
    }
}

impl Api {
    /// Connects by kubeconfig or, without one, from within the cluster. Runs credential plugins without a terminal.
    ///
    /// The API server is asked for its version, so that what comes back is known to be reached, trusted, a Kubernetes API,
    /// and to accept the login. Takes at most `limits.connect` to connect and log in and `limits.request` for the answer.
    pub async fn connect(target: &ClusterTarget, limits: ApiLimits) -> Result<Self, ApiError> {
        let exchange = Arc::new(Exchange::of(target, limits)?);
        let sender = Arc::clone(&exchange);
        let service = tower::service_fn(move |request| {
            let exchange = Arc::clone(&sender);
            async move { exchange.answer(request).await }
        });
        let api = Api { exchange, client: kube::Client::new(service, "default") };
        let answer = api.ask(&Ask::get("/version")).await?;
        let about = api.exchange.about("read /version");
        match answer.status {
            // Who may not even read the version is known to the API server nevertheless.
            403 if answer.json => Ok(api),
            200..=299 if answer.json => match serde_json::from_slice::<Version>(&answer.body) {
                Ok(_) => Ok(api),
                Err(_) => Err(not_kubernetes(&about, "another JSON service")),
            },
            200..=299 | 404 => Err(not_kubernetes(&about, "something else").with_status(answer.status)),
            // Go's server answers a plain request to its TLS port with 400 and a text.
            400 if !api.exchange.server.tls && !answer.json => {
                let text =
                    format!("{}: the server speaks TLS. Write `server` with https:// in {}", about.url, about.file);
                Err(ApiError::new(Reason::Malformed, text).with_status(400))
            }
            _ => Err(answer.error(&about, false)),
        }
    }

    /// Name of the context, or `in-cluster`.
    pub fn context(&self) -> &str {
        &self.exchange.context
    }

    /// URL of the API server, without credentials.
    pub fn server(&self) -> &str {
        &self.exchange.server.shown
    }

    /// How the kubeconfig logs in: `client certificate`, `token`, `token file`, `password`, `exec kubelogin`, `service
    /// account`, `no credentials`; with `, as NAME` where it acts as another.
    pub fn login(&self) -> &str {
        &self.exchange.login.name
    }

    /// The API server's clock at its first answer, in whole seconds. None: it sent no date.
    pub fn clock(&self) -> Option<Timestamp> {
        self.exchange.clock.get().copied()
    }

    /// What the API server warned of in its answers to changes and dry runs since this was last asked, each text once,
    /// made harmless and cut: the text is the server's own.
    pub fn warnings(&self) -> Vec<String> {
        let mut kept = self.exchange.warnings.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        std::mem::take(&mut kept)
    }

    /// What stands between this seat and the API server and ends its TLS: `az connectedk8s proxy`, `kubectl proxy`,
    /// `Rancher`, `Teleport`. None: nothing, as far as the kubeconfig tells. A certificate seen at [`Api::server`] is then
    /// that one's, not the API server's.
    pub fn proxy(&self) -> Option<&str> {
        self.exchange.server.proxy()
    }

    /// Whether the server was taken at its word: the kubeconfig says `insecure-skip-tls-verify`, or plain HTTP.
    pub fn is_unverified(&self) -> bool {
        self.exchange.is_unverified()
    }

    /// Whether what answers is on this machine: a proxy or a tunnel, else the API server itself.
    pub fn is_on_this_machine(&self) -> bool {
        self.exchange.is_on_this_machine()
    }

    /// Reads one object. 404 comes as an error with that status: [`ApiError::is_absent`].
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        self.read(&Ask::get(path)).await
    }

    /// Reads a text such as `/readyz?verbose`, whatever its status: status and body, without what is no UTF-8. Of a body
    /// at most 1 MiB. 401 alone is an error, as everywhere: the login is no good.
    pub async fn text(&self, path: &str) -> Result<(u16, String), ApiError> {
        let answer = self.ask(&Ask::text(path)).await?;
        Ok((answer.status, String::from_utf8_lossy(&answer.body).into_owned()))
    }

    /// Reads a list page by page and hands every item to `each`, once each. An item that cannot be understood makes the
    /// list incomplete (`malformed`), never the whole unread. Fails where not even the first page came.
    ///
    /// A query may stand in the path, but for `limit` and `continue`. `items` of an API's list do not say their own kind.
    pub async fn list<T: DeserializeOwned>(&self, path: &str, each: &mut dyn FnMut(T)) -> Result<Listed, ApiError> {
        list::read(self, path, false, each).await
    }

    /// The same, asking for each object's metadata alone (`PartialObjectMetadata`): much less to send where names, labels
    /// or counts are wanted, as of CustomResourceDefinitions.
    pub async fn list_metadata<T: DeserializeOwned>(
        &self,
        path: &str,
        each: &mut dyn FnMut(T),
    ) -> Result<Listed, ApiError> {
        list::read(self, path, true, each).await
    }

    /// Creates a review (`selfsubjectreviews`, `selfsubjectrulesreviews`) and gives its answer.
    pub async fn review<B: Serialize + Sync, T: DeserializeOwned>(&self, path: &str, body: &B) -> Result<T, ApiError> {
        let own = |_| ApiError::new(Reason::Unsupported, "this review cannot be written. Report it");
        self.read(&Ask::review(path, serde_json::to_vec(body).map_err(own)?)).await
    }

    /// Sends a request by kube's client, and gives the whole answer, whatever its status.
    pub(super) async fn ask(&self, ask: &Ask<'_>) -> Result<Answer, ApiError> {
        let response = self.client.send(ask.request()?).await.map_err(ApiError::of_kube)?;
        let (head, body) = response.into_parts();
        let body = body.collect_bytes().await.map_err(ApiError::of_kube)?;
        Ok(Answer::of(head.status, &head.headers, body))
    }

    async fn read<T: DeserializeOwned>(&self, ask: &Ask<'_>) -> Result<T, ApiError> {
        let answer = self.ask(ask).await?;
        let what = ask.words();
        let about = self.exchange.about(&what);
        match answer.status {
            200..=299 => understood(&answer.body, answer.json, &about),
            _ => Err(answer.error(&about, false)),
        }
    }
}

/// Part of `/version` (`k8s.io/apimachinery/pkg/version`), to know a Kubernetes API by.
#[derive(serde::Deserialize)]
struct Version {
    #[serde(rename = "gitVersion")]
    _git: String,
}

/// Reads a body as an object.
fn understood<T: DeserializeOwned>(body: &[u8], json: bool, about: &About<'_>) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|_| {
        if !json {
            return not_kubernetes(about, "something else");
        }
        let text =
            format!("{}: the answer cannot be understood ({}). Report the API server's version", about.url, about.what);
        ApiError::new(Reason::Malformed, text)
    })
}
