//! Where an API server is, from its URL; and what stands before it, as far as the URL tells.

use super::super::error::{ApiError, shown};
use super::merge::Placed;
use super::secret::Secret;
use crate::evidence::Reason;
use kube::config::{AuthInfo, Cluster};
use std::net::IpAddr;

/// A URL, taken apart.
#[derive(Debug, Clone)]
pub(in crate::kubeapi) struct Url {
    /// `https`, `http`, `socks5`, in small letters.
    pub(in crate::kubeapi) scheme: String,
    /// `user:password`, as written.
    pub(in crate::kubeapi) userinfo: Option<Secret>,
    /// Name or address, without brackets.
    pub(in crate::kubeapi) host: String,
    /// Port, where one is written.
    pub(in crate::kubeapi) port: Option<u16>,
    /// Path and query, `/` where there is none.
    pub(in crate::kubeapi) path: String,
}

impl Url {
    /// Takes a URL apart. None: it is none.
    pub(in crate::kubeapi) fn of(text: &str) -> Option<Self> {
        let uri: http::Uri = text.trim().parse().ok()?;
        let authority = uri.authority()?;
        let userinfo = authority.as_str().rsplit_once('@').map(|(user, _)| Secret::new(user.to_owned()));
        let host = uri.host()?.trim_start_matches('[').trim_end_matches(']').to_owned();
        // A port that is written and no number is a mistake, not a default.
        let after_host = authority.as_str().rsplit_once(']').map_or_else(
            || authority.as_str().rsplit_once(':').map(|(_, port)| port),
            |(_, rest)| rest.strip_prefix(':'),
        );
        let written = after_host.filter(|port| !port.contains('@'));
        let port = match written {
            Some(_) => Some(uri.port_u16().filter(|port| *port > 0)?),
            None => None,
        };
        let path = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str).to_owned();
        (!host.is_empty()).then(|| Url {
            scheme: uri.scheme_str().unwrap_or_default().to_lowercase(),
            userinfo,
            host,
            port,
            path,
        })
    }
}

/// An API server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::kubeapi) struct Server {
    /// Whether it speaks TLS.
    pub(in crate::kubeapi) tls: bool,
    /// Name or address, without brackets.
    pub(in crate::kubeapi) host: String,
    /// Port.
    pub(in crate::kubeapi) port: u16,
    /// What stands before every path: empty, or `/k8s/clusters/c-1`.
    pub(in crate::kubeapi) prefix: String,
    /// The URL, for the person: never with credentials.
    pub(in crate::kubeapi) shown: String,
    /// Whether the login is one of Teleport's.
    teleport: bool,
}

impl Server {
    /// From an entry of a kubeconfig.
    pub(super) fn of(name: &str, cluster: &Placed<Cluster>, user: &AuthInfo) -> Result<Self, ApiError> {
        let place = format!("kubeconfig {}: the cluster {:?}", cluster.place(), shown(name));
        let wrong = |text: &str| ApiError::new(Reason::Unreachable, format!("{place} {text}"));
        let written = cluster.value.server.as_deref().unwrap_or_default().trim();
        if written.is_empty() {
            return Err(wrong("has no `server`. Write the API server's URL there, or fetch the file again"));
        }
        // As client-go's DefaultServerURL: without a scheme, TLS where anything speaks of TLS.
        let speaks_tls = cluster.value.certificate_authority.is_some()
            || cluster.value.certificate_authority_data.is_some()
            || cluster.value.insecure_skip_tls_verify == Some(true)
            || user.client_certificate.is_some()
            || user.client_certificate_data.is_some();
        let whole = match (written.contains("://"), speaks_tls) {
            (true, _) => written.to_owned(),
            (false, true) => format!("https://{written}"),
            (false, false) => format!("http://{written}"),
        };
        let no_url = "has a `server` that is no URL. Write it as https://NAME-OR-ADDRESS:PORT";
        let url = Url::of(&whole).ok_or_else(|| wrong(no_url))?;
        if url.userinfo.is_some() {
            return Err(wrong(
                "has a `server` with a password in it. Move it to `username` and `password` of the user",
            ));
        }
        let tls = match url.scheme.as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(wrong(no_url)),
        };
        let mut server = Server::new(tls, url.host, url.port, url.path.split('?').next().unwrap_or_default());
        let exec = user.exec.as_ref().and_then(|exec| exec.command.as_deref()).unwrap_or_default();
        server.teleport = std::path::Path::new(exec).file_stem().is_some_and(|name| name == "tsh");
        Ok(server)
    }

    /// From a URL alone.
    #[cfg(test)]
    #[allow(clippy::unwrap_used)]
    pub(in crate::kubeapi) fn at(url: &str) -> Self {
        let cluster = Cluster { server: Some(url.to_owned()), ..Cluster::default() };
        let file = std::path::Path::new("/k/config").into();
        Server::of("c", &Placed { value: cluster, file }, &AuthInfo::default()).unwrap()
    }

    /// From the variables of a pod.
    pub(super) fn in_pod(host: &str, port: &str) -> Result<Self, ApiError> {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let plain =
            !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || c.is_control() || "/@?#".contains(c));
        match (plain, port.parse()) {
            (true, Ok(port)) => Ok(Server::new(true, host.to_owned(), Some(port), "")),
            _ => Err(ApiError::new(
                Reason::Unreachable,
                "this pod's variables KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are no address. Name a kubeconfig with --kubeconfig",
            )),
        }
    }

    fn new(tls: bool, host: String, port: Option<u16>, path: &str) -> Self {
        let prefix = path.trim_end_matches('/').to_owned();
        let scheme = if tls { "https" } else { "http" };
        let in_brackets = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let written = port.map(|port| format!(":{port}")).unwrap_or_default();
        let shown = shown(&format!("{scheme}://{in_brackets}{written}{prefix}"));
        Server { tls, host, port: port.unwrap_or(if tls { 443 } else { 80 }), prefix, shown, teleport: false }
    }

    /// `NAME:PORT`, an IPv6 address in brackets, for the header `Host` and for proxies.
    pub(in crate::kubeapi) fn authority(&self) -> String {
        authority(&self.host, self.port)
    }

    /// Whether it is an address of this very machine.
    pub(in crate::kubeapi) fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// What stands between this seat and the API server and ends its TLS, so that the certificate seen is not the API
    /// server's. None: nothing, as far as the kubeconfig tells.
    ///
    /// Sources: `az connectedk8s proxy` listens on 127.0.0.1:47011 and writes `/proxies/...` or the cluster's resource id
    /// as the path (azure-cli-extensions, connectedk8s); `kubectl proxy` speaks plain HTTP on loopback; Rancher's path is
    /// `/k8s/clusters/ID`; GKE's Connect gateway and Teleport by name.
    pub(in crate::kubeapi) fn proxy(&self) -> Option<&'static str> {
        let path = self.prefix.to_lowercase();
        let azure = self.port == 47011 || path.starts_with("/subscriptions/") || path.starts_with("/proxies/");
        if self.is_loopback() && azure {
            return Some("az connectedk8s proxy");
        }
        if self.is_loopback() && !self.tls {
            return Some("kubectl proxy");
        }
        if path.starts_with("/k8s/clusters/") {
            return Some("Rancher");
        }
        if self.host.to_lowercase().ends_with("connectgateway.googleapis.com") {
            return Some("GKE Connect gateway");
        }
        self.teleport.then_some("Teleport")
    }
}

