//! The whole look: API, both nodes by SSH, their ports.

use crate::bed::{Bed, Told, Undo};
use sitewarden::catalog::{Catalog, Scope};
use std::collections::BTreeSet;

/// Items that kube-bench scores (cis-1.12), of the sections that speak of components and their files.
const SCORED: &str = "1.1.1 1.1.2 1.1.3 1.1.4 1.1.5 1.1.6 1.1.7 1.1.8 1.1.11 1.1.12 1.1.13 1.1.14 1.1.15 1.1.16 1.1.17 \
    1.1.18 1.1.19 1.2.2 1.2.4 1.2.5 1.2.6 1.2.7 1.2.8 1.2.10 1.2.12 1.2.13 1.2.14 1.2.15 1.2.16 1.2.17 1.2.18 1.2.19 \
    1.2.21 1.2.22 1.2.23 1.2.24 1.2.25 1.2.26 1.2.30 1.3.2 1.3.3 1.3.4 1.3.5 1.3.6 1.3.7 1.4.1 1.4.2 2.1 2.2 2.3 2.4 \
    2.5 2.6 4.1.1 4.1.2 4.1.5 4.1.6 4.1.9 4.1.10 4.2.1 4.2.2 4.2.3 4.2.6 4.2.10 4.3.1";

/// Those of them that fail on a fresh control-plane node of kubeadm 1.36, as kube-bench says.
const FAIL: &str = "1.1.12 1.2.5 1.2.15 1.2.16 1.2.17 1.2.18 1.2.19 1.2.30 1.3.2 1.4.1 4.1.1 4.1.9";

/// And on a worker.
const FAIL_WORKER: &str = "4.1.1 4.1.9";

fn items(text: &str) -> BTreeSet<&str> {
    text.split_whitespace().collect()
}

#[test]
fn everything_is_reached_and_the_nodes_are_one_with_those_of_the_api() {
    let Some(bed) = Bed::cluster("everything_is_reached_and_the_nodes_are_one_with_those_of_the_api") else { return };
    let findings = bed.whole();
    assert_eq!(findings.targets("cluster"), ["cluster"]);
    assert_eq!(findings.targets("node"), ["node/node1", "node/node2"], "joined, not twice");
    for target in findings.json["targets"].as_array().unwrap() {
        assert_eq!(target["reached"], true, "{target}");
    }
    assert_eq!(findings.json["summary"]["incomplete"], false, "{}", findings.json["targets"]);
    assert_eq!(findings.json["platform"], "kubeadm");
    assert_eq!(findings.status, 1);
}

#[test]
fn every_control_is_asked_of_every_target_in_its_scope() {
    let Some(bed) = Bed::cluster("every_control_is_asked_of_every_target_in_its_scope") else { return };
    let findings = bed.whole();
    let catalog = Catalog::embedded().unwrap();
    let mut expected = BTreeSet::new();
    for control in catalog.controls.iter() {
        let kind = match control.scope {
            Scope::Site => "site",
            Scope::Cluster => "cluster",
            Scope::Node => "node",
            Scope::Endpoint => "endpoint",
        };
        expected.extend(findings.targets(kind).into_iter().map(|target| (target, control.id.as_str())));
    }
    let every = findings.every();
    let found: BTreeSet<_> = every.iter().map(|(target, control, _)| (*target, *control)).collect();
    assert_eq!(found.len(), every.len(), "none twice");
    assert_eq!(found, expected);
    assert!(!findings.targets("endpoint").is_empty());
}

#[test]
fn a_fresh_kubeadm_node_fails_what_kube_bench_says_it_fails() {
    let Some(bed) = Bed::cluster("a_fresh_kubeadm_node_fails_what_kube_bench_says_it_fails") else { return };
    let findings = bed.whole();
    let of = |targets: &[&str], item: &str| -> Vec<String> {
        targets.iter().flat_map(|target| findings.cis(target, item)).map(str::to_owned).collect()
    };
    let verdict = |targets: &[&str], wanted: &str| -> BTreeSet<&str> {
        items(SCORED).into_iter().filter(|item| of(targets, item).iter().any(|verdict| verdict == wanted)).collect()
    };
    let control_plane = ["cluster", "node/node1"];
    assert_eq!(verdict(&control_plane, "fail"), items(FAIL));
    assert_eq!(verdict(&control_plane, "unknown"), items(""), "as an administrator and as root everything is seen");
    let unasked = items(SCORED).into_iter().filter(|item| of(&control_plane, item).is_empty()).collect::<Vec<_>>();
    assert_eq!(unasked, [""; 0], "no control asks for these");
    let held = items(SCORED).into_iter().filter(|item| !FAIL.split(' ').any(|failing| failing == *item));
    let not_held = held.filter(|item| of(&control_plane, item).iter().any(|verdict| verdict != "pass"));
    let not_held: Vec<_> = not_held.map(|item| (item, of(&control_plane, item))).collect();
    // The one that kube-bench passes because it looks for a process that is not there.
    assert!(
        not_held
            .iter()
            .all(|(_, verdicts)| verdicts.iter().all(|verdict| verdict == "not-applicable" || verdict == "pass")),
        "{not_held:?}"
    );
    let worker: BTreeSet<_> =
        items(SCORED).into_iter().filter(|item| of(&["node/node2"], item).contains(&"fail".to_owned())).collect();
    assert_eq!(worker, items(FAIL_WORKER));
}

