//! As whom one speaks: what the kubeconfig holds, and what is wrong with it.

use super::peers::*;
use sitewarden::evidence::Reason;
use std::sync::{Arc, Mutex};

/// A server that keeps the heads of what it is asked.
fn keeper(status: &'static str) -> (u16, Arc<Mutex<Vec<String>>>) {
    let heads = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&heads);
    let port = serve(None, move |request, stream| {
        kept.lock().unwrap().push(request.head.clone());
        send(stream, status, "", VERSION)
    });
    (port, heads)
}

/// How a user logs in, and the head that was sent.
fn sent(user: &str) -> (String, String) {
    let (port, heads) = keeper("200 OK");
    let api = Config::plain(port, user).connect(PATIENT).unwrap();
    let head = heads.lock().unwrap().join("").to_lowercase();
    (api.login().to_owned(), head)
}

fn wrong(user: &str) -> String {
    let error = Config::new("server: 'https://127.0.0.1:1', insecure-skip-tls-verify: true", user).fails(PATIENT);
    assert!(error.message.contains("/config"), "the file is not named: {}", error.message);
    error.message
}

#[test]
fn tokens_and_passwords_are_sent() {
    let (login, head) = sent("token: abc.def");
    assert_eq!((login.as_str(), head.contains("authorization: bearer abc.def\r\n")), ("token", true));
    let (login, head) = sent("username: jane, password: '12:34'");
    let pair = data("jane:12:34").to_lowercase();
    assert_eq!((login.as_str(), head.contains(&format!("authorization: basic {pair}\r\n"))), ("password", true));
    assert_eq!(sent("").0, "no credentials");
    let (login, head) = sent("auth-provider: {name: oidc, config: {id-token: tok}}");
    assert_eq!((login.as_str(), head.contains("bearer tok")), ("token of oidc", true));
}

#[test]
fn a_token_in_a_file_is_read_and_read_again_when_it_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    std::fs::write(&path, "old\n").unwrap();
    let renewed = path.clone();
    let port = serve(None, move |request, stream| match request.header("authorization") {
        Some("Bearer new") => send(stream, "200 OK", "", VERSION),
        _ => {
            std::fs::write(&renewed, "new\n").unwrap();
            send(stream, "401 Unauthorized", "", b"{}")
        }
    });
    let config = Config::in_folder(folder, &format!("server: 'http://127.0.0.1:{port}'"), "tokenFile: token");
    assert_eq!(config.connect(PATIENT).unwrap().login(), "token file");
    std::fs::write(&path, "\n").unwrap();
    assert!(config.fails(PATIENT).message.contains("it is empty"));
    std::fs::remove_file(&path).unwrap();
    assert!(config.fails(PATIENT).message.contains("no such file"));
}

#[test]
fn one_may_act_as_another() {
    let (login, head) = sent(
        "token: t, as: 'jane@example', as-uid: 12, as-groups: [dev, 'system:masters'], as-user-extra: {'Reason/x': [a, b]}",
    );
    assert_eq!(login, "token, as jane@example");
    for line in [
        "impersonate-user: jane@example",
        "impersonate-uid: 12",
        "impersonate-group: dev",
        "impersonate-group: system:masters",
        "impersonate-extra-reason%2fx: a",
        "impersonate-extra-reason%2fx: b",
    ] {
        assert!(head.contains(&format!("{line}\r\n")), "{line}: {head}");
    }
    assert!(wrong("token: t, as-groups: [dev]").contains("`as` names nobody"));
    assert!(wrong("token: t, as: \"a\\nb\"").contains("`as` holds characters"));
}

#[test]
fn what_is_wrong_with_a_login_is_told() {
    assert!(wrong("token: geheim, username: a").contains("both a token and a password"));
    assert!(wrong("token: \"geheim\\n2\"").contains("cannot be sent"));
    assert!(wrong("auth-provider: {name: azure, config: null}").contains("kubelogin convert-kubeconfig"));
    assert!(wrong("auth-provider: {name: gcp}").contains("gke-gcloud-auth-plugin"));
    assert!(wrong("auth-provider: {name: oidc, config: {}}").contains("no id-token"));
    assert!(wrong("auth-provider: {name: odd}").contains("\"odd\""));
    assert!(wrong("exec: {command: x}, auth-provider: {name: gcp}").contains("both `exec` and `auth-provider`"));
    assert!(wrong("client-certificate: a.crt").contains("without a key"));
    assert!(wrong("client-key: a.key").contains("without a certificate"));
}