/// `NAME:PORT`, an IPv6 address in brackets.
pub(in crate::kubeapi) fn authority(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// Whether a name or address means this very machine.
pub(in crate::kubeapi) fn is_loopback(host: &str) -> bool {
    let name = host.trim_end_matches('.').to_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::path::Path;

    fn server(url: &str) -> Result<Server, ApiError> {
        let cluster = Cluster { server: Some(url.to_owned()), ..Cluster::default() };
        Server::of("c", &Placed { value: cluster, file: Path::new("/k/config").into() }, &AuthInfo::default())
    }

    #[test]
    fn urls_in_every_form() {
        let of = |url: &str| server(url).map(|server| (server.authority(), server.tls, server.prefix)).unwrap();
        assert_eq!(of("https://10.0.0.2:6443"), ("10.0.0.2:6443".to_owned(), true, String::new()));
        assert_eq!(of("https://api.example/"), ("api.example:443".to_owned(), true, String::new()));
        assert_eq!(of("HTTPS://[fd00::2]:6443"), ("[fd00::2]:6443".to_owned(), true, String::new()));
        assert_eq!(of("https://[fd00::2]"), ("[fd00::2]:443".to_owned(), true, String::new()));
        assert_eq!(of("127.0.0.1:8001"), ("127.0.0.1:8001".to_owned(), false, String::new()));
        assert_eq!(of("https://r/k8s/clusters/c-1/").2, "/k8s/clusters/c-1");
    }

    #[test]
    fn no_urls_are_told_with_file_and_cluster() {
        for url in ["", "https://", "https://a:b", "https://a:0", "https://a:70000", "ftp://a", "https://a b", "://"] {
            let error = server(url).unwrap_err();
            assert_eq!(error.reason, Reason::Unreachable, "{url}");
            assert!(error.message.contains("/k/config") && error.message.contains("\"c\""), "{url}: {}", error.message);
        }
        let secret = server("https://admin:geheim@a:6443").unwrap_err().message;
        assert!(!secret.contains("geheim"), "{secret}");
    }

    #[test]
    fn proxies_before_the_api_server_are_told_from_api_servers() {
        let of = |url: &str| server(url).unwrap().proxy();
        assert_eq!(of("https://127.0.0.1:47011/proxies/0123abc"), Some("az connectedk8s proxy"));
        assert_eq!(of("https://127.0.0.1:5000/subscriptions/x/resourceGroups/y"), Some("az connectedk8s proxy"));
        assert_eq!(of("http://127.0.0.1:8001"), Some("kubectl proxy"));
        assert_eq!(of("http://localhost:8001"), Some("kubectl proxy"));
        assert_eq!(of("https://rancher.example/k8s/clusters/c-m-x"), Some("Rancher"));
        // k3s, kind and minikube are API servers on loopback.
        assert_eq!(of("https://127.0.0.1:6443"), None);
        assert_eq!(of("https://10.0.0.2:6443"), None);
        assert_eq!(of("http://10.0.0.2:8080"), None);
    }
}
