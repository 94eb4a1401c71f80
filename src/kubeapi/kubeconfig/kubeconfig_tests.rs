//! Finding, merging and choosing, as the person notices it.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::choose::choose;
use super::contexts::{chosen_in, contexts_in};
use super::*;
use crate::evidence::Reason;
use crate::kubeapi::ApiError;
use crate::site::ClusterTarget;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder that is home, and nothing else.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Home(tempfile::tempdir().unwrap())
    }

    fn put(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn around(&self, variables: &[(&str, &str)]) -> Surroundings {
        Surroundings::of(variables, self.0.path())
    }

    fn listed(&self, files: &[&Path]) -> Surroundings {
        let list = std::env::join_paths(files).unwrap().into_string().unwrap();
        self.around(&[("KUBECONFIG", &list)])
    }
}

fn target(files: &[&Path], context: Option<&str>) -> ClusterTarget {
    ClusterTarget {
        kubeconfig: files.iter().map(|path| path.to_path_buf()).collect(),
        context: context.map(str::to_owned),
        platform: None,
    }
}

fn config(name: &str, current: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: {current}\nclusters:\n- name: {name}\n  cluster: {{server: 'https://{name}.example:6443', certificate-authority: pki/{name}.crt}}\nusers:\n- name: {name}\n  user: {{token: geheim-{name}}}\ncontexts:\n- name: {name}\n  context: {{cluster: {name}, user: {name}}}\n"
    )
}

fn fails(home: &Home, target: &ClusterTarget) -> ApiError {
    let error = choose(target, &home.around(&[])).map(|chosen| chosen.context).unwrap_err();
    assert!(!error.message.contains("geheim"), "{}", error.message);
    error
}

/// What is said about one file.
fn says(text: impl AsRef<[u8]>, context: Option<&str>) -> String {
    let home = Home::new();
    let path = home.put("config", text);
    let error = fails(&home, &target(&[&path], context));
    assert!(error.message.contains(path.to_str().unwrap()), "the file is not named: {}", error.message);
    error.message
}

#[test]
fn named_files_go_before_the_variable_and_that_before_home() {
    let home = Home::new();
    let named = home.put("named", config("a", "a"));
    let listed = home.put("listed", config("b", "b"));
    home.put(".kube/config", config("c", "c"));
    let of = |target: &ClusterTarget, around: &Surroundings| choose(target, around).unwrap().context;
    assert_eq!(of(&target(&[&named], None), &home.listed(&[&listed])), "a");
    assert_eq!(of(&target(&[], None), &home.listed(&[&listed])), "b");
    assert_eq!(of(&target(&[], None), &home.around(&[])), "c");
}

#[test]
fn the_first_file_wins_a_name_whole_and_relative_paths_start_at_their_file() {
    let home = Home::new();
    let first = home.put("one/first", config("a", "''"));
    let again = config("a", "b").replace("a.example", "other.example")
        + &config("b", "b").replace("apiVersion: v1\nkind: Config\n", "---\n");
    let second = home.put("two/second", again.split("---\n").next().unwrap());
    let third = home.put("three/third", config("b", "a"));
    let nowhere = home.0.path().join("nowhere");
    let around = home.listed(&[&first, &nowhere, &second, &second, &third]);
    let chosen = choose(&target(&[], None), &around).unwrap();
    // The first that names a current context is the second file.
    assert_eq!((chosen.context.as_str(), chosen.server.host.as_str()), ("b", "b.example"));
    let chosen = choose(&target(&[], Some("a")), &around).unwrap();
    assert_eq!(chosen.server.host, "a.example");
    let Source::File { cluster, .. } = &chosen.source else { panic!("no file") };
    let ca = cluster.path(cluster.value.certificate_authority.as_deref().unwrap());
    assert_eq!(ca, home.0.path().join("one/pki/a.crt"));
}

