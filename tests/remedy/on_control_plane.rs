//! Remedies of the cluster's objects on a real API server: that of `tests/bed/up control-plane`.

mod scripts;
mod texts;

use super::api_server::{Bed, as_account};
use serde_json::{Value, json};
use sitewarden::remedy::{
    Answer, KubeOp, Plan, Prepared, Risk, Unfinished, Work, confirm, look_cluster, prepare_cluster,
};
use sitewarden::store::{Entry, Outcome, Store};
use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

/// The commands and diffs that were shown, as one text.
fn shown(prepared: &Prepared) -> String {
    let steps = prepared.steps().iter();
    steps
        .map(|step| format!("{}\n{}\n{}\n", step.what, step.commands.join("\n"), step.diff.clone().unwrap_or_default()))
        .collect()
}

fn everybody() -> Value {
    json!([{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "system:authenticated"}])
}

#[test]
fn a_namespace_is_guarded_and_let_go_again() {
    let Some(mut bed) = Bed::up("label") else { return };
    let namespace = bed.namespace.clone();
    bed.pod("good", false);
    bed.unguarded();
    let before = bed.json(&["get", "namespace", &namespace])["metadata"]["labels"].clone();
    let prepared = bed.round("namespaces-guarded", &namespace);
    let text = shown(&prepared);
    let context = "--context kubernetes-admin@bed";
    assert!(
        text.contains(&format!(
            "kubectl {context} label namespace {namespace} 'pod-security.kubernetes.io/enforce=baseline' --overwrite"
        )),
        "{text}"
    );
    assert!(text.contains("+    pod-security.kubernetes.io/enforce: baseline\n"), "{text}");
    assert!(text.contains("-    pod-security.kubernetes.io/enforce: privileged\n"), "{text}");
    assert!(!text.contains("managedFields") && !text.contains("resourceVersion"), "{text}");
    assert_eq!(prepared.to_be_typed(), None, "a label that no pod violates interrupts nothing");
    assert_eq!(bed.json(&["get", "namespace", &namespace])["metadata"]["labels"], before);
    // One that was not there goes again.
    bed.kubectl(&["label", "namespace", &namespace, "pod-security.kubernetes.io/enforce-"], "");
    let op = KubeOp::Label { namespace: namespace.clone(), key: "example.com/a".to_owned(), value: "b".to_owned() };
    let plan = Plan {
        controls: vec!["made-up".to_owned()],
        target: "cluster".to_owned(),
        title: "A label".to_owned(),
        work: Work::Cluster(vec![op]),
        notes: Vec::new(),
    };
    let made = prepare_cluster(plan.clone(), &bed.reach(&bed.admin)).unwrap();
    let ran = bed.run(made);
    assert_eq!(bed.json(&["get", "namespace", &namespace])["metadata"]["labels"]["example.com/a"], "b");
    let again = prepare_cluster(plan, &bed.reach(&bed.admin)).unwrap_err();
    assert!(again.0.contains("it has that label already"), "{again}");
    let back = bed.undo(&ran.entry).unwrap();
    bed.run(back);
    assert!(bed.json(&["get", "namespace", &namespace])["metadata"]["labels"]["example.com/a"].is_null());
}

#[test]
fn pods_that_would_violate_the_level_are_named() {
    let Some(bed) = Bed::up("violates") else { return };
    bed.pod("bad-one", true);
    bed.unguarded();
    let prepared = bed.prepared("namespaces-guarded", &bed.namespace, &bed.admin).unwrap();
    let remarks = prepared.remarks().join("\n");
    assert!(remarks.contains("The API server warns") && remarks.contains("bad-one: privileged"), "{remarks}");
    assert_eq!((prepared.risk(), prepared.to_be_typed()), (Risk::Disruptive, Some("kubernetes-admin@bed")));
    let yes = Answer { shown: prepared.digest().to_owned(), armed: true, yes: true, typed: String::new() };
    assert!(confirm(prepared, &yes).is_err(), "a plain yes is not enough");
}

