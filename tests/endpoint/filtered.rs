//! Firewalls that drop and refuse, in a network namespace of our own: silence counts only beside an answer.

use super::{limits, look_all, target};
use serde_json::json;
use sitewarden::evidence::{EndpointEvidence, Evidence, Fact, PortState, Reading, Reason, Value};
use sitewarden::probe::endpoint::{EndpointLimits, EndpointTarget};
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

/// A place apart with two hosts in it: one that answers at some ports, and one that lets nothing in.
struct Apart {
    space: String,
    net: String,
}

fn runs(program: &str, arguments: &[&str], input: &str) -> bool {
    let spawned = Command::new(program).args(arguments).stdin(Stdio::piped()).stderr(Stdio::null()).spawn();
    let Ok(mut child) = spawned else { return false };
    if let Some(mut stdin) = child.stdin.take() {
        let _ = stdin.write_all(input.as_bytes());
    }
    child.wait().is_ok_and(|status| status.success())
}

impl Apart {
    /// Without root there is none: a loud word, and in CI a failure.
    fn new(test: &str) -> Option<Apart> {
        let own = std::process::id();
        let apart = Apart { space: format!("sw-ep-{own}"), net: format!("10.254.{}", own % 250) };
        let link = format!("swep{}", own % 100_000);
        let (net, space) = (&apart.net, apart.space.as_str());
        let inside = |arguments: &[&str]| runs("ip", &[&["-n", space][..], arguments].concat(), "");
        let made = runs("ip", &["netns", "add", space], "")
            && runs("ip", &["link", "add", &link, "type", "veth", "peer", "name", "in", "netns", space], "")
            && runs("ip", &["address", "add", &format!("{net}.1/29"), "dev", &link], "")
            && runs("ip", &["address", "add", "fd00:77::1/64", "dev", &link, "nodad"], "")
            && runs("ip", &["link", "set", &link, "up"], "")
            && inside(&["address", "add", &format!("{net}.2/29"), "dev", "in"])
            && inside(&["address", "add", &format!("{net}.3/29"), "dev", "in"])
            && inside(&["address", "add", "fd00:77::2/64", "dev", "in", "nodad"])
            && inside(&["link", "set", "in", "up"])
            && runs("ip", &["netns", "exec", space, "nft", "-f", "-"], &rules(net));
        if !made {
            assert!(std::env::var_os("CI").is_none(), "{test}: no network namespace in CI");
            let _ = writeln!(std::io::stderr(), "#### LEFT OUT: {test} needs root, ip and nft");
            return None;
        }
        Some(apart)
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        runs("ip", &["netns", "delete", &self.space], "");
    }
}

fn rules(net: &str) -> String {
    format!(
        "table inet t {{ chain c {{ type filter hook input priority 0;
            ip daddr {net}.3 drop
            tcp dport 2379 drop
            tcp dport 2380 reject with icmpx admin-prohibited
            tcp dport 10257 reject with tcp reset
            tcp dport 10259 reject with icmpx port-unreachable
        }}
        }}"
    )
}

fn evidence(endpoints: Vec<EndpointEvidence>) -> Evidence {
    let now = "2026-11-25T00:00:00Z";
    let text = json!({
        "schema": "sitewarden.evidence/v1", "tool": {"name": "sitewarden", "version": "0"}, "started": now, "finished": now,
        "seat": {"host": "seat", "user": "root"}, "nodes": []
    });
    let mut evidence = Evidence::from_json(&text.to_string()).unwrap();
    evidence.endpoints = Some(endpoints);
    evidence
}

#[test]
fn a_firewall_that_drops_is_believed_only_beside_an_answer() {
    let Some(apart) = Apart::new("a_firewall_that_drops_is_believed_only_beside_an_answer") else { return };
    let (answers, silent) = (format!("{}.2", apart.net), format!("{}.3", apart.net));
    let mut targets: Vec<EndpointTarget> = Vec::new();
    for host in [answers.as_str(), "fd00:77::2", silent.as_str()] {
        for (port, service) in [
            (2379, "etcd"),
            (2380, "etcd-peer"),
            (10250, "kubelet"),
            (10257, "kube-controller-manager"),
            (10259, "kube-scheduler"),
        ] {
            targets.push(target(host, port, service));
        }
    }
    // A host sends such packets sparingly: a second try, after a second, is the one that is answered.
    let limits = EndpointLimits { connect: Duration::from_secs(5), ..limits() };
    let evidence = evidence(look_all(&targets, limits));
    let endpoints = evidence.endpoints.as_ref().unwrap();
    let met = |host: &str, service: &str| {
        let seen = endpoints.iter().find(|one| one.host == host && one.service == service).unwrap();
        let reachable = match Reading::of_endpoint(seen, &evidence).child("reachable").value {
            Value::Bool(truth) => Ok(truth),
            Value::Unread(gap) => Err(gap.reason),
            other => panic!("{other:?}"),
        };
        (seen.state.clone(), seen.met.known().map_or("", String::as_str), reachable)
    };
    let (closed, filtered) = (Fact::Known(PortState::Closed), Fact::Known(PortState::Filtered));
    for host in [answers.as_str(), "fd00:77::2"] {
        assert_eq!(met(host, "kubelet"), (closed.clone(), "refused", Ok(false)), "{host}");
        assert_eq!(met(host, "etcd"), (filtered.clone(), "no answer", Ok(false)), "{host}");
        assert_eq!(met(host, "kube-controller-manager"), (closed.clone(), "refused", Ok(false)), "{host}");
        assert_eq!(met(host, "kube-scheduler"), (closed.clone(), "refused", Ok(false)), "{host}");
    }
    assert_eq!(met(&answers, "etcd-peer"), (filtered.clone(), "host unreachable", Ok(false)));
    assert_eq!(met("fd00:77::2", "etcd-peer"), (filtered.clone(), "prohibited on the way", Ok(false)));
    for service in ["etcd", "kubelet"] {
        assert_eq!(met(&silent, service), (filtered.clone(), "no answer", Err(Reason::Timeout)), "{service}");
    }
}