#[test]
fn contexts_are_listed_with_server_user_and_the_current_one() {
    let home = Home::new();
    let first = home.put("first", config("a", "b"));
    let second = home.put("second", config("b", "a").replace("https://b.example:6443", "http://127.0.0.1:8001"));
    let broken =
        home.put("third", "contexts:\n- name: lost\n  context: {cluster: nowhere, user: nobody}\n- name: bare\n");
    let list = contexts_in(&target(&[&first, &second, &broken], None), &home.around(&[])).unwrap();
    let told: Vec<_> = list
        .iter()
        .map(|info| (info.name.as_str(), info.current, info.server.as_deref(), info.user.as_str(), info.proxy))
        .collect();
    assert_eq!(
        told,
        [
            ("a", false, Some("https://a.example:6443"), "a", None),
            ("b", true, Some("http://127.0.0.1:8001"), "b", Some("kubectl proxy")),
            ("lost", false, None, "nobody", None),
            ("bare", false, None, "", None),
        ]
    );
    assert_eq!(list[1].file.as_deref(), Some(second.as_path()));
}

#[test]
fn nothing_named_and_nothing_there_is_no_error_until_one_connects() {
    let home = Home::new();
    let none = target(&[], None);
    assert_eq!(contexts_in(&none, &home.around(&[])).unwrap(), []);
    assert_eq!(chosen_in(&none, &home.around(&[])).unwrap(), None);
    assert!(fails(&home, &none).message.contains("--kubeconfig"));
    home.put(".kube/config", "");
    assert_eq!(chosen_in(&none, &home.around(&[])).unwrap(), None);
    home.put(".kube/config", config("a", "''"));
    assert_eq!(chosen_in(&none, &home.around(&[])).unwrap(), None);
    assert_eq!(contexts_in(&none, &home.around(&[])).unwrap().len(), 1);
    assert!(fails(&home, &none).message.ends_with("--context: a"));
    assert_eq!(chosen_in(&target(&[], Some("a")), &home.around(&[])).unwrap().unwrap().name, "a");
}

#[test]
fn a_pod_speaks_with_its_own_cluster() {
    let home = Home::new();
    let around = home.around(&[("KUBERNETES_SERVICE_HOST", "fd00::1"), ("KUBERNETES_SERVICE_PORT", "443")]);
    let none = target(&[], None);
    assert_eq!(contexts_in(&none, &around).unwrap(), []);
    home.put("serviceaccount/token", "t");
    assert_eq!(chosen_in(&none, &around).unwrap().unwrap().server.as_deref(), Some("https://[fd00::1]:443"));
    let chosen = choose(&none, &around).unwrap();
    assert_eq!((chosen.context.as_str(), chosen.server.host.as_str()), ("in-cluster", "fd00::1"));
    assert!(choose(&target(&[], Some("prod")), &around).unwrap_err().message.contains("\"prod\""));
    home.put(".kube/config", config("a", "a"));
    assert_eq!(choose(&none, &around).unwrap().context, "a");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let home = Home::new();
    let nowhere = home.0.path().join("nowhere");
    let error = fails(&home, &target(&[&nowhere], None));
    assert_eq!(error.reason, Reason::Unreachable);
    assert!(
        error.message.contains(nowhere.to_str().unwrap()) && error.message.contains("--kubeconfig"),
        "{}",
        error.message
    );
    let around = home.listed(&[&nowhere, &home.0.path().join("nor-here")]);
    let error = contexts_in(&target(&[], None), &around).unwrap_err().message;
    assert!(error.contains("nowhere") && error.contains("nor-here") && error.contains("KUBECONFIG"), "{error}");
    let folder = fails(&home, &target(&[home.0.path()], None));
    assert!(folder.message.contains("a folder"), "{}", folder.message);
}

#[test]
fn a_wrong_context_is_answered_with_the_nearest_first() {
    let mut text = config("production", "production");
    for name in ["staging", "factory-north", "prod-west"] {
        text.push_str(&format!("- name: {name}\n  context: {{cluster: production, user: production}}\n"));
    }
    let message = says(&text, Some("prod-wset"));
    assert!(message.contains("There are: prod-west, production, "), "{message}");
    let message = says(&text, Some("Factory"));
    assert!(message.contains("There are: factory-north, "), "{message}");
    for number in 0..30 {
        text.push_str(&format!("- name: c{number}\n  context: {{cluster: production, user: production}}\n"));
    }
    assert!(says(&text, Some("zzz")).contains("and 26 more"));
    assert!(says(config("a", "gone"), None).contains("current-context \"gone\" does not exist"));
    assert!(says("kind: Config\n", None).contains("no context"));
    assert!(says("kind: Config\n", Some("a")).contains("nor any other"));
}