#[test]
fn a_default_account_hands_out_no_token() {
    let Some(mut bed) = Bed::up("token") else { return };
    let item = bed.namespace.clone();
    let prepared = bed.round("default-accounts-no-token", &item);
    assert!(
        shown(&prepared)
            .contains(r#"patch serviceaccount default --type=merge -p '{"automountServiceAccountToken":false}'"#),
        "{}",
        shown(&prepared)
    );
    assert!(bed.json(&["get", "serviceaccount", "default"])["automountServiceAccountToken"].is_null());
    // What a person set by hand comes back as it was.
    bed.kubectl(&["patch", "serviceaccount", "default", "-p", r#"{"automountServiceAccountToken":true}"#], "");
    bed.round("default-accounts-no-token", &item);
    assert_eq!(bed.json(&["get", "serviceaccount", "default"])["automountServiceAccountToken"], true);
}

#[test]
fn a_namespace_is_closed_to_the_others_and_opened_again() {
    let Some(mut bed) = Bed::up("policy") else { return };
    bed.pod("good", false);
    let item = bed.namespace.clone();
    let prepared = bed.round("namespaces-network-policies", &item);
    assert_eq!(prepared.to_be_typed(), Some("kubernetes-admin@bed"));
    assert!(shown(&prepared).contains("--- /dev/null"), "{}", shown(&prepared));
    // The command that was shown does the same.
    let shown = shown(&prepared);
    let line = shown.lines().find(|line| line.starts_with("printf")).unwrap();
    let done = Command::new("sh").args(["-c", line]).env("KUBECONFIG", &bed.admin).output().unwrap();
    assert!(done.status.success(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
    let made = bed.json(&["get", "networkpolicy", "sitewarden-same-namespace-only"]);
    assert_eq!(made["spec"]["ingress"], json!([{"from": [{"podSelector": {}}]}]));
}

#[test]
fn a_binding_of_everybody_goes_and_comes_back() {
    let Some(mut bed) = Bed::up("binding") else { return };
    let name = bed.namespace.clone();
    bed.bind("ClusterRoleBinding", &name, "view", &everybody(), "kubectl-create");
    let before = bed.json(&["get", "clusterrolebinding", &name]);
    let prepared = bed.round("nothing-for-everybody", &name);
    assert!(shown(&prepared).contains(&format!("delete clusterrolebinding {name}")), "{}", shown(&prepared));
    let after = bed.json(&["get", "clusterrolebinding", &name]);
    assert_eq!((&after["subjects"], &after["roleRef"]), (&before["subjects"], &before["roleRef"]));
    assert_ne!(after["metadata"]["uid"], before["metadata"]["uid"], "it was never deleted");
}

#[test]
fn one_subject_goes_and_the_others_stay() {
    let Some(mut bed) = Bed::up("subject") else { return };
    let (name, space) = (bed.namespace.clone(), bed.namespace.clone());
    let account = json!({"kind": "ServiceAccount", "name": "default", "namespace": space});
    let ana = json!({"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "ana"});
    bed.bind("RoleBinding", &name, "view", &json!([ana, account]), "kubectl-create");
    let prepared = bed.prepared("default-accounts-not-bound", &name, &bed.admin).unwrap();
    let ran = bed.run(prepared);
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    assert_eq!(bed.json(&["get", "rolebinding", &name])["subjects"], json!([ana]));
    let back = bed.undo(&ran.entry).unwrap();
    bed.run(back);
    assert_eq!(bed.json(&["get", "rolebinding", &name])["subjects"], json!([ana, account]));
    bed.round("default-accounts-not-bound", &name);
}

#[test]
fn what_another_manager_keeps_is_left_alone() {
    let Some(bed) = Bed::up("managed") else { return };
    let name = bed.namespace.clone();
    bed.bind("ClusterRoleBinding", &name, "view", &everybody(), "flux");
    let refusal = bed.prepared("nothing-for-everybody", &name, &bed.admin).unwrap_err();
    assert!(refusal.0.contains(r#""flux" manages what would be changed"#), "{refusal}");
    // By the marks of an owner.
    bed.kubectl(&["annotate", "serviceaccount", "default", "meta.helm.sh/release-name=shop"], "");
    let refusal = bed.prepared("default-accounts-no-token", &name, &bed.admin).unwrap_err();
    assert!(refusal.0.contains("it belongs to Helm"), "{refusal}");
    // By the server's list of managers, for a field that two want.
    bed.kubectl(&["annotate", "serviceaccount", "default", "meta.helm.sh/release-name-"], "");
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}, "automountServiceAccountToken": true});
    bed.kubectl(&["apply", "--server-side", "--field-manager=argocd-controller", "-f", "-"], &account.to_string());
    let refusal = bed.prepared("default-accounts-no-token", &name, &bed.admin).unwrap_err();
    assert!(refusal.0.contains(r#""argocd-controller" manages"#), "{refusal}");
    assert_eq!(bed.json(&["get", "serviceaccount", "default"])["automountServiceAccountToken"], true);
}

#[test]
fn the_callers_own_binding_is_refused() {
    let Some(bed) = Bed::up("own") else { return };
    let (name, space) = (bed.namespace.clone(), bed.namespace.clone());
    let account = json!([{"kind": "ServiceAccount", "name": "default", "namespace": space}]);
    bed.bind("ClusterRoleBinding", &name, "cluster-admin", &account, "kubectl-create");
    let own = as_account(&bed);
    let refusal = bed.prepared("default-accounts-not-bound", &name, &own).unwrap_err();
    assert!(refusal.0.contains("take away your own rights"), "{refusal}");
    assert!(bed.prepared("default-accounts-not-bound", &name, &bed.admin).is_ok(), "another may");
    assert!(bed.is_there(&["get", "clusterrolebinding", &name]));
}

#[test]
fn without_the_right_it_is_refused_and_the_right_is_named() {
    let Some(bed) = Bed::up("rights") else { return };
    let (name, space) = (bed.namespace.clone(), bed.namespace.clone());
    bed.pod("good", false);
    bed.unguarded();
    let account = json!([{"kind": "ServiceAccount", "name": "default", "namespace": space}]);
    bed.bind("ClusterRoleBinding", &name, "view", &account, "kubectl-create");
    let viewer = as_account(&bed);
    let refusal = bed.prepared("namespaces-guarded", &name, &viewer).unwrap_err();
    assert!(refusal.0.contains("the right to patch namespaces is missing"), "{refusal}");
    let refusal = bed.prepared("namespaces-network-policies", &name, &viewer).unwrap_err();
    assert!(refusal.0.contains("the right to create networkpolicies.networking.k8s.io is missing"), "{refusal}");
}

#[test]
fn what_was_changed_after_it_was_shown_is_not_changed() {
    let Some(mut bed) = Bed::up("meanwhile") else { return };
    let name = bed.namespace.clone();
    bed.bind("ClusterRoleBinding", &name, "view", &everybody(), "kubectl-create");
    let prepared = bed.prepared("nothing-for-everybody", &name, &bed.admin).unwrap();
    bed.kubectl(&["label", "clusterrolebinding", &name, "touched=yes"], "");
    let ran = bed.run(prepared);
    assert_eq!(ran.outcome, Outcome::Refused, "{}", ran.note);
    assert!(ran.note.contains("changed or made anew meanwhile"), "{}", ran.note);
    assert!(bed.is_there(&["get", "clusterrolebinding", &name]));
    assert!(bed.undo(&ran.entry).unwrap_err().0.contains("changed nothing"));
}

#[test]
fn what_was_changed_since_is_not_taken_back() {
    let Some(mut bed) = Bed::up("since") else { return };
    let name = bed.namespace.clone();
    bed.pod("good", false);
    bed.unguarded();
    let prepared = bed.prepared("namespaces-guarded", &name, &bed.admin).unwrap();
    let ran = bed.run(prepared);
    // Other labels are nobody's concern.
    bed.kubectl(&["label", "namespace", &name, "team=shop"], "");
    assert!(bed.undo(&ran.entry).is_ok());
    bed.kubectl(&["label", "namespace", &name, "--overwrite", "pod-security.kubernetes.io/enforce=restricted"], "");
    let refusal = bed.undo(&ran.entry).unwrap_err();
    assert!(refusal.0.contains("-    pod-security.kubernetes.io/enforce: baseline\n"), "{refusal}");
    assert!(refusal.0.contains("+    pod-security.kubernetes.io/enforce: restricted\n"), "{refusal}");
    // What is kept is the person's alone, and is not followed once it was changed.
    let kept = bed.store.file().with_file_name("cluster").join(format!("{}.json", ran.entry));
    assert_eq!(kept.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    bed.kubectl(&["label", "namespace", &name, "--overwrite", "pod-security.kubernetes.io/enforce=baseline"], "");
    let text = fs::read_to_string(&kept).unwrap();
    fs::write(&kept, text.replace(&name, "kube-system")).unwrap();
    assert!(bed.undo(&ran.entry).unwrap_err().0.contains("not as the journal says"));
}

#[test]
fn of_several_objects_the_first_failure_stops_and_is_told() {
    let Some(mut bed) = Bed::up("several") else { return };
    let name = bed.namespace.clone();
    let other = format!("{name}-b");
    for binding in [&name, &other] {
        let account = json!([{"kind": "ServiceAccount", "name": "default", "namespace": name}]);
        bed.bind("RoleBinding", binding, "view", &account, "kubectl-create");
    }
    let prepared = bed.prepared("default-accounts-not-bound", &name, &bed.admin).unwrap();
    let names: Vec<String> =
        prepared.steps().iter().filter(|step| step.diff.is_some()).map(|step| step.what.clone()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    let second = if names[1].ends_with("-b") { &other } else { &name };
    bed.kubectl(&["label", "rolebinding", second, "touched=yes"], "");
    let ran = bed.run(prepared);
    assert_eq!(ran.outcome, Outcome::Failed, "{}", ran.note);
    assert!(ran.note.contains("done before: Delete RoleBinding"), "{}", ran.note);
    assert!(bed.is_there(&["get", "rolebinding", second]));
    let entry = bed.store.entry(&ran.entry).unwrap().unwrap();
    let stands = look_cluster(&entry, &bed.reach(&bed.admin), &bed.store).unwrap();
    assert_eq!(stands, Unfinished::HalfWay);
    another_cluster_has_no_say(&bed, &entry);
    without_its_end_it_gets_one(&bed, &entry);
    let back = bed.undo(&ran.entry).unwrap();
    let undone = bed.run(back);
    assert_eq!(undone.outcome, Outcome::Done, "{}", undone.note);
    assert!(bed.is_there(&["get", "rolebinding", &name]) && bed.is_there(&["get", "rolebinding", &other]));
}

/// The same in a journal that was cut off before the end: the cluster tells how it ended.
fn without_its_end_it_gets_one(bed: &Bed, entry: &Entry) {
    let journal = bed.folder.path().join("cut");
    let mut store = Store::open(&journal).unwrap();
    for event in [&entry.begun].into_iter().chain(&entry.steps) {
        store.append(event).unwrap();
    }
    let kept = |store: &Store| store.file().with_file_name("cluster").join(format!("{}.json", entry.id));
    fs::create_dir_all(kept(&store).parent().unwrap()).unwrap();
    fs::copy(kept(&bed.store), kept(&store)).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_sitewarden"));
    program.args(["undo", "--resume", "--kubeconfig"]).arg(&bed.admin).arg("--journal").arg(&journal);
    let told = String::from_utf8(program.output().unwrap().stdout).unwrap();
    assert!(told.contains("some of it, not all") && told.contains(&format!("undo {}", entry.id)), "{told}");
    assert_eq!(store.entry(&entry.id).unwrap().unwrap().outcome(), Some(Outcome::Failed));
}

/// What another cluster has, or lacks, ends no entry of this one. The other one is this one at another address, by a relay.
fn another_cluster_has_no_say(bed: &Bed, entry: &Entry) {
    let text = fs::read_to_string(&bed.admin).unwrap();
    let at = text.split("https://").nth(1).unwrap().lines().next().unwrap().to_owned();
    let relay = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = relay.local_addr().unwrap().port();
    let host = at.split(':').next().unwrap();
    let there = format!("https://127.0.0.1:{port}\n    tls-server-name: {host}");
    let elsewhere = bed.folder.path().join("elsewhere");
    fs::write(&elsewhere, text.replace(&format!("https://{at}"), &there)).unwrap();
    std::thread::spawn(move || {
        for here in relay.incoming().map_while(Result::ok) {
            let there = TcpStream::connect(&at).unwrap();
            let (mut from, mut to) = (here.try_clone().unwrap(), there.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut from, &mut to));
            let (mut from, mut to) = (there, here);
            std::thread::spawn(move || std::io::copy(&mut from, &mut to));
        }
    });
    let refusal = look_cluster(entry, &bed.reach(&elsewhere), &bed.store).unwrap_err().0;
    assert!(refusal.contains("is of the cluster at") && refusal.contains(&format!("127.0.0.1:{port}")), "{refusal}");
}

/// Types at a terminal what answers each question, and gives what the terminal showed.
fn at_a_terminal(bed: &Bed, words: &[&str], typed: &str) -> String {
    let more = |program: &mut portable_pty::CommandBuilder| {
        program.arg("--kubeconfig");
        program.arg(&bed.admin);
        program.arg("--journal");
        program.arg(bed.folder.path().join("state"));
        program.env("HOME", bed.folder.path());
        // An `az` of the test's own is found there.
        program.env("PATH", format!("{}:{}", bed.folder.path().display(), std::env::var("PATH").unwrap()));
    };
    crate::terminal::at_a_terminal(words, more, typed)
}

#[test]
fn a_person_fixes_and_takes_back_at_a_terminal() {
    let Some(bed) = Bed::up("terminal") else { return };
    let name = bed.namespace.clone();
    bed.bind("ClusterRoleBinding", &name, "view", &everybody(), "kubectl-create");
    let fix = &["fix", "nothing-for-everybody"][..];
    let there = ["get", "clusterrolebinding", name.as_str()];
    let shown = at_a_terminal(&bed, fix, "kubernetes-admin@bed\r");
    assert!(shown.contains("this program only reads") && bed.is_there(&there), "{shown}");
    let armed = [fix, &["--allow-changes"]].concat();
    let shown = at_a_terminal(&bed, &armed, "yes\r");
    assert!(shown.contains("type kubernetes-admin@bed to confirm it") && bed.is_there(&there), "{shown}");
    let shown = at_a_terminal(&bed, &armed, "kubernetes-admin@bed\r");
    assert!(shown.contains(&format!("-  name: {name}")) && shown.contains("Done."), "{shown}");
    assert!(shown.contains("nothing-for-everybody at cluster: fail before, pass now"), "{shown}");
    assert!(!bed.is_there(&there), "{shown}");
    let shown = at_a_terminal(&bed, &["undo", "--allow-changes"], "yes\r");
    assert!(shown.contains("Take back:") && shown.contains("Done."), "{shown}");
    assert!(bed.is_there(&there), "{shown}");
}

/// Azure Arc in the cluster, until this is dropped.
struct Arc<'b>(&'b Bed);

impl Arc<'_> {
    fn tool(name: &str) {
        let exec = std::env::var_os("BED_EXEC").unwrap();
        let tool = std::path::Path::new(&exec).with_file_name("arc").join(name);
        assert!(Command::new(tool).output().unwrap().status.success(), "{name}");
    }

    fn auto_upgrade(&self) -> Value {
        self.0.json(&["-n", "azure-arc", "get", "configmap", "azure-clusterconfig"])["data"]["AZURE_ARC_AUTOUPDATE"]
            .clone()
    }
}

impl Drop for Arc<'_> {
    fn drop(&mut self) {
        Arc::tool("remove");
    }
}

#[test]
fn az_is_run_with_the_clusters_own_names_and_taken_back_by_the_opposite() {
    let Some(bed) = Bed::up("azure") else { return };
    Arc::tool("apply");
    let arc = Arc(&bed);
    let off = r#"{"data":{"AZURE_ARC_AUTOUPDATE":"false"}}"#;
    bed.kubectl(&["-n", "azure-arc", "patch", "configmap", "azure-clusterconfig", "-p", off], "");
    let fix = ["fix", "arc-agents-upgrade-themselves", "--allow-changes"];
    let shown = at_a_terminal(&bed, &fix, "yes\r");
    assert!(
        shown.contains("`az` is not installed here") && shown.contains("$ az connectedk8s update --name"),
        "{shown}"
    );
    assert_eq!(arc.auto_upgrade(), "false");
    // What Azure would do then, the script does.
    let (az, log) = (bed.folder.path().join("az"), bed.folder.path().join("log"));
    let script = format!(
        "#!/bin/sh\necho \"$*\" >> '{}'\ncase \"$*\" in *--auto-upgrade\\ true*) on=true;; *) on=false;; esac\n\
         exec kubectl --kubeconfig '{}' -n azure-arc patch configmap azure-clusterconfig -p \\\n\
         '{{\"data\":{{\"AZURE_ARC_AUTOUPDATE\":\"'$on'\"}}}}'\n",
        log.display(),
        bed.admin.display()
    );
    fs::write(&az, script).unwrap();
    fs::set_permissions(&az, fs::Permissions::from_mode(0o755)).unwrap();
    let shown = at_a_terminal(&bed, &fix, "yes\r");
    assert!(shown.contains("arc-agents-upgrade-themselves at cluster: fail before, pass now"), "{shown}");
    let shown = at_a_terminal(&bed, &["undo", "--allow-changes"], "yes\r");
    assert!(shown.contains("Done.") && arc.auto_upgrade() == "false", "{shown}");
    let ran = fs::read_to_string(&log).unwrap();
    let lines: Vec<&str> = ran.lines().collect();
    assert_eq!(lines.len(), 2, "{ran}");
    assert!(lines[0].starts_with("connectedk8s update --name ") && lines[0].contains("--auto-upgrade true"), "{ran}");
    assert_eq!(lines[0].replace("--auto-upgrade true", "--auto-upgrade false"), lines[1]);
}
