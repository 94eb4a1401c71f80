//! An API server in a test's hands: `kubectl` behind the program's back, and what the program sees, plans and does.
#![allow(dead_code, unreachable_pub)]

use jiff::Timestamp;
use serde_json::{Value, json};
use sitewarden::assess::{Finding, Verdict};
use sitewarden::catalog::Catalog;
use sitewarden::channel::{Limits, NobodyToAsk};
use sitewarden::evidence::{Evidence, Policy, Profile, Seat, SiteFacts};
use sitewarden::remedy::{
    Answer, ClusterReach, Prepared, Ran, Refusal, Who, confirm, finish, prepare_cluster, prepare_undo_cluster,
    run_cluster,
};
use sitewarden::site::ClusterTarget;
use sitewarden::store::{Outcome, Store};
use sitewarden::visit::{ClusterVisit, Visit, failing, offer};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tempfile::TempDir;

/// Tests take turns: what one changes another would find.
static TURN: Mutex<()> = Mutex::new(());

/// An API server, a journal, and a namespace that is this test's own; gone when this is dropped.
pub struct Bed {
    pub admin: PathBuf,
    pub namespace: String,
    pub folder: TempDir,
    pub store: Store,
    _turn: MutexGuard<'static, ()>,
}

impl Bed {
    /// None, with a loud word, where no API server alone is up. In CI that is a failure.
    pub fn up(test: &str) -> Option<Bed> {
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

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("kubectl");
        command.arg("--kubeconfig").arg(&self.admin).args(["-n", &self.namespace]).args(words);
        command
    }

    pub fn kubectl(&self, words: &[&str], input: &str) -> String {
        let mut child =
            self.command(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "kubectl {words:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    pub fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.kubectl(&[words, &["-o", "json"]].concat(), "")).unwrap()
    }

    pub fn is_there(&self, words: &[&str]) -> bool {
        self.command(words).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
    }

    /// Without a label it is not known here whether the namespace is guarded: nobody sees the API server's own settings.
    pub fn unguarded(&self) {
        self.kubectl(&["label", "namespace", &self.namespace, "pod-security.kubernetes.io/enforce=privileged"], "");
    }

    /// A pod as the test leaves it: no node runs it.
    pub fn pod(&self, name: &str, privileged: bool) {
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [
            {"name": "c", "image": "none", "securityContext": {"privileged": privileged}}]}});
        self.kubectl(&["create", "-f", "-"], &pod.to_string());
    }

    pub fn bind(&self, kind: &str, name: &str, role: &str, subjects: &Value, manager: &str) {
        let binding = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": name},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}, "subjects": subjects});
        self.kubectl(&["create", &format!("--field-manager={manager}"), "-f", "-"], &binding.to_string());
    }

    pub fn reach(&self, kubeconfig: &Path) -> ClusterReach {
        reach(kubeconfig)
    }

    /// What the program sees of the cluster, as the administrator.
    pub fn seen(&self) -> Evidence {
        seen(&self.admin)
    }

    pub fn findings(&self, control: &str, evidence: &Evidence) -> Vec<Finding> {
        let policy = Policy { profile: Profile::Cis, controls: vec![control.to_owned()], ..Policy::default() };
        let catalog = Catalog::embedded().unwrap();
        sitewarden::visit::assess_embedded(evidence, &catalog, &policy, Timestamp::now()).unwrap().findings
    }

    /// Whether this test's own things fail by a control: other tests' namespaces and bindings may be there too.
    pub fn fails(&self, control: &str, item: &str) -> bool {
        let findings = self.findings(control, &self.seen());
        let told = |finding: &Finding| finding.verdict != Verdict::Unknown || !finding.items.is_empty();
        assert!(findings.iter().all(told), "{findings:?}");
        let items = findings.iter().flat_map(|finding| &finding.items);
        let own: Vec<_> = items.filter(|one| one.name.contains(item)).collect();
        assert!(own.iter().all(|one| one.verdict != Verdict::Unknown), "{own:?}");
        !own.is_empty()
    }

    /// Prepares the remedy of a control for this test's own item.
    pub fn prepared(&self, control: &str, item: &str, as_user: &Path) -> Result<Prepared, Refusal> {
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

    pub fn run(&mut self, prepared: Prepared) -> Ran {
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

    pub fn undo(&self, entry: &str) -> Result<Prepared, Refusal> {
        let entry = self.store.entry(entry).unwrap().unwrap();
        prepare_undo_cluster(&entry, &self.reach(&self.admin), &self.store)
    }

    /// Fail, fixed, pass, undone, fail, each by a scan of its own. Gives what was shown before the change.
    pub fn round(&mut self, control: &str, item: &str) -> Prepared {
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

pub fn reach(kubeconfig: &Path) -> ClusterReach {
    let target = ClusterTarget { kubeconfig: vec![kubeconfig.to_owned()], ..ClusterTarget::default() };
    ClusterVisit::new(target).reach(Limits::default().connect)
}

/// What the program sees of a cluster over its API alone.
pub fn seen(kubeconfig: &Path) -> Evidence {
    let target = ClusterTarget { kubeconfig: vec![kubeconfig.to_owned()], ..ClusterTarget::default() };
    let visit = Visit {
        site: SiteFacts::default(),
        others: Vec::new(),
        cluster: Some(ClusterVisit::new(target)),
        targets: Vec::new(),
        endpoints: false,
        before: None,
        ssh: Default::default(),
        limits: Limits::default(),
        packages: false,
        jobs: 1,
        given: Vec::new(),
        seat: Seat::default(),
    };
    let ask: Arc<dyn sitewarden::channel::Ask> = Arc::new(NobodyToAsk);
    let quiet: Arc<dyn Fn(sitewarden::visit::Progress) + Send + Sync> = Arc::new(|_| ());
    visit.collect(&ask, &quiet)
}

/// A kubeconfig of the test's own account.
pub fn as_account(bed: &Bed) -> PathBuf {
    let token = bed.kubectl(&["create", "token", "default"], "");
    let config = bed.folder.path().join("as-account");
    let mut value: Value =
        serde_json::from_str(&bed.kubectl(&["config", "view", "--raw", "--flatten", "-o", "json"], "")).unwrap();
    value["users"][0]["user"] = json!({"token": token.trim()});
    fs::write(&config, value.to_string()).unwrap();
    config
}
