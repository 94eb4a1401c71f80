//! The API client and a real API server: that of `tests/bed/up cluster`.

use super::peers::*;
use super::support::left_out;
use openssl::pkey::PKey;
use openssl::x509::X509;
use serde_json::{Value, json};
use sitewarden::evidence::Reason;
use sitewarden::kubeapi::{Api, ApiError, block_on};
use sitewarden::site::ClusterTarget;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The bed's kubeconfig, taken apart.
struct Cluster {
    kubeconfig: PathBuf,
    server: String,
    ca: String,
}

impl Cluster {
    /// None, with a loud word, where no cluster is up. In CI that is a failure.
    fn up(test: &str) -> Option<Cluster> {
        let Some(kubeconfig) = std::env::var_os("BED_KUBECONFIG").map(PathBuf::from) else {
            left_out(test, "needs a real cluster: tests/bed/up cluster and source target/bed/env");
            return None;
        };
        let text = std::fs::read_to_string(&kubeconfig).unwrap();
        let of = |key: &str| text.lines().find_map(|line| line.trim().strip_prefix(key)).unwrap().trim().to_owned();
        Some(Cluster { server: of("server:"), ca: of("certificate-authority-data:"), kubeconfig })
    }

    fn target(&self, context: Option<&str>) -> ClusterTarget {
        ClusterTarget { kubeconfig: vec![self.kubeconfig.clone()], context: context.map(str::to_owned), platform: None }
    }