#[test]
fn a_mode_that_is_put_right_shows_at_the_next_look() {
    let Some(bed) = Bed::cluster("a_mode_that_is_put_right_shows_at_the_next_look") else { return };
    assert_eq!(bed.whole().judged("node/node2", "kubelet-config-mode"), "fail");
    let _undo = Undo::new(&bed, "node2", "chmod 644 /var/lib/kubelet/config.yaml");
    bed.on_node("node2", "chmod 600 /var/lib/kubelet/config.yaml");
    let findings = bed.scan_all();
    assert_eq!(findings.judged("node/node2", "kubelet-config-mode"), "pass");
    assert_eq!(findings.judged("node/node1", "kubelet-config-mode"), "fail", "the other node is as it was");
}

#[test]
fn a_kubelet_that_is_opened_shows_by_every_way() {
    let Some(bed) = Bed::cluster("a_kubelet_that_is_opened_shows_by_every_way") else { return };
    let port = format!("endpoint/{}:10250", bed.address("node2"));
    let undo = "mv /root/config.yaml /var/lib/kubelet/config.yaml; systemctl restart kubelet";
    let _undo = Undo::new(&bed, "node2", undo);
    bed.on_node(
        "node2",
        "cp -a /var/lib/kubelet/config.yaml /root/config.yaml
sed -i '/^  anonymous:/,/enabled:/s/enabled: false/enabled: true/' /var/lib/kubelet/config.yaml
sed -i 's/^  mode: Webhook/  mode: AlwaysAllow/' /var/lib/kubelet/config.yaml
systemctl restart kubelet
for i in $(seq 100); do ss -Hltn 'sport = :10250' | grep -q . && break; sleep 0.1; done",
    );
    let all = bed.scan_all();
    let api = bed.scan(&[bed.as_user("admin")]);
    let ssh = bed.scan(&[bed.by_ssh()]);
    for (way, findings) in [("both", &all), ("API alone", &api), ("SSH alone", &ssh)] {
        for control in ["kubelet-anonymous-auth", "kubelet-authorization-mode"] {
            assert_eq!(findings.judged("node/node2", control), "fail", "{way}: {}", findings.on("node/node2", control));
            assert_eq!(findings.judged("node/node1", control), "pass", "{way}: {}", findings.on("node/node1", control));
        }
    }
    let open: Vec<_> =
        all.every().into_iter().filter(|(target, _, verdict)| *target == port && *verdict == "fail").collect();
    assert!(!open.is_empty(), "the port itself serves without credentials");
}

#[test]
fn a_flag_of_a_static_pod_shows_at_the_next_look() {
    let Some(bed) = Bed::cluster("a_flag_of_a_static_pod_shows_at_the_next_look") else { return };
    let manifest = "/etc/kubernetes/manifests/kube-scheduler.yaml";
    let running = "for i in $(seq 600); do pgrep -f '^/?[a-z/]*kube-scheduler .*--profiling=false' >/dev/null";
    let undo = format!(
        "mv /root/kube-scheduler.yaml {manifest}
{running} || ! pgrep -x kube-scheduler >/dev/null || break; sleep 0.1; done"
    );
    let _undo = Undo::new(&bed, "node1", &undo);
    bed.on_node(
        "node1",
        &format!(
            "cp -a {manifest} /root/kube-scheduler.yaml
sed -i 's/^    - kube-scheduler$/&\\n    - --profiling=false/' {manifest}
{running} && break; sleep 0.1; done"
        ),
    );
    let findings = bed.scan_all();
    let verdicts: Vec<_> = ["cluster", "node/node1"].iter().flat_map(|target| findings.cis(target, "1.4.1")).collect();
    assert!(!verdicts.is_empty() && verdicts.iter().all(|verdict| *verdict == "pass"), "{verdicts:?}");
}
