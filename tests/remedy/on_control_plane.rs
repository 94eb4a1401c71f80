//! Remedies of the cluster's objects on a real API server: that of `tests/bed/up control-plane`.

use jiff::Timestamp;
use serde_json::{Value, json};
use sitewarden::assess::{Finding, Verdict};
use sitewarden::catalog::Catalog;
use sitewarden::channel::{Limits, NobodyToAsk};
use sitewarden::evidence::{Evidence, Policy, Profile, Seat, SiteFacts};
use sitewarden::remedy::{
    Answer, ClusterReach, KubeOp, Plan, Prepared, Ran, Refusal, Risk, Unfinished, Who, Work, confirm, finish,
    look_cluster, prepare_cluster, prepare_undo_cluster, run_cluster,
};
use sitewarden::site::ClusterTarget;
use sitewarden::store::{Outcome, Store};
use sitewarden::visit::{ClusterVisit, Visit, failing, offer};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tempfile::TempDir;

/// Tests take turns: what one changes another would find.
static TURN: Mutex<()> = Mutex::new(());

/// An API server, a journal, and a namespace that is this test's own; gone when this is dropped.
struct Bed {
    admin: PathBuf,
    namespace: String,
    folder: TempDir,
    store: Store,
    _turn: MutexGuard<'static, ()>,
}

