//! A connected client.

use super::ApiError;
use crate::evidence::Reason;
use crate::site::ClusterTarget;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
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

/// How far a list was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// How many items were handed over.
    pub items: usize,
    /// Why there may be more. None: the list was read whole.
    pub gap: Option<ApiError>,
}

/// A client of one cluster.
#[derive(Debug, Clone)]
pub struct Api {}

impl Api {
    /// Connects by kubeconfig or, without one, from within the cluster. Runs credential plugins without a terminal.
    pub async fn connect(_target: &ClusterTarget, _limits: ApiLimits) -> Result<Self, ApiError> {
        Err(ApiError { reason: Reason::Unsupported, message: "not built yet".to_owned(), status: None })
    }

    /// Name of the context, or `in-cluster`.
    pub fn context(&self) -> &str {
        ""
    }

    /// URL of the API server, without credentials.
    pub fn server(&self) -> &str {
        ""
    }

    /// How the kubeconfig logs in: `client certificate`, `token`, `exec kubelogin`, `service account`.
    pub fn login(&self) -> &str {
        ""
    }

    /// The API server's clock at its first answer.
    pub fn clock(&self) -> Option<Timestamp> {
        None
    }

    /// Reads one object.
    pub async fn get<T: DeserializeOwned>(&self, _path: &str) -> Result<T, ApiError> {
        Err(ApiError { reason: Reason::Unsupported, message: "not built yet".to_owned(), status: None })
    }

    /// Reads a text such as `/readyz?verbose`, whatever its status: status and body.
    pub async fn text(&self, _path: &str) -> Result<(u16, String), ApiError> {
        Err(ApiError { reason: Reason::Unsupported, message: "not built yet".to_owned(), status: None })
    }

    /// Reads a list page by page and hands every item to `each`. An item that cannot be understood makes the list
    /// incomplete (`malformed`), never the whole unread. Fails where not even the first page came.
    pub async fn list<T: DeserializeOwned>(&self, _path: &str, _each: &mut dyn FnMut(T)) -> Result<Listed, ApiError> {
        Err(ApiError { reason: Reason::Unsupported, message: "not built yet".to_owned(), status: None })
    }

    /// Reads a list as [`Api::list`] does, of each object its metadata alone (`PartialObjectMetadataList`): for kinds whose
    /// objects are large.
    pub async fn list_metadata<T: DeserializeOwned>(
        &self,
        _path: &str,
        _each: &mut dyn FnMut(T),
    ) -> Result<Listed, ApiError> {
        Err(ApiError { reason: Reason::Unsupported, message: "not built yet".to_owned(), status: None })
    }

    /// Creates a review (`selfsubjectreviews`, `selfsubjectrulesreviews`) and gives its answer.
    pub async fn review<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        _path: &str,
        _body: &B,
    ) -> Result<T, ApiError> {
        Err(ApiError { reason: Reason::Unsupported, message: "not built yet".to_owned(), status: None })
    }
}
