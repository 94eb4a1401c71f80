//! Every control of an endpoint, on evidence that passes, that fails, that it does not apply to, and of which the facts
//! that matter were not read.

use serde_json::{Value, json};
use sitewarden::assess::{Verdict, assess};
use sitewarden::catalog::{Catalog, Scope};
use sitewarden::evidence::{Evidence, Lifecycle, Policy, Profile};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

const NOW: &str = "2026-11-25T00:00:00Z";

/// A port that is as one wants it, seen from elsewhere.
fn port(service: &str) -> Value {
    json!({
        "name": "10.0.0.4:1", "host": "10.0.0.4", "port": 1, "address": "10.0.0.4", "seat_address": "10.0.8.9",
        "node": "node1", "kubernetes_node": "node1", "proxy": null, "service": service, "state": "open",
        "met": "accepted", "speaks": "tls",
        "tls": {
            "spoken": true,
            "versions": {"complete": true, "items": [
                {"name": "TLSv1.0", "accepted": false}, {"name": "TLSv1.1", "accepted": false},
                {"name": "TLSv1.2", "accepted": true}, {"name": "TLSv1.3", "accepted": true}]},
            "suites": {"complete": true, "items": [
                {"name": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "version": "TLSv1.2", "accepted": true},
                {"name": "TLS_AES_128_GCM_SHA256", "version": "TLSv1.3", "accepted": true}]},
            "chain": {"complete": true, "items": [{
                "name": "the server's own", "path": "", "role": service, "subject": "O=system:nodes, CN=system:node:node1",
                "issuer": "CN=kubernetes", "not_before": "2026-06-01T00:00:00Z", "not_after": "2027-06-01T00:00:00Z",
                "is_ca": false, "key": "rsa-2048", "signature": "sha256WithRSAEncryption", "sha256": "00"}]},
            "names": {"complete": true, "items": ["node1", "10.0.0.4"]},
            "asks_client_certificate": true, "demands_client_certificate": true
        },
        "anonymous": {"request": "GET /x", "status": 401, "served": false},
        "unread": []
    })
}

/// The same port with something else at a path; `null` for a fact that was read as not existing.
fn with(mut port: Value, changes: &[(&str, Value)]) -> Value {
    for (path, value) in changes {
        *port.pointer_mut(path).unwrap_or_else(|| panic!("{path}")) = value.clone();
    }
    port
}

/// The same port with something not read.
fn without(mut port: Value, path: &str) -> Value {
    let (above, key) = path.rsplit_once('/').unwrap();
    let parent = if above.is_empty() { &mut port } else { port.pointer_mut(above).unwrap() };
    let gone = parent.as_object_mut().unwrap().remove(key);
    assert!(gone.is_some(), "{path}");
    let gap = path.trim_start_matches('/').replace('/', ".");
    port["unread"].as_array_mut().unwrap().push(json!({"path": gap, "reason": "timeout"}));
    port
}

/// A port that nothing came back from, with nothing else of that address in the scan.
fn silent(service: &str) -> Value {
    let mut port = with(port(service), &[("/state", json!("filtered")), ("/met", json!("no answer"))]);
    for path in ["/speaks", "/tls", "/anonymous", "/seat_address"] {
        port = without(port, path);
    }
    port
}

/// A port that was refused.
fn closed(service: &str) -> Value {
    with(silent(service), &[("/state", json!("closed")), ("/met", json!("refused"))])
}

fn document(endpoints: &[Value], networks: Option<&[&str]>, control_plane: Option<bool>) -> Evidence {
    let mut api =
        json!({"name": "node1", "addresses": [{"kind": "InternalIP", "address": "10.0.0.4"}], "conditions": []});
    if let Some(is) = control_plane {
        api["control_plane"] = json!(is);
    }
    let mut site = json!({});
    if let Some(networks) = networks {
        site["management_networks"] = json!(networks);
    }
    let text = json!({
        "schema": "sitewarden.evidence/v1", "tool": {"name": "sitewarden", "version": "0"}, "started": NOW, "finished": NOW,
        "seat": {"host": "seat", "user": "ana"}, "site": site,
        "cluster": {"context": "c", "reached": true, "complete": true, "nodes": {"complete": true, "items": [api]}},
        "nodes": [], "endpoints": endpoints
    });
    Evidence::from_json(&text.to_string()).unwrap()
}

/// Compiled once: that takes longer than all the rest.
static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::embedded().unwrap());

