//! Objects of a real API server, read and changed: that of `tests/bed/up control-plane`.

use super::peers::*;
use super::support::left_out;
use serde_json::{Value, json};
use sitewarden::evidence::Reason;
use sitewarden::kubeapi::{Api, ApiError, Deleted, Mark, ObjectPlace, Seen, block_on, for_display};
use sitewarden::site::ClusterTarget;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// An API server, and a namespace that is this test's own; gone when this is dropped.
struct Bed {
    admin: PathBuf,
    namespace: String,
}

impl Bed {
    /// None, with a loud word, where no API server alone is up. In CI that is a failure.
    fn up(test: &str) -> Option<Bed> {
        if std::env::var("BED_MODE").as_deref() != Ok("control-plane") {
            left_out(test, "needs an API server: tests/bed/up control-plane and source target/bed/env");
            return None;
        }
        let bed = Bed {
            admin: std::env::var_os("BED_KUBECONFIG").expect("BED_KUBECONFIG").into(),
            namespace: format!("objects-{}-{}", std::process::id(), test.replace(' ', "-")),
        };
        bed.kubectl(&["create", "namespace", &bed.namespace], "");
        Some(bed)
    }

    fn kubectl(&self, words: &[&str], input: &str) -> String {
        let mut command = Command::new("kubectl");
        command.arg("--kubeconfig").arg(&self.admin).args(["-n", &self.namespace]).args(words);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "kubectl {words:?}");
        String::from_utf8(done.stdout).unwrap()
    }

    fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.kubectl(words, "")).unwrap()
    }

    fn map(&self, name: &str) -> ObjectPlace {
        self.place("", "ConfigMap", "configmaps", name)
    }

    fn place(&self, group: &str, kind: &str, plural: &str, name: &str) -> ObjectPlace {
        ObjectPlace {
            group: group.to_owned(),
            version: "v1".to_owned(),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
            namespace: Some(self.namespace.clone()),
            name: name.to_owned(),
        }
    }

    fn with<T>(&self, kubeconfig: &Path, work: impl AsyncFnOnce(&Api) -> T) -> T {
        let target = ClusterTarget { kubeconfig: vec![kubeconfig.to_owned()], ..ClusterTarget::default() };
        block_on(async { work(&Api::connect(&target, PATIENT).await.unwrap()).await }).unwrap()
    }

    fn admin<T>(&self, work: impl AsyncFnOnce(&Api) -> T) -> T {
        self.with(&self.admin, work)
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        let mut command = Command::new("kubectl");
        command.arg("--kubeconfig").arg(&self.admin).args(["delete", "namespace", "--wait=false", &self.namespace]);
        let _ = command.stdout(Stdio::null()).status();
    }
}

fn refused(result: Result<impl std::fmt::Debug, ApiError>, status: u16) -> String {
    let error = result.unwrap_err();
    assert_eq!(error.status, Some(status), "{}", error.message);
    error.message
}

#[test]
fn a_dry_run_changes_nothing_and_what_is_applied_is_there() {
    let Some(bed) = Bed::up("applying") else { return };
    let place = bed.map("m");
    let fields = json!({"data": {"a": "1"}, "metadata": {"labels": {"l": "x"}}});
    bed.admin(async |api| {
        assert!(api.object(&place).await.unwrap_err().is_absent());
        let dry = api.apply(&place, &fields, true, false).await.unwrap();
        assert_eq!((&dry["data"]["a"], &dry["metadata"]["namespace"]), (&json!("1"), &json!(bed.namespace)));
        assert!(api.object(&place).await.unwrap_err().is_absent());
        let done = api.apply(&place, &fields, false, false).await.unwrap();
        let raw: Value = api.get(&format!("/api/v1/namespaces/{}/configmaps/m", bed.namespace)).await.unwrap();
        assert_eq!(api.object(&place).await.unwrap(), raw, "something is lost on the way through kube's types");
        assert_eq!(done, raw);
        let shown = for_display(&raw);
        assert!(raw["metadata"]["managedFields"].is_array() && shown["metadata"]["managedFields"].is_null());
        // Taken back by applying without it: what nobody owns any more goes.
        let less = api.apply(&place, &json!({"metadata": {"labels": {"l": "y"}}}), false, false).await.unwrap();
        assert!(less["data"].is_null() && less["metadata"]["labels"]["l"] == "y");
    });
    assert_eq!(bed.json(&["get", "configmap", "m", "-o", "json"])["metadata"]["labels"]["l"], "y");
}

