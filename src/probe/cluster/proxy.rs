//! What stands between this seat and the API server, as far as its URL tells.

/// Who ends the TLS in front of the API server. None: nobody, as far as the URL tells.
///
/// An API server of its own stands at the root of its URL; `az connectedk8s proxy` serves clusters below `/proxies/` on
/// this machine, Rancher below `/k8s/clusters/`, and `kubectl proxy` speaks without TLS on this machine.
pub(super) fn of_server(url: &str) -> Option<&'static str> {
    let (scheme, rest) = url.split_once("://")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = match authority.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((address, _)) => address,
        None => authority.split(':').next().unwrap_or(authority),
    };
    let local = host == "localhost" || host == "::1" || host.starts_with("127.");
    match () {
        () if local && path.starts_with("proxies/") => Some("az connectedk8s proxy"),
        () if path.starts_with("k8s/clusters/") => Some("Rancher"),
        () if local && scheme == "http" => Some("kubectl proxy"),
        () if !path.trim_matches('/').is_empty() => Some("a proxy that serves the cluster below a path"),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_known_by_their_urls() {
        for (url, proxy) in [
            ("https://10.88.0.2:6443", None),
            ("https://10.88.0.2:6443/", None),
            ("https://127.0.0.1:6443", None),
            ("https://[::1]:6443", None),
            ("https://127.0.0.1:47011/proxies/6bd04f", Some("az connectedk8s proxy")),
            ("http://127.0.0.1:8001", Some("kubectl proxy")),
            ("http://localhost:8001/", Some("kubectl proxy")),
            ("https://rancher.example/k8s/clusters/c-1", Some("Rancher")),
            ("https://gate.example/a/b", Some("a proxy that serves the cluster below a path")),
            ("nonsense", None),
        ] {
            assert_eq!(of_server(url), proxy, "{url}");
        }
    }
}