/// The verdict of every endpoint control on the first endpoint of a document.
fn verdicts(evidence: &Evidence) -> BTreeMap<String, Verdict> {
    let policy = Policy { profile: Profile::Cis, ..Policy::default() };
    let target = format!("endpoint/{}", evidence.endpoints.as_ref().unwrap()[0].name);
    let assessed = assess(evidence, &CATALOG, &Lifecycle::embedded().unwrap(), &policy, NOW.parse().unwrap());
    let of_first = assessed.findings.into_iter().filter(|finding| finding.target == target);
    of_first.map(|finding| (finding.control, finding.verdict)).collect()
}

fn verdict(control: &str, port: Value) -> Verdict {
    verdict_in(control, &document(&[port], Some(&["10.0.8.0/24"]), Some(true)))
}

fn verdict_in(control: &str, evidence: &Evidence) -> Verdict {
    *verdicts(evidence).get(control).unwrap_or_else(|| panic!("no control {control}"))
}

fn certificate(key: &str, value: Value) -> Vec<(String, Value)> {
    vec![(format!("/tls/chain/items/0/{key}"), value)]
}

/// A control with the evidence that passes, each that fails, and each path that makes it unknown where it was not read.
struct Case {
    control: &'static str,
    passes: Value,
    fails: Vec<Value>,
    unread: Vec<&'static str>,
}

fn changed(service: &str, changes: Vec<(String, Value)>) -> Value {
    let changes: Vec<(&str, Value)> = changes.iter().map(|(path, value)| (path.as_str(), value.clone())).collect();
    with(port(service), &changes)
}

fn suite(service: &str, name: &str, version: &str) -> Value {
    let more = json!({"name": name, "version": version, "accepted": true});
    let mut port = port(service);
    port["tls"]["suites"]["items"].as_array_mut().unwrap().push(more);
    port
}

fn served(service: &str, status: i64) -> Value {
    with(port(service), &[("/anonymous/status", json!(status)), ("/anonymous/served", json!(true))])
}

