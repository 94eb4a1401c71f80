//! Objects that somebody made to be difficult, in the API of a real server.

use crate::bed::{Bed, Told, run, said};

/// The longest name that an object may have.
fn longest() -> String {
    let label = "a".repeat(62);
    let name = [label.as_str(); 4].join(".");
    format!("{name}bb")
}

/// Such nodes have no address, and their names are nobody's: no name server is asked for them.
fn no_ports() -> Vec<String> {
    vec!["--no-endpoints".to_owned()]
}

fn node(name: &str, more: &str) -> String {
    format!("---\napiVersion: v1\nkind: Node\nmetadata:\n  name: {name}\n{more}\n")
}

#[test]
fn nodes_with_next_to_nothing_and_with_the_longest_of_names() {
    let Some(bed) = Bed::control_plane("nodes_with_next_to_nothing_and_with_the_longest_of_names") else { return };
    let long = longest();
    assert_eq!(long.len(), 253);
    let nodes = [
        node("bare", ""),
        node(&long, ""),
        node("annotated", "  annotations: {note: \"\\u202E\\u001b]0;owned\\u0007 \\u00e9\\u6f22\\u5b57 \\U0001f600\"}"),
    ]
    .concat();
    let _nodes = bed.objects(&nodes);
    let findings = bed.scan(&[bed.as_user("admin"), no_ports()]);
    assert_eq!(findings.target("cluster")["reached"], true);
    let mut targets = findings.targets("node");
    targets.sort_unstable();
    assert_eq!(targets, [format!("node/{long}").as_str(), "node/annotated", "node/bare"]);
    for target in targets {
        // That the API lists it makes it a member.
        let known = |f: &(&str, &str, &str)| f.0 == target && f.2 == "pass" && f.1 != "node-cluster-member";
        let passes: Vec<_> = findings.every().into_iter().filter(known).collect();
        assert!(passes.is_empty(), "of a node without any field nothing is known: {passes:?}");
    }
    let text = run(&["scan", "--no-endpoints", "--kubeconfig", &bed.admin.display().to_string(), "--profile", "cis"]);
    let control = said(&text).chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}');
    assert!(!control, "control characters reach the screen");
}

#[test]
fn users_and_objects_with_names_of_all_kinds() {
    let Some(bed) = Bed::control_plane("users_and_objects_with_names_of_all_kinds") else { return };
    let yaml = format!(
        "apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: \"\\u6f22\\u5b57 \\u202E \\u001b[31m x\"}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}}
subjects:
  - {{apiGroup: rbac.authorization.k8s.io, kind: User, name: \"\\u202Enimda\\u001b]0;owned\\u0007\"}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: {}, namespace: kube-system}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: kubeadm-config, namespace: kube-system}}
data: {{ClusterConfiguration: \"&a [*a, *a]\"}}
",
        longest()
    );
    let _objects = bed.objects(&yaml);
    let findings = bed.scan(&[bed.as_user("admin"), no_ports()]);
    assert_eq!(findings.target("cluster")["reached"], true);
    let told = findings.json.to_string();
    assert!(told.contains("\u{6f22}\u{5b57}"), "the binding is named where it fails");
    let text = said(&run(&[
        "scan",
        "--no-endpoints",
        "--kubeconfig",
        &bed.admin.display().to_string(),
        "--profile",
        "cis",
        "-v",
    ]));
    assert!(
        !text.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'),
        "control characters reach the screen"
    );
}

#[test]
fn a_config_map_that_is_meant_to_blow_up() {
    let Some(bed) = Bed::control_plane("a_config_map_that_is_meant_to_blow_up") else { return };
    // Aliases that double at each line, a depth that a recursion does not survive, and plain nonsense.
    let laughs: String = (1..40).map(|i| format!("      a{i}: &a{i} [*a{}, *a{}]\n", i - 1, i - 1)).collect();
    let deep = "[".repeat(100_000);
    let tries = [
        ("aliases", format!("      a0: &a0 x\n{laughs}")),
        ("depth", format!("      {deep}\n")),
        ("nonsense", "      \"\\x00: [: {\n".to_owned()),
        ("many documents", "      --- {}\n".repeat(20_000)),
    ];
    for (what, text) in tries {
        let yaml = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: kube-proxy, namespace: kube-system}}\ndata:\n  \
             config.conf: |\n{text}"
        );
        let _object = bed.objects(&yaml);
        let findings = bed.scan(&[bed.as_user("admin"), no_ports()]);
        assert_eq!(findings.target("cluster")["reached"], true, "{what}");
        let proxy = findings.every().into_iter().filter(|f| f.1.starts_with("kube-proxy") && f.2 == "pass");
        assert_eq!(proxy.collect::<Vec<_>>(), [], "{what}: nothing of it is believed");
    }
}