    /// A file of the control plane.
    fn file(&self, path: &str) -> String {
        let exec = std::env::var_os("BED_EXEC").expect("BED_EXEC");
        let done = Command::new(exec).args(["node1", "cat", path]).stdin(Stdio::null()).output().unwrap();
        assert!(done.status.success(), "{path}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    /// A user with a certificate of the cluster's CA.
    fn user(&self, form: &Form) -> Config {
        let ca = Pair {
            certificate: X509::from_pem(self.file("/etc/kubernetes/pki/ca.crt").as_bytes()).unwrap(),
            key: PKey::private_key_from_pem(self.file("/etc/kubernetes/pki/ca.key").as_bytes()).unwrap(),
        };
        let client = Pair::new(form, Some(&ca));
        let user =
            format!("client-certificate-data: {}, client-key-data: {}", data(&client.pem()), data(&client.key_pem()));
        Config::new(&self.entry(&self.ca), &user)
    }

    fn entry(&self, ca: &str) -> String {
        format!("server: '{}', certificate-authority-data: {ca}", self.server)
    }
}

fn nobody(until: i64) -> Form {
    Form { name: "kubeapi-nobody", from: -300, until, names: vec![], ..Form::server() }
}

fn connect(target: &ClusterTarget) -> Result<Api, ApiError> {
    block_on(Api::connect(target, PATIENT)).unwrap()
}

const REVIEW: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";

fn review() -> Value {
    json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"})
}

#[test]
fn lists_objects_and_texts_of_a_real_cluster() {
    let Some(cluster) = Cluster::up("reading a real cluster") else { return };
    let target = cluster.target(None);
    block_on(async {
        let api = Api::connect(&target, PATIENT).await.unwrap();
        assert_eq!((api.server(), api.login()), (cluster.server.as_str(), "client certificate"));
        assert!(api.proxy().is_none() && !api.is_unverified());
        let clock = api.clock().unwrap();
        assert!((jiff::Timestamp::now() - clock).get_seconds().abs() < 3600, "{clock}");
        let mut pods = Vec::new();
        let done = api.list("/api/v1/pods", &mut |pod: Value| pods.push(pod)).await.unwrap();
        assert_eq!((done.items, done.gap), (pods.len(), None));
        let named = |name: &str| pods.iter().any(|pod| pod["metadata"]["name"] == name);
        assert!(named("kube-apiserver-node1") && named("etcd-node1"));
        let mut slim = 0;
        let mut each = |pod: Value| {
            assert!(pod.get("spec").is_none() && pod["metadata"]["name"].is_string());
            slim += 1;
        };
        let done = api.list_metadata("/api/v1/pods", &mut each).await.unwrap();
        assert_eq!((done.gap, slim > 0), (None, true));
        let own: Value = api.review(REVIEW, &review()).await.unwrap();
        assert_eq!(own["status"]["userInfo"]["username"], "kubernetes-admin");
        let (status, text) = api.text("/readyz?verbose").await.unwrap();
        assert!(status == 200 && text.contains("[+]etcd ok"), "{status} {text}");
        let absent = api.get::<Value>("/api/v1/namespaces/kubeapi-no-such").await.unwrap_err();
        assert!(absent.is_absent(), "{absent:?}");
        let unknown = api.list("/apis/no.such.group/v1/things", &mut |_: Value| ()).await.unwrap_err();
        assert!(unknown.is_absent(), "{unknown:?}");
    })
    .unwrap();
}

#[test]
fn a_context_that_is_not_there_is_answered_with_those_that_are() {
    let Some(cluster) = Cluster::up("a wrong context of a real kubeconfig") else { return };
    let error = connect(&cluster.target(Some("admin@bed"))).unwrap_err();
    assert!(error.message.contains("There are: kubernetes-admin@bed"), "{}", error.message);
}

#[test]
fn a_wrong_ca_is_told_and_the_servers_leaf_is_a_right_one() {
    let Some(cluster) = Cluster::up("trust in a real API server") else { return };
    let other = Pair::new(&Form::ca(), None);
    let error = Config::new(&cluster.entry(&data(&other.pem())), "token: geheim").fails(PATIENT);
    assert_eq!(error.reason, Reason::Unreachable);
    assert!(error.message.contains("not issued by the CA in "), "{}", error.message);
    // A token that nobody gave: trusted, reached, and not let in.
    let leaf = data(&cluster.file("/etc/kubernetes/pki/apiserver.crt"));
    let error = Config::new(&cluster.entry(&leaf), "token: geheim").fails(PATIENT);
    assert_eq!((error.reason, error.status), (Reason::Forbidden, Some(401)), "{}", error.message);
    let entry = format!("{}, tls-server-name: no-such-name", cluster.entry(&cluster.ca));
    let message = Config::new(&entry, "token: geheim").fails(PATIENT).message;
    assert!(message.contains("not for no-such-name, but for ") && message.contains("kubernetes.default"), "{message}");
}

#[test]
fn an_expired_client_certificate_is_named() {
    let Some(cluster) = Cluster::up("an expired client certificate at a real API server") else { return };
    let config = cluster.user(&nobody(-3));
    let error = config.fails(PATIENT);
    assert_eq!((error.reason, error.status), (Reason::Forbidden, Some(401)));
    let path = config.target.kubeconfig[0].display().to_string();
    assert!(
        error.message.contains("client certificate of the user \"u\" in ") && error.message.contains(&path),
        "{}",
        error.message
    );
    assert!(error.message.contains("expired on "), "{}", error.message);
}

#[test]
fn what_one_may_not_is_said_in_words_and_keeps_nobody_from_the_rest() {
    let Some(cluster) = Cluster::up("a user without rights at a real API server") else { return };
    cluster.user(&nobody(3)).with(PATIENT, async |api| {
        let own: Value = api.review(REVIEW, &review()).await.unwrap();
        assert_eq!(own["status"]["userInfo"]["username"], "kubeapi-nobody");
        let error = api.list("/api/v1/pods", &mut |_: Value| ()).await.unwrap_err();
        assert_eq!((error.reason, error.status), (Reason::Forbidden, Some(403)));
        assert!(error.message.contains("list pods of the whole cluster"), "{}", error.message);
        let path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
        let body = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": {"namespace": "default"}});
        let rules: Value = api.review(path, &body).await.unwrap();
        assert!(!rules["status"]["nonResourceRules"].as_array().unwrap().is_empty());
    });
    // Nobody at all is not let in, or may read the version alone.
    match Config::new(&cluster.entry(&cluster.ca), "").connect(PATIENT) {
        Ok(api) => assert_eq!(api.login(), "no credentials"),
        Err(error) => assert_eq!(error.reason, Reason::Forbidden, "{}", error.message),
    }
}

#[test]
fn acting_as_another_is_what_the_server_sees() {
    let Some(cluster) = Cluster::up("acting as another at a real API server") else { return };
    let admin = Form { organisation: Some("system:masters"), ..nobody(3) };
    let config = cluster.user(&admin);
    let path = &config.target.kubeconfig[0];
    let text = std::fs::read_to_string(path).unwrap();
    let text = text.replace(
        "user: {client-",
        "user: {as: jane@example, as-groups: [dev], as-user-extra: {'example.org/Why': [test]}, client-",
    );
    std::fs::write(path, text).unwrap();
    config.with(PATIENT, async |api| {
        let own: Value = api.review(REVIEW, &review()).await.unwrap();
        let info = &own["status"]["userInfo"];
        assert_eq!(info["username"], "jane@example");
        assert_eq!(info["extra"]["example.org/why"], json!(["test"]));
        assert_eq!(api.login(), "client certificate, as jane@example");
    });
}