fn cases() -> Vec<Case> {
    let case = |control, passes, fails, unread| Case { control, passes, fails, unread };
    let old =
        |number: usize| with(port("etcd"), &[(format!("/tls/versions/items/{number}/accepted").as_str(), json!(true))]);
    let plain = with(port("kubelet"), &[("/tls/spoken", json!(false)), ("/speaks", json!("http"))]);
    let plain_etcd = with(port("etcd"), &[("/tls/spoken", json!(false)), ("/speaks", json!("http"))]);
    let broken = [
        "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
        "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
        "TLS_RSA_WITH_NULL_SHA256",
        "TLS_RSA_EXPORT_WITH_DES40_CBC_SHA",
        "TLS_RSA_WITH_DES_CBC_SHA",
        "TLS_DH_anon_WITH_AES_128_GCM_SHA256",
        "TLS_RSA_WITH_RC4_128_MD5",
        "TLS_RSA_EXPORT_WITH_RC2_CBC_40_MD5",
        "TLS_RSA_WITH_IDEA_CBC_SHA",
    ];
    let weak = ["rsa-1024", "rsa-512", "rsa-2047", "rsa-pss-1536", "ec-192", "ec-160", "dsa-2048"];
    let weak = weak.map(|key| changed("kubelet", certificate("key", json!(key))));
    let forged = ["sha1WithRSAEncryption", "md5WithRSAEncryption", "ecdsa-with-SHA1"];
    let forged = forged.map(|name| changed("kubelet", certificate("signature", json!(name))));
    let own = [("CN=node1@1795642378", "CN=node1-ca@1795642378"), ("CN=node1", "CN=node1")].map(|(subject, issuer)| {
        changed("kubelet", [certificate("subject", json!(subject)), certificate("issuer", json!(issuer))].concat())
    });
    let not_demanding = with(port("etcd"), &[("/tls/demands_client_certificate", json!(false))]);
    vec![
        case("etcd-not-reachable", closed("etcd-peer"), vec![port("etcd"), port("etcd-peer")], vec!["/state"]),
        case(
            "etcd-refuses-anonymous",
            port("etcd"),
            vec![served("etcd", 200)],
            vec!["/anonymous", "/anonymous/served", "/state"],
        ),
        case(
            "kubelet-read-only-port-unreachable",
            closed("kubelet-read-only"),
            vec![port("kubelet-read-only")],
            vec!["/state"],
        ),
        case(
            "kubelet-refuses-anonymous",
            port("kubelet"),
            vec![served("kubelet", 200)],
            vec!["/anonymous", "/anonymous/served"],
        ),
        case(
            "control-plane-components-refuse",
            port("kube-scheduler"),
            vec![served("kube-controller-manager", 200)],
            vec!["/anonymous"],
        ),
        case(
            "api-server-refuses-anonymous",
            port("kube-apiserver"),
            vec![served("kube-apiserver", 200)],
            vec!["/anonymous", "/anonymous/served"],
        ),
        case("node-port-to-control-plane", closed("node-port"), vec![port("node-port")], vec!["/state"]),
        case(
            "ssh-reachable-from-management-only",
            port("ssh"),
            vec![with(port("ssh"), &[("/seat_address", json!("10.0.9.1"))])],
            vec!["/seat_address"],
        ),
        case(
            "kube-proxy-health-only",
            port("kube-proxy-health"),
            vec![served("kube-proxy-health", 200)],
            vec!["/anonymous"],
        ),
        case(
            "endpoint-tls-version",
            port("etcd"),
            vec![old(0), old(1), plain],
            vec!["/tls", "/tls/versions", "/tls/spoken", "/tls/versions/items/0/accepted", "/tls/suites"],
        ),
        case(
            "endpoint-no-broken-suites",
            port("kubelet"),
            broken.map(|name| suite("kubelet", name, "TLSv1.2")).to_vec(),
            vec!["/tls", "/tls/suites"],
        ),
        case(
            "endpoint-forward-secrecy",
            port("kubelet"),
            vec![
                suite("kubelet", "TLS_RSA_WITH_AES_128_GCM_SHA256", "TLSv1.2"),
                suite("kubelet", "TLS_ECDH_RSA_WITH_AES_128_GCM_SHA256", "TLSv1.2"),
            ],
            vec!["/tls", "/tls/suites"],
        ),
        case(
            "endpoint-modern-suites",
            port("kubelet"),
            vec![suite("kubelet", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "TLSv1.2")],
            vec!["/tls", "/tls/suites"],
        ),
        case(
            "endpoint-certificate-valid",
            port("kube-apiserver"),
            vec![
                changed("kube-apiserver", certificate("not_after", json!("2026-11-24T00:00:00Z"))),
                changed("kube-apiserver", certificate("not_before", json!("2026-11-27T00:00:00Z"))),
            ],
            vec!["/tls", "/tls/chain", "/tls/chain/items/0/not_after"],
        ),
        case(
            "endpoint-certificate-not-expiring",
            port("kube-apiserver"),
            vec![changed("kube-apiserver", certificate("not_after", json!("2026-12-20T00:00:00Z")))],
            vec!["/tls", "/tls/chain", "/tls/chain/items/0/not_after"],
        ),
        case(
            "endpoint-certificate-strong",
            port("kubelet"),
            [weak.to_vec(), forged.to_vec()].concat(),
            vec!["/tls", "/tls/chain", "/tls/chain/items/0/key", "/tls/chain/items/0/signature"],
        ),
        case(
            "endpoint-certificate-name",
            port("kubelet"),
            vec![with(port("kubelet"), &[("/tls/names/items", json!(["other", "10.0.0.40", "*.node1"]))])],
            vec!["/tls", "/tls/names"],
        ),
        case(
            "kubelet-certificate-from-cluster",
            port("kubelet"),
            own.to_vec(),
            vec!["/tls", "/tls/chain", "/tls/chain/items/0/issuer"],
        ),
        case(
            "etcd-demands-certificates",
            port("etcd-peer"),
            vec![not_demanding, plain_etcd],
            vec!["/tls", "/tls/demands_client_certificate"],
        ),
    ]
}

#[test]
fn every_control_passes_fails_and_doubts_as_it_must() {
    for Case { control, passes, fails, unread } in cases() {
        assert_eq!(verdict(control, passes.clone()), Verdict::Pass, "{control}: {passes}");
        for port in fails {
            assert_eq!(verdict(control, port.clone()), Verdict::Fail, "{control}: {port}");
        }
        for path in unread {
            let port = without(passes.clone(), path);
            assert_eq!(verdict(control, port.clone()), Verdict::Unknown, "{control} without {path}: {port}");
        }
        let service = passes["service"].as_str().unwrap();
        assert_eq!(verdict(control, silent(service)), Verdict::Unknown, "{control}: silence alone proves nothing");
        assert_eq!(verdict(control, port("something-else")), Verdict::NotApplicable, "{control}");
    }
}

