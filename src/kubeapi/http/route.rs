//! Which proxy leads to a server: the kubeconfig's `proxy-url`, else the variables that kubectl heeds.

use super::super::error::{ApiError, shown};
use super::super::kubeconfig::{Secret, Server, Surroundings, Url};
use super::percent;
use crate::evidence::Reason;
use std::net::IpAddr;
use zeroize::Zeroizing;

/// A proxy.
#[derive(Debug, Clone)]
pub(in crate::kubeapi) struct Proxy {
    pub(super) kind: Kind,
    pub(super) host: String,
    pub(super) port: u16,
    /// User and password.
    pub(super) login: Option<(Secret, Secret)>,
    /// Its URL, for the person: never with credentials.
    pub(super) shown: String,
    /// Who names it, for sentences: `proxy-url in FILE`, `the variable HTTPS_PROXY`.
    pub(super) named_by: String,
}

/// What a proxy speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Http,
    Https,
    Socks5,
}

impl Proxy {
    fn of(text: &str, named_by: String) -> Result<Self, ApiError> {
        let wrong = |what: &str| {
            let text = format!("{named_by} {what}. Write it as http://, https:// or socks5://NAME:PORT");
            ApiError::new(Reason::Unreachable, text)
        };
        let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let url = Url::of(&whole).ok_or_else(|| wrong("is no URL"))?;
        let (kind, port) = match url.scheme.as_str() {
            "http" => (Kind::Http, 80),
            "https" => (Kind::Https, 443),
            "socks5" | "socks5h" => (Kind::Socks5, 1080),
            _ => return Err(wrong("has a scheme that is not known")),
        };
        let port = url.port.unwrap_or(port);
        let login = url.userinfo.map(|info| {
            let part =
                |part: &str| Secret::new(String::from_utf8_lossy(&Zeroizing::new(percent::decode(part))).into_owned());
            let (user, password) = info.expose().split_once(':').unwrap_or((info.expose(), ""));
            (part(user), part(password))
        });
        let place = super::super::kubeconfig::authority(&url.host, port);
        let shown = shown(&format!("{}://{place}", url.scheme));
        Ok(Proxy { kind, host: url.host, port, login, shown, named_by })
    }
}

/// The proxy on the way to a server. None: there is none. `named`: the kubeconfig's `proxy-url`, and the file.
pub(in crate::kubeapi) fn route(
    server: &Server,
    named: Option<(&str, &str)>,
    around: &Surroundings,
) -> Result<Option<Proxy>, ApiError> {
    if let Some((url, file)) = named.filter(|(url, _)| !url.is_empty()) {
        return Proxy::of(url, format!("proxy-url in {file}")).map(Some);
    }
    // As Go's http.ProxyFromEnvironment, which kubectl uses: never to this machine, and ALL_PROXY is not heeded.
    let names = if server.tls { ["HTTPS_PROXY", "https_proxy"] } else { ["HTTP_PROXY", "http_proxy"] };
    let Some(url) = around.text(&names).filter(|_| !server.is_loopback()) else { return Ok(None) };
    if around.text(&["NO_PROXY", "no_proxy"]).is_some_and(|list| exempt(&list, &server.host, server.port)) {
        return Ok(None);
    }
    Proxy::of(&url, format!("the variable {}", names[0])).map(Some)
}

/// Whether a `NO_PROXY` list names a host. Rules: golang.org/x/net/http/httpproxy.
fn exempt(list: &str, host: &str, port: u16) -> bool {
    let host = host.to_lowercase();
    let address: Option<IpAddr> = host.parse().ok();
    list.split(',').map(|entry| entry.trim().to_lowercase()).filter(|entry| !entry.is_empty()).any(|entry| {
        if entry == "*" {
            return true;
        }
        if let Some((net, bits)) = entry.split_once('/') {
            return match (net.parse::<IpAddr>(), bits.parse::<u32>(), address) {
                (Ok(net), Ok(bits), Some(address)) => within(address, net, bits),
                _ => false,
            };
        }
        let (name, wanted) = match entry.rsplit_once(':') {
            Some((name, wanted)) if entry.parse::<IpAddr>().is_err() => (name, Some(wanted)),
            _ => (entry.as_str(), None),
        };
        let right_port = wanted.is_none_or(|wanted| wanted.parse() == Ok(port));
        let name = name.trim_start_matches('[').trim_end_matches(']');
        match (name.parse::<IpAddr>(), address) {
            (Ok(named), Some(address)) => named == address && right_port,
            (Ok(_), None) | (Err(_), Some(_)) => false,
            (Err(_), None) => {
                // `.a.b` and `*.a.b` are for what is below, `a.b` for itself as well.
                let below = name.strip_prefix("*.").or_else(|| name.strip_prefix('.'));
                let (domain, itself) = below.map_or((name, true), |below| (below, false));
                let is_below = host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
                !domain.is_empty() && right_port && (is_below || (itself && host == domain))
            }
        }
    })
}

fn within(address: IpAddr, net: IpAddr, bits: u32) -> bool {
    match (address.to_canonical(), net) {
        (IpAddr::V4(address), IpAddr::V4(net)) if bits <= 32 => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            u32::from(address) & mask == u32::from(net) & mask
        }
        (IpAddr::V6(address), IpAddr::V6(net)) if bits <= 128 => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            u128::from(address) & mask == u128::from(net) & mask
        }
        _ => false,
    }
}

#[cfg(test)]
#[path = "route_tests.rs"]
mod tests;