#[test]
fn what_a_context_lacks_is_named() {
    let context = |text: &str| config("a", "a").replace("{cluster: a, user: a}", text);
    assert!(says(context("{user: a}"), None).contains("names no cluster"));
    assert!(says(context("{cluster: x, user: a}"), None).contains("the cluster \"x\""));
    assert!(says(context("{cluster: a, user: x}"), None).contains("the user \"x\""));
    assert!(says(config("a", "a").replace("server: 'https://a.example:6443', ", ""), None).contains("no `server`"));
}

#[test]
fn broken_files_are_told_with_the_line_and_none_of_their_text() {
    let broken = config("a", "a").replace("users:\n", "users: [geheim\n");
    let message = says(&broken, None);
    assert!(message.contains("at line "), "{message}");
    assert!(says("users:\n- name: a\n  user: {token: [geheim]}\n", None).contains("line 3"));
    assert!(says("clusters: geheim\n", None).contains("line 1"));
    assert!(says("kind: Pod\napiVersion: v1\n", None).contains("another kind"));
    assert!(says(b"\x00\xff\xfe\x80", None).contains("not text"));
    assert!(says("a: &a [x]\nb: [*a, *a]\nclusters: [geheim", None).contains("line"));
    let doubled = config("a", "a") + "- name: a\n  context: {cluster: a, user: a}\n";
    assert!(says(doubled, None).contains("two entries are named \"a\""));
    assert!(says("users:\n- user: {}\n", None).contains("no name"));
    assert!(says("contexts: []\ncontexts: []\n", None).contains("line 2"));
}

#[test]
fn a_huge_file_is_not_read() {
    let home = Home::new();
    let path = home.put("config", vec![b'#'; (8 << 20) + 1]);
    assert_eq!(fails(&home, &target(&[&path], None)).reason, Reason::TooLarge);
    // A bomb of aliases is small on disk.
    let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for level in 1..12 {
        let below = format!("*a{},", level - 1).repeat(9);
        bomb.push_str(&format!("a{level}: &a{level} [{}]\n", below.trim_end_matches(',')));
    }
    let path = home.put("bomb", bomb);
    assert!(choose(&target(&[&path], None), &home.around(&[])).is_err());
}

#[test]
fn forms_that_kubectl_reads_are_read() {
    let odd = "apiVersion: v1\nkind: Config\npreferences: {}\nclusters:\n- cluster:\n    server: https://a:6443\n    extensions: null\n  name: 1\ncontexts:\n- context:\n    cluster: 1\n    user: 2\n    namespace: null\n  name: 007\ncurrent-context: 007\nusers:\n- name: 2\n  user:\n    username: 12\n    password: 3456\n    auth-provider: {name: gcp, config: null}\n    exec: {command: x, args: null, env: null, interactiveMode: Never, provideClusterInfo: false}\nunknown: [1, 2]\n";
    let home = Home::new();
    let path = home.put("config", odd);
    let chosen = choose(&target(&[&path], None), &home.around(&[])).unwrap();
    assert_eq!(chosen.context, "007");
    let Source::File { user, .. } = &chosen.source else { panic!("no file") };
    assert_eq!(kept(user.1.value.password.as_ref()), Some("3456"));
    // As PowerShell writes it, and as JSON.
    let wide: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(config("a", "a").encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let path = home.put("wide", wide);
    assert_eq!(choose(&target(&[&path], None), &home.around(&[])).unwrap().context, "a");
    let json = r#"{"clusters":[{"name":"a","cluster":{"server":"https://a"}}],"contexts":[{"name":"a","context":{"cluster":"a","user":""}}],"current-context":"a","users":null}"#;
    let path = home.put("json", json);
    assert_eq!(choose(&target(&[&path], None), &home.around(&[])).unwrap().server.port, 443);
}

#[cfg(unix)]
#[test]
fn secrets_are_not_in_what_a_program_prints_of_itself() {
    let home = Home::new();
    let exec = "exec: {command: x, args: [geheim], env: [{name: A, value: geheim}]}, auth-provider: {name: oidc, config: {id-token: geheim}}";
    let text = config("a", "a").replace("{token: geheim-a}", &format!("{{token: geheim-a, {exec}}}"));
    let path = home
        .put("config", text.replace("certificate-authority", "proxy-url: 'http://u:geheim@p', certificate-authority"));
    let chosen = choose(&target(&[&path], None), &home.around(&[])).unwrap();
    assert!(!format!("{chosen:?}").contains("geheim"));
}