#[test]
fn a_version_of_which_nothing_is_known_is_not_taken_for_refused() {
    for number in [0, 1] {
        let nothing = with(port("etcd"), &[(format!("/tls/versions/items/{number}/accepted").as_str(), json!(null))]);
        assert_eq!(verdict("endpoint-tls-version", nothing), Verdict::Unknown);
    }
}

#[test]
fn every_control_of_an_endpoint_has_a_case() {
    let all = CATALOG.controls.iter().filter(|control| control.scope == Scope::Endpoint);
    let mut left: BTreeSet<&str> = all.map(|control| control.id.as_str()).collect();
    for case in cases() {
        assert!(left.remove(case.control), "{}", case.control);
    }
    assert_eq!(Vec::from_iter(left), ["worker-without-control-plane-ports"], "has a test of its own");
    let long = CATALOG.controls.iter().filter(|control| control.scope == Scope::Endpoint && control.title.len() > 60);
    assert_eq!(long.map(|control| control.title.as_str()).collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn a_worker_has_no_port_of_the_control_plane() {
    const CONTROL: &str = "worker-without-control-plane-ports";
    let of = |port: Value, role: Option<bool>| verdict_in(CONTROL, &document(&[port], None, role));
    assert_eq!(of(port("kube-apiserver"), Some(false)), Verdict::Fail);
    assert_eq!(of(closed("kube-scheduler"), Some(false)), Verdict::Pass);
    assert_eq!(of(silent("kube-scheduler"), Some(false)), Verdict::Unknown);
    assert_eq!(of(port("kube-apiserver"), Some(true)), Verdict::NotApplicable);
    assert_eq!(of(closed("kube-apiserver"), None), Verdict::Unknown);
}

#[test]
fn silence_counts_as_closed_where_the_address_answered_at_another_port() {
    let another = |state: &str, address: &str| {
        with(
            port("kubelet"),
            &[
                ("/name", json!("10.0.0.4:2")),
                ("/port", json!(2)),
                ("/state", json!(state)),
                ("/address", json!(address)),
            ],
        )
    };
    for (other, expected) in [
        (another("open", "10.0.0.4"), Verdict::Pass),
        (another("closed", "10.0.0.4"), Verdict::Pass),
        (another("filtered", "10.0.0.4"), Verdict::Unknown),
        (another("open", "10.0.0.5"), Verdict::Unknown),
        (without(another("open", "10.0.0.4"), "/address"), Verdict::Unknown),
        (without(another("open", "10.0.0.4"), "/state"), Verdict::Unknown),
    ] {
        let evidence = document(&[silent("etcd"), other.clone()], None, Some(true));
        assert_eq!(verdict_in("etcd-not-reachable", &evidence), expected, "{other}");
    }
    let nameless = without(silent("etcd"), "/address");
    let evidence = document(&[nameless.clone(), without(another("open", "10.0.0.4"), "/address")], None, Some(true));
    assert_eq!(verdict_in("etcd-not-reachable", &evidence), Verdict::Unknown, "two unknown addresses are not one");
}

#[test]
fn what_stands_for_many_ports_and_what_a_proxy_hides_is_never_judged() {
    let nobodys = [("/port", json!(0)), ("/name", json!("7 more nodes")), ("/node", json!(null))];
    let mut left_out = with(port("left-out"), &nobodys);
    for path in ["/state", "/met", "/address", "/seat_address", "/speaks", "/tls", "/anonymous"] {
        left_out = without(left_out, path);
    }
    let evidence = document(&[left_out], None, Some(true));
    for (control, verdict) in verdicts(&evidence) {
        // No management networks are named: that control asks nothing of anybody.
        let expected =
            if control == "ssh-reachable-from-management-only" { Verdict::NotApplicable } else { Verdict::Unknown };
        assert_eq!(verdict, expected, "{control}");
    }
    let mut proxied = with(port("kube-apiserver"), &[("/proxy", json!("kubectl proxy")), ("/node", json!(null))]);
    for path in ["/speaks", "/tls", "/anonymous"] {
        proxied = without(proxied, path);
    }
    let evidence = document(&[proxied], None, Some(true));
    let verdicts = verdicts(&evidence);
    let judged = verdicts.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Pass | Verdict::Fail));
    assert_eq!(judged.collect::<Vec<_>>(), []);
    for control in [
        "endpoint-tls-version",
        "endpoint-certificate-valid",
        "endpoint-certificate-name",
        "api-server-refuses-anonymous",
    ] {
        assert_eq!(verdicts[control], Verdict::Unknown, "{control}");
    }
}