#[test]
fn client_certificates_that_are_no_good_are_told() {
    let ca = Pair::new(&Form::ca(), None);
    let client = Pair::new(&Form { name: "jane", names: vec![], ..Form::server() }, Some(&ca));
    let other = Pair::new(&Form::ca(), None);
    let user = |certificate: &str, key: &str| {
        format!("client-certificate-data: {}, client-key-data: {}", data(certificate), data(key))
    };
    assert!(wrong(&user(&client.pem(), &other.key_pem())).contains("does not belong to the certificate"));
    assert!(wrong(&user("geheim", &client.key_pem())).contains("no certificate in PEM"));
    assert!(wrong(&user(&client.pem(), "geheim")).contains("no private key in PEM"));
    assert!(wrong("client-certificate-data: '%', client-key-data: '%'").contains("no base64"));
    let cipher = openssl::symm::Cipher::aes_256_cbc();
    let locked = client.key.private_key_to_pem_pkcs8_passphrase(cipher, b"word").unwrap();
    assert!(wrong(&user(&client.pem(), &String::from_utf8(locked).unwrap())).contains("passphrase"));
    assert!(wrong("client-certificate: nowhere.crt, client-key: nowhere.key").contains("nowhere.crt"));
}

#[test]
fn a_login_that_is_not_accepted_says_who_and_what_to_do() {
    let says = |user: &str| {
        let (port, _) = keeper("401 Unauthorized");
        let error = Config::plain(port, user).fails(PATIENT);
        assert_eq!((error.reason, error.status), (Reason::Forbidden, Some(401)));
        error.message
    };
    assert!(says("token: geheim").contains("does not accept the token of the context \"here\""));
    assert!(says("").contains("has no credentials"));
    let claims = data(r#"{"exp":1700000000}"#);
    let message = says(&format!("token: h.{}.s", claims.trim_end_matches('=')));
    assert!(message.contains("expired on 2023-11-14"), "{message}");
}

#[test]
fn an_expired_client_certificate_is_named_as_such() {
    let ca = Pair::new(&Form { from: -400, ..Form::ca() }, None);
    let server = Pair::new(&Form::server(), Some(&ca));
    let port = serve(Some(server.acceptor(Some(&ca))), |_, stream| send(stream, "401 Unauthorized", "", b"{}"));
    for (until, words) in [(-5, "expired on "), (5, "is of another cluster, or the cluster's CA was renewed")] {
        let client = Pair::new(&Form { name: "jane", from: -300, until, names: vec![], ..Form::server() }, Some(&ca));
        let user =
            format!("client-certificate-data: {}, client-key-data: {}", data(&client.pem()), data(&client.key_pem()));
        let error = Config::tls(port, &ca, &user).fails(PATIENT);
        assert_eq!(error.reason, Reason::Forbidden);
        assert!(error.message.contains(words) && error.message.contains("/config"), "{}", error.message);
    }
}

#[test]
fn a_login_never_goes_over_the_network_unencrypted() {
    // 192.0.2.0/24 is nobody's (RFC 5737); nothing is sent there.
    let error = Config::new("server: 'http://192.0.2.1:8080'", "token: geheim").fails(PATIENT);
    assert_eq!(error.reason, Reason::Unsupported);
    assert!(error.message.contains("unencrypted"), "{}", error.message);
}

#[test]
fn a_certificate_of_ones_own_is_sent() {
    let ca = Pair::new(&Form::ca(), None);
    let server = Pair::new(&Form::server(), Some(&ca));
    let client = Pair::new(&Form { name: "jane", names: vec![], ..Form::server() }, Some(&ca));
    let seen = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&seen);
    let acceptor = server.acceptor(Some(&ca));
    let port = listen(move |stream| {
        let Ok(mut stream) = acceptor.accept(stream) else { return };
        *keep.lock().unwrap() = stream.ssl().peer_certificate().map(|peer| format!("{:?}", peer.subject_name()));
        while request(&mut stream).is_some() {
            send(&mut stream, "200 OK", "", VERSION);
        }
    });
    let config = Config::tls(port, &ca, "client-certificate: jane.crt, client-key: jane.key");
    config.put("jane.crt", client.pem());
    config.put("jane.key", client.key_pem());
    assert_eq!(config.connect(PATIENT).unwrap().login(), "client certificate");
    assert!(seen.lock().unwrap().as_deref().unwrap().contains("jane"));
}