impl Bed {
    /// None, with a loud word, where no API server alone is up. In CI that is a failure.
    fn up(test: &str) -> Option<Bed> {
        if std::env::var("BED_MODE").as_deref() != Ok("control-plane") {
            assert!(std::env::var_os("CI").is_none(), "{test}: no test bed in CI; run tests/run");
            let _ = writeln!(
                std::io::stderr(),
                "#### LEFT OUT: {test} needs an API server: tests/bed/up control-plane and source target/bed/env"
            );
            return None;
        }
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("state")).unwrap();
        let admin: PathBuf = std::env::var_os("BED_KUBECONFIG").expect("BED_KUBECONFIG").into();
        let namespace = format!("fix-{}-{test}", std::process::id());
        let bed = Bed { admin, namespace, folder, store, _turn: turn };
        bed.kubectl(&["create", "namespace", &bed.namespace], "");
        bed.kubectl(&["wait", "--for=create", "serviceaccount/default", "--timeout=60s"], "");
        Some(bed)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("kubectl");
        command.arg("--kubeconfig").arg(&self.admin).args(["-n", &self.namespace]).args(words);
        command
    }

    fn kubectl(&self, words: &[&str], input: &str) -> String {
        let mut child =
            self.command(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "kubectl {words:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.kubectl(&[words, &["-o", "json"]].concat(), "")).unwrap()
    }

    fn is_there(&self, words: &[&str]) -> bool {
        self.command(words).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
    }

    /// Without a label it is not known here whether the namespace is guarded: nobody sees the API server's own settings.
    fn unguarded(&self) {
        self.kubectl(&["label", "namespace", &self.namespace, "pod-security.kubernetes.io/enforce=privileged"], "");
    }

    /// A pod as the test leaves it: no node runs it.
    fn pod(&self, name: &str, privileged: bool) {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [
            {"name": "c", "image": "none", "securityContext": {"privileged": privileged}}]}});
        self.kubectl(&["create", "-f", "-"], &pod.to_string());
    }

    fn bind(&self, kind: &str, name: &str, role: &str, subjects: &Value, manager: &str) {
        let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}, "subjects": subjects});
        self.kubectl(&["create", &format!("--field-manager={manager}"), "-f", "-"], &binding.to_string());
    }

    fn reach(&self, kubeconfig: &Path) -> ClusterReach {
        let target = ClusterTarget { kubeconfig: vec![kubeconfig.to_owned()], ..ClusterTarget::default() };
        ClusterVisit::new(target).reach(Limits::default().connect)
    }

    /// What the program sees of the cluster, as the administrator.
    fn seen(&self) -> Evidence {
        let target = ClusterTarget { kubeconfig: vec![self.admin.clone()], ..ClusterTarget::default() };
        let visit = Visit {
            site: SiteFacts::default(),
            cluster: Some(ClusterVisit::new(target)),
            targets: Vec::new(),
            endpoints: false,
            before: None,
            ssh: Default::default(),
            limits: Limits::default(),
            packages: false,
            jobs: 1,
            seat: Seat::default(),
        };
        let ask: Arc<dyn sitewarden::channel::Ask> = Arc::new(NobodyToAsk);
        let quiet: Arc<dyn Fn(sitewarden::visit::Progress) + Send + Sync> = Arc::new(|_| ());
        visit.collect(&ask, &quiet)
    }

    fn findings(&self, control: &str, evidence: &Evidence) -> Vec<Finding> {
        let policy = Policy { profile: Profile::Cis, controls: vec![control.to_owned()], ..Policy::default() };
        let catalog = Catalog::embedded().unwrap();
        sitewarden::visit::assess_embedded(evidence, &catalog, &policy, Timestamp::now()).unwrap().findings
    }

    /// Whether this test's own things fail by a control: other tests' namespaces and bindings may be there too.
    fn fails(&self, control: &str, item: &str) -> bool {
        let findings = self.findings(control, &self.seen());
        assert!(findings.iter().all(|finding| finding.verdict != Verdict::Unknown), "{findings:?}");
        findings.iter().flat_map(|finding| &finding.items).any(|one| one.name.contains(item))
    }

    /// Prepares the remedy of a control for this test's own item.
    fn prepared(&self, control: &str, item: &str, as_user: &Path) -> Result<Prepared, Refusal> {
        let evidence = self.seen();
        let policy = Policy { profile: Profile::Cis, controls: vec![control.to_owned()], ..Policy::default() };
        let catalog = Catalog::embedded().unwrap();
        let mut assessed = sitewarden::visit::assess_embedded(&evidence, &catalog, &policy, Timestamp::now()).unwrap();
        for finding in &mut assessed.findings {
            finding.items.retain(|one| one.name.contains(item));
        }
        let failing = failing(&assessed, &[control.to_owned()]);
        let (mut plans, refused) = offer(&failing, &evidence, &catalog);
        assert!(plans.len() == 1 && refused.is_empty(), "{plans:?} {refused:?}");
        prepare_cluster(plans.remove(0), &self.reach(as_user))
    }

    fn run(&mut self, prepared: Prepared) -> Ran {
        let answer = Answer {
            shown: prepared.digest().to_owned(),
            armed: true,
            yes: true,
            typed: prepared.to_be_typed().unwrap_or_default().to_owned(),
        };
        let who = Who { operator: "ana".to_owned(), seat: "bench".to_owned(), site: None };
        let reach = self.reach(&self.admin.clone());
        let ran = run_cluster(confirm(prepared, &answer).unwrap(), &reach, &mut self.store, &who, &|_| ()).unwrap();
        finish(&mut self.store, &ran, Some("fail"), None).unwrap();
        ran
    }

    fn undo(&self, entry: &str) -> Result<Prepared, Refusal> {
        let entry = self.store.entry(entry).unwrap().unwrap();
        prepare_undo_cluster(&entry, &self.reach(&self.admin), &self.store)
    }

    /// Fail, fixed, pass, undone, fail, each by a scan of its own. Gives what was shown before the change.
    fn round(&mut self, control: &str, item: &str) -> Prepared {
        assert!(self.fails(control, item), "{control} does not fail");
        let prepared = self.prepared(control, item, &self.admin.clone()).unwrap();
        assert!(self.fails(control, item), "looking changed something");
        let ran = self.run(prepared.clone());
        assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
        assert!(!self.fails(control, item), "{control} fails still");
        let back = self.undo(&ran.entry).unwrap();
        assert!(back.undoes() == Some(ran.entry.as_str()) && !self.fails(control, item));
        let undone = self.run(back);
        assert_eq!(undone.outcome, Outcome::Done, "{}", undone.note);
        assert!(self.fails(control, item), "{control} passes after the undo");
        assert!(self.undo(&ran.entry).unwrap_err().0.contains("taken back already"));
        assert!(self.store.verify(None).unwrap().holds());
        prepared
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        let name = self.namespace.clone();
        let _ = self.command(&["delete", "clusterrolebinding", "--ignore-not-found", &name]).output();
        let _ = self.command(&["delete", "namespace", "--wait=false", &name]).output();
    }
}

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
            "kubectl {context} label namespace {namespace} pod-security.kubernetes.io/enforce=baseline --overwrite"
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

/// A kubeconfig of the test's own account.
fn as_account(bed: &Bed) -> PathBuf {
    let token = bed.kubectl(&["create", "token", "default"], "");
    let config = bed.folder.path().join("as-account");
    let mut value: Value =
        serde_json::from_str(&bed.kubectl(&["config", "view", "--raw", "--flatten", "-o", "json"], "")).unwrap();
    value["users"][0]["user"] = json!({"token": token.trim()});
    fs::write(&config, value.to_string()).unwrap();
    config
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
    let back = bed.undo(&ran.entry).unwrap();
    let undone = bed.run(back);
    assert_eq!(undone.outcome, Outcome::Done, "{}", undone.note);
    assert!(bed.is_there(&["get", "rolebinding", &name]) && bed.is_there(&["get", "rolebinding", &other]));
}
