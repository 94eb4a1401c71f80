//! Plans of the cluster as somebody without this program carries them out: by the script and `kubectl`.

use super::{Bed, everybody};
use serde_json::{Value, json};
use sitewarden::remedy::script;
use std::io::Write as _;
use std::process::{Command, Stdio};

/// Runs a script as a person would, with the administrator's kubeconfig and the copies in a folder of the test's own.
pub(super) fn run(bed: &Bed, home: &str, script: &str) -> (bool, String) {
    let mut child = Command::new("sh")
        .env("KUBECONFIG", &bed.admin)
        .env("HOME", home)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    (out.status.success(), String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned())
}

/// Makes the plan, runs its script, sees by `kubectl` what came of it, takes it back by the script's last lines. `what`: of the
/// object, what the change is about.
fn there_and_back(bed: &Bed, control: &str, item: &str, object: &[&str], what: &str, after: &Value) {
    let home = tempfile::tempdir().unwrap();
    let home = home.path().to_str().unwrap();
    let state = || {
        let out = Command::new("kubectl")
            .args(["-n", &bed.namespace, "get", "--ignore-not-found", "-o", "json"])
            .args(object)
            .env("KUBECONFIG", &bed.admin)
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let object: Value = serde_json::from_slice(&out.stdout).unwrap_or_default();
        object.pointer(what).cloned().unwrap_or_default()
    };
    let before = state();
    assert_ne!(before, *after, "{control}");
    let prepared = bed.prepared(control, item, &bed.admin).unwrap();
    let script = script(&prepared).unwrap();
    let (done, said) = run(bed, home, &script);
    assert!(done && said.contains("Done."), "{said}\n{script}");
    assert_eq!(state(), *after, "{control}");
    let (again, said) = run(bed, home, &script);
    assert!(!again && said.contains("Nothing was changed"), "a second time: {said}");
    let (_, back) = script.split_once("# The way back by hand").unwrap();
    let back: Vec<&str> = back.lines().filter_map(|line| line.strip_prefix("#   ")).collect();
    let (done, said) = run(bed, home, &back.join("\n"));
    assert!(done, "{said}");
    assert_eq!(state(), before, "{control}");
}

#[test]
fn the_scripts_of_objects_do_what_their_plans_say_and_their_last_lines_take_it_back() {
    let Some(bed) = Bed::up("scripts") else { return };
    let space = bed.namespace.clone();
    bed.pod("good", false);
    bed.unguarded();
    let level = "/metadata/labels/pod-security.kubernetes.io~1enforce";
    there_and_back(&bed, "namespaces-guarded", &space, &["namespace", &space], level, &json!("baseline"));
    let account = ["serviceaccount", "default"];
    let token = "/automountServiceAccountToken";
    there_and_back(&bed, "default-accounts-no-token", &space, &account, token, &json!(false));
    let policy = ["networkpolicy", "sitewarden-same-namespace-only"];
    let types = "/spec/policyTypes";
    there_and_back(&bed, "namespaces-network-policies", &space, &policy, types, &json!(["Ingress"]));
    bed.bind("ClusterRoleBinding", &space, "view", &everybody(), "kubectl-create");
    let binding = ["clusterrolebinding", &space];
    there_and_back(&bed, "nothing-for-everybody", &space, &binding, "/subjects", &Value::Null);
    let account = json!({"kind": "ServiceAccount", "name": "default", "namespace": space});
    let ana = json!({"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "ana"});
    bed.bind("RoleBinding", &space, "view", &json!([ana, account]), "kubectl-create");
    let binding = ["rolebinding", &space];
    there_and_back(&bed, "default-accounts-not-bound", &space, &binding, "/subjects", &json!([ana]));
}

#[test]
fn a_script_stops_where_the_context_leads_elsewhere_or_the_object_has_changed() {
    let Some(bed) = Bed::up("stopped-script") else { return };
    let space = bed.namespace.clone();
    bed.pod("good", false);
    bed.unguarded();
    let home = tempfile::tempdir().unwrap();
    let home = home.path().to_str().unwrap();
    let prepared = bed.prepared("namespaces-guarded", &space, &bed.admin).unwrap();
    let script = script(&prepared).unwrap();
    let (done, said) = run(&bed, home, &script.replace("https://", "https://other."));
    assert!(!done && said.contains("another cluster") && said.contains("Nothing was changed"), "{said}");
    bed.kubectl(&["label", "namespace", &space, "example.com/meanwhile=1"], "");
    let (done, said) = run(&bed, home, &script);
    assert!(!done && said.contains("not as it was") && said.contains("Nothing was changed"), "{said}");
    let labels = bed.json(&["get", "namespace", &space])["metadata"]["labels"].clone();
    assert_eq!(labels["pod-security.kubernetes.io/enforce"], "privileged");
}
