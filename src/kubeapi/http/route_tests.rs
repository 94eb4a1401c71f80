//! Which proxy is taken.
#![allow(clippy::unwrap_used)]

use super::super::super::kubeconfig::Server;
use super::*;
use std::path::Path;

fn at(url: &str) -> Server {
    Server::at(url)
}

fn taken(url: &str, named: Option<&str>, variables: &[(&str, &str)]) -> Option<String> {
    let around = Surroundings::of(variables, Path::new("/nowhere"));
    route(&at(url), named.map(|url| (url, "/k")), &around).unwrap().map(|proxy| proxy.shown)
}

#[test]
fn the_kubeconfigs_own_goes_before_the_variables() {
    let variables = [("HTTPS_PROXY", "http://env:3128"), ("NO_PROXY", "*")];
    let proxy = taken("https://10.0.0.2:6443", Some("socks5://user:pw@jump:1080"), &variables);
    assert_eq!(proxy.unwrap(), "socks5://jump:1080");
}

#[test]
fn the_variables_are_heeded_as_kubectl_does() {
    let https = [("HTTPS_PROXY", "proxy:3128"), ("HTTP_PROXY", "http://other")];
    assert_eq!(taken("https://api.example", None, &https).unwrap(), "http://proxy:3128");
    assert_eq!(taken("http://api.example", None, &https).unwrap(), "http://other:80");
    assert_eq!(taken("https://api.example", None, &[("https_proxy", "https://p")]).unwrap(), "https://p:443");
    assert_eq!(taken("https://127.0.0.1:6443", None, &https), None);
    assert_eq!(taken("https://localhost:6443", None, &https), None);
    assert_eq!(taken("https://api.example", None, &[("ALL_PROXY", "http://p")]), None);
}

#[test]
fn lists_of_exemptions() {
    let is = |list: &str, host: &str| exempt(list, host, 6443);
    assert!(is("a.example, 10.0.0.0/8", "10.1.2.3"));
    assert!(!is("10.0.0.0/8", "11.1.2.3"));
    assert!(is("fd00::/16", "fd00::2") && !is("fd00::/16", "fd01::2"));
    assert!(is("10.0.0.2:6443", "10.0.0.2") && !is("10.0.0.2:443", "10.0.0.2"));
    assert!(is("[fd00::2]:6443", "fd00::2") && is("fd00::2", "fd00::2"));
    assert!(is("Example.com", "api.example.com") && is("example.com", "EXAMPLE.com"));
    assert!(!is("example.com", "myexample.com"));
    assert!(is(".example.com", "api.example.com") && !is(".example.com", "example.com"));
    assert!(is("*.example.com", "api.example.com") && is("*", "anything"));
    assert!(is("example.com:6443", "example.com") && !is("example.com:80", "example.com"));
    assert!(!is("", "a") && !is(",,", "a") && !is("/", "a") && !is(":", "a"));
    assert!(is("0.0.0.0/0", "1.2.3.4") && !is("0.0.0.0/33", "1.2.3.4"));
}

#[test]
fn what_is_no_proxy_is_told_without_its_password() {
    let around = Surroundings::of(&[], Path::new("/nowhere"));
    for url in ["ftp://user:geheim@p", "http://user:geheim@", "http://user:geheim@p:x"] {
        let error = route(&at("https://a"), Some((url, "/k")), &around).unwrap_err().message;
        assert!(error.contains("proxy-url in /k") && !error.contains("geheim"), "{error}");
    }
}