#[test]
fn a_conflict_says_who_owns_what() {
    let Some(bed) = Bed::up("a conflict") else { return };
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"a": "helms", "b": "helms"}});
    bed.kubectl(&["apply", "--server-side", "--field-manager=helm", "-f", "-"], &map.to_string());
    bed.admin(async |api| {
        let fields = json!({"data": {"a": "ours", "c": "ours"}});
        for dry_run in [true, false] {
            let message = refused(api.apply(&bed.map("m"), &fields, dry_run, false).await, 409);
            assert!(message.contains(r#""helm" owns .data.a."#), "{message}");
            assert!(message.contains(&format!("patch configmaps m in the namespace {}", bed.namespace)), "{message}");
        }
        assert_eq!(api.object(&bed.map("m")).await.unwrap()["data"], json!({"a": "helms", "b": "helms"}));
        let forced = api.apply(&bed.map("m"), &fields, false, true).await.unwrap();
        assert_eq!(forced["data"], json!({"a": "ours", "b": "helms", "c": "ours"}));
    });
}

#[test]
fn what_was_changed_meanwhile_is_neither_deleted_nor_replaced() {
    let Some(bed) = Bed::up("changed meanwhile") else { return };
    let place = bed.map("m");
    bed.admin(async |api| {
        let made = api.create(&place, &json!({"data": {"a": "1"}}), false).await.unwrap();
        let message = refused(api.create(&place, &json!({}), false).await, 409);
        assert!(message.contains("one of that name"), "{message}");
        let seen = Seen::of(&made).unwrap();
        bed.kubectl(&["patch", "configmap", "m", "--type=merge", "-p", r#"{"data":{"a":"2"}}"#], "");
        for message in [
            refused(api.delete(&place, &seen, false).await, 409),
            refused(api.delete(&place, &Seen { uid: "other".to_owned(), ..seen.clone() }, false).await, 409),
            refused(api.replace(&place, &made, false).await, 409),
            refused(api.mark(&place, Mark::Label("l"), Some("v"), &seen, false).await, 409),
        ] {
            assert!(message.contains("changed or made anew meanwhile"), "{message}");
        }
        let now = api.object(&place).await.unwrap();
        let mut again = now.clone();
        again["data"]["a"] = json!("3");
        let replaced = api.replace(&place, &again, false).await.unwrap();
        assert_eq!(replaced["data"]["a"], "3");
        let seen = Seen::of(&replaced).unwrap();
        assert_eq!(api.delete(&place, &seen, true).await.unwrap(), Deleted::Done);
        assert!(api.object(&place).await.is_ok(), "a dry run deleted it");
        assert_eq!(api.delete(&place, &seen, false).await.unwrap(), Deleted::Done);
        assert!(api.object(&place).await.unwrap_err().is_absent());
        assert!(api.delete(&place, &seen, false).await.unwrap_err().is_absent());
        // As it was, by what was seen of it.
        assert_eq!(api.create(&place, &replaced, false).await.unwrap()["data"]["a"], "3");
    });
}

#[test]
fn one_label_or_annotation_and_nothing_else() {
    let Some(bed) = Bed::up("marking") else { return };
    let place = bed.map("m");
    bed.admin(async |api| {
        let made =
            api.create(&place, &json!({"metadata": {"labels": {"keep": "1", "a/b": "2"}}}), false).await.unwrap();
        let set = api.mark(&place, Mark::Annotation("x/y"), Some("z"), &Seen::of(&made).unwrap(), false).await.unwrap();
        assert_eq!(set["metadata"]["annotations"], json!({"x/y": "z"}));
        let gone = api.mark(&place, Mark::Label("a/b"), None, &Seen::of(&set).unwrap(), false).await.unwrap();
        assert_eq!(gone["metadata"]["labels"], json!({"keep": "1"}));
        let odd = api.mark(&place, Mark::Label("no label!"), Some("v"), &Seen::of(&gone).unwrap(), false).await;
        let message = refused(odd, 422);
        assert!(message.contains("it finds the object wrong (metadata.labels)"), "{message}");
    });
}

#[test]
fn what_has_a_finalizer_is_said_to_stay() {
    let Some(bed) = Bed::up("a finalizer") else { return };
    let place = bed.map("m");
    bed.admin(async |api| {
        let made = api.create(&place, &json!({"metadata": {"finalizers": ["example.com/x"]}}), false).await.unwrap();
        assert_eq!(api.delete(&place, &Seen::of(&made).unwrap(), false).await.unwrap(), Deleted::Leaving);
    });
    bed.kubectl(&["patch", "configmap", "m", "--type=merge", "-p", r#"{"metadata":{"finalizers":null}}"#], "");
}

#[test]
fn the_data_of_a_secret_are_never_given() {
    let Some(bed) = Bed::up("a secret") else { return };
    let place = bed.place("", "Secret", "secrets", "s");
    let secret =
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"k": data("geheim")}});
    bed.kubectl(&["apply", "-f", "-"], &secret.to_string());
    bed.admin(async |api| {
        let found = api.object(&place).await.unwrap();
        let marked = api.mark(&place, Mark::Label("l"), Some("v"), &Seen::of(&found).unwrap(), false).await.unwrap();
        let dry = api.apply(&place, &json!({"metadata": {"labels": {"m": "v"}}}), true, false).await.unwrap();
        for answer in [found, marked, dry] {
            let text = answer.to_string();
            assert_eq!(answer["data"], "(not shown)");
            assert!(!text.contains("geheim") && !text.contains(&data("geheim")), "{text}");
        }
    });
    assert_eq!(bed.json(&["get", "secret", "s", "-o", "json"])["data"]["k"], data("geheim"));
}

#[test]
fn a_missing_right_is_named() {
    let Some(bed) = Bed::up("rights") else { return };
    bed.kubectl(&["create", "configmap", "m"], "");
    // May patch what there is, and make nothing.
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "r"}, "rules": [
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "patch"]},
        {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"], "verbs": ["create", "patch"]},
    ]});
    bed.kubectl(&["apply", "-f", "-"], &role.to_string());
    bed.kubectl(&["create", "serviceaccount", "s"], "");
    bed.kubectl(&["create", "rolebinding", "r", "--role=r", &format!("--serviceaccount={}:s", bed.namespace)], "");
    let token = bed.kubectl(&["create", "token", "s"], "");
    let admin = std::fs::read_to_string(&bed.admin).unwrap();
    let of = |key: &str| admin.lines().find_map(|line| line.trim().strip_prefix(key)).unwrap().trim().to_owned();
    let cluster =
        format!("server: '{}', certificate-authority-data: {}", of("server:"), of("certificate-authority-data:"));
    let config = Config::new(&cluster, &format!("token: {}", token.trim()));
    bed.with(&config.target.kubeconfig[0], async |api| {
        let fields = json!({"data": {"a": "1"}});
        let made = api.apply(&bed.map("m"), &fields, false, false).await.unwrap();
        let message = refused(api.apply(&bed.map("new"), &fields, true, false).await, 403);
        assert!(message.contains("the right to create configmaps is missing"), "{message}");
        let message = refused(api.delete(&bed.map("m"), &Seen::of(&made).unwrap(), true).await, 403);
        assert!(message.contains("the right to delete configmaps is missing"), "{message}");
        let secret = bed.place("", "Secret", "secrets", "s");
        let message = refused(api.object(&secret).await, 403);
        assert!(message.contains("get secrets s in the namespace"), "{message}");
        // More rights than one has cannot be given, which no single right would change.
        let role = bed.place("rbac.authorization.k8s.io", "Role", "roles", "more");
        let rules = json!({"rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]});
        let message = refused(api.apply(&role, &rules, true, false).await, 403);
        assert!(message.contains("giving more rights than one has"), "{message}");
    });
}

#[test]
fn a_kind_that_the_server_does_not_know_and_an_object_that_is_wrong() {
    let Some(bed) = Bed::up("no such kind") else { return };
    bed.admin(async |api| {
        let place = bed.place("example.com", "Thing", "things", "t");
        let error = api.apply(&place, &json!({"spec": {}}), true, false).await.unwrap_err();
        assert!(error.is_absent() && error.reason == Reason::NotVisible, "{error:?}");
        let policy = bed.place("networking.k8s.io", "NetworkPolicy", "networkpolicies", "p");
        let message = refused(
            api.create(&policy, &json!({"spec": {"podSelector": {}, "policyTypes": ["Both"]}}), true).await,
            422,
        );
        assert!(message.contains("spec.policyTypes[0]"), "{message}");
    });
}
