//! Trust: every way in which a server is not to be believed has its own sentence.

use super::peers::*;
use openssl::ssl::{SslAcceptor, SslMethod, SslVerifyMode};
use sitewarden::evidence::Reason;
use std::sync::Arc;

fn days(from: i64, until: i64) -> Form {
    Form { from, until, ..Form::server() }
}

/// A TLS server with a certificate; `ahead`: its clock, in days from now.
fn server(pair: &Pair, ahead: i64) -> u16 {
    serve(Some(pair.acceptor(None)), move |_, stream| {
        let at = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * ahead);
        let date = at.strftime("%a, %d %b %Y %H:%M:%S GMT");
        send(stream, "200 OK", &format!("Date: {date}\r\n"), VERSION)
    })
}

fn said(port: u16, ca: &Pair) -> String {
    let error = Config::tls(port, ca, "").fails(PATIENT);
    assert_eq!(error.reason, Reason::Unreachable, "{}", error.message);
    assert!(error.message.starts_with(&format!("https://127.0.0.1:{port}: ")), "{}", error.message);
    error.message
}

#[test]
fn a_server_of_the_named_ca_is_trusted() {
    let ca = Pair::new(&Form::ca(), None);
    let port = server(&Pair::new(&Form::server(), Some(&ca)), 0);
    let api = Config::tls(port, &ca, "").connect(PATIENT).unwrap();
    assert_eq!(api.server(), format!("https://127.0.0.1:{port}"));
    assert!((api.clock().unwrap() - jiff::Timestamp::now()).get_seconds().abs() < 86_400);
    assert!(!api.is_unverified() && api.proxy().is_none());
}

#[test]
fn a_leaf_named_as_ca_is_trusted_as_go_trusts_it() {
    let ca = Pair::new(&Form::ca(), None);
    let leaf = Pair::new(&Form::server(), Some(&ca));
    assert!(Config::tls(server(&leaf, 0), &leaf, "").connect(PATIENT).is_ok());
    let own = Pair::new(&Form::server(), None);
    assert!(Config::tls(server(&own, 0), &own, "").connect(PATIENT).is_ok());
    // But not every leaf.
    assert!(said(server(&Pair::new(&Form::server(), Some(&ca)), 0), &leaf).contains("not issued by the CA"));
}

#[test]
fn another_ca_is_not_trusted() {
    let (ca, other) = (Pair::new(&Form::ca(), None), Pair::new(&Form::ca(), None));
    let port = server(&Pair::new(&Form::server(), Some(&ca)), 0);
    assert!(said(port, &other).contains("not issued by the CA in "));
    let named_none = Config::new(&format!("server: 'https://127.0.0.1:{port}'"), "");
    let message = named_none.fails(PATIENT).message;
    assert!(
        message.contains("a CA that this machine trusts") || message.contains("no list of trusted CAs"),
        "{message}"
    );
}

#[test]
fn an_expired_certificate_is_told_from_a_wrong_clock() {
    let ca = Pair::new(&Form { from: -100, ..Form::ca() }, None);
    let expired = Pair::new(&days(-50, -20), Some(&ca));
    let message = said(server(&expired, 0), &ca);
    assert!(message.contains("expired on ") && message.contains("kubeadm certs renew"), "{message}");
    // The server's clock says that it is valid.
    let message = said(server(&expired, -30), &ca);
    assert!(message.contains("Set this machine's clock"), "{message}");
    let message = said(server(&expired, -90), &ca);
    assert!(message.contains("expired on "), "{message}");
}

#[test]
fn a_certificate_that_is_not_yet_valid_is_told_from_a_wrong_clock() {
    let ca = Pair::new(&Form::ca(), None);
    let early = Pair::new(&days(5, 300), Some(&ca));
    let message = said(server(&early, 0), &ca);
    assert!(message.contains("not valid before") && message.contains("Check both clocks"), "{message}");
    let message = said(server(&early, 10), &ca);
    assert!(message.contains("Set this machine's clock"), "{message}");
    let old_ca = Pair::new(&Form { from: -100, until: -1, ..Form::ca() }, None);
    let message = said(server(&Pair::new(&Form::server(), Some(&old_ca)), 0), &old_ca);
    assert!(message.contains("certificate of its CA expired"), "{message}");
}

#[test]
fn a_certificate_for_another_name_says_for_which() {
    let ca = Pair::new(&Form::ca(), None);
    let names = vec!["10.9.8.7", "api.site.example", "evil\u{1b}[2J.example"];
    let pair = Pair::new(&Form { names, ..Form::server() }, Some(&ca));
    let port = server(&pair, 0);
    let message = said(port, &ca);
    assert!(message.contains("not for 127.0.0.1, but for 10.9.8.7, api.site.example. "), "{message}");
    assert!(!message.contains('\u{1b}') && !message.contains("evil"), "{message}");
    let cluster = format!("server: 'https://127.0.0.1:{port}', certificate-authority-data: {}", data(&ca.pem()));
    assert!(Config::new(&format!("{cluster}, tls-server-name: api.site.example"), "").connect(PATIENT).is_ok());
    let wrong = Config::new(&format!("{cluster}, tls-server-name: other.example"), "").fails(PATIENT).message;
    assert!(wrong.contains("not for other.example"), "{wrong}");
    // The common name counts for nothing, as Go has it.
    let nameless = Pair::new(&Form { name: "127.0.0.1", names: vec![], ..Form::server() }, Some(&ca));
    assert!(said(server(&nameless, 0), &ca).contains("not for 127.0.0.1"));
}

#[test]
fn nobody_is_checked_where_the_kubeconfig_says_so() {
    let pair = Pair::new(&days(-50, -20), None);
    let port = server(&pair, 0);
    let config = Config::new(&format!("server: 'https://127.0.0.1:{port}', insecure-skip-tls-verify: true"), "");
    assert!(config.connect(PATIENT).unwrap().is_unverified());
}

#[test]
fn plain_http_and_tls_in_each_others_place_are_told() {
    let ca = Pair::new(&Form::ca(), None);
    // As Go's server answers what is no request.
    let plain = listen(|mut stream| {
        let _ = std::io::Read::read(&mut stream, &mut [0; 1024]);
        send(&mut stream, "400 Bad Request", "", b"");
    });
    assert!(said(plain, &ca).contains("does not speak TLS"));
    let talkative = listen(|mut stream| {
        let _ = std::io::Write::write_all(&mut stream, b"SSH-2.0-OpenSSH_9.6\r\n");
        let mut rest = Vec::new();
        let _ = std::io::Read::read_to_end(&mut stream, &mut rest);
    });
    assert!(said(talkative, &ca).contains("does not speak TLS"));
    let tls = server(&Pair::new(&Form::server(), Some(&ca)), 0);
    let message = Config::plain(tls, "").fails(PATIENT).message;
    assert!(message.contains("connection was cut") || message.contains("https://"), "{message}");
    let as_go = serve(None, |_, stream| {
        let body = "Client sent an HTTP request to an HTTPS server.\n";
        let head = format!("HTTP/1.0 400 Bad Request\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(head.as_bytes()).is_err()
    });
    assert!(Config::plain(as_go, "").fails(PATIENT).message.contains("Write `server` with https://"));
}

#[test]
fn a_handshake_that_is_not_answered_ends_by_the_deadline() {
    let ca = Pair::new(&Form::ca(), None);
    let silent = listen(|mut stream| {
        let mut rest = Vec::new();
        let _ = std::io::Read::read_to_end(&mut stream, &mut rest);
    });
    let error = Config::tls(silent, &ca, "").fails(HASTY);
    assert_eq!(error.reason, Reason::Timeout);
    assert!(error.message.contains("accepted, and then nothing came"), "{}", error.message);
    let closing = listen(drop);
    assert!(said(closing, &ca).contains("ended during the TLS handshake"));
}

#[test]
fn too_old_a_version_of_tls_is_told() {
    let ca = Pair::new(&Form::ca(), None);
    let pair = Pair::new(&Form::server(), Some(&ca));
    let mut old = SslAcceptor::mozilla_intermediate(SslMethod::tls()).unwrap();
    old.set_certificate(&pair.certificate).unwrap();
    old.set_private_key(&pair.key).unwrap();
    old.set_cipher_list("ALL:@SECLEVEL=0").unwrap();
    old.set_min_proto_version(Some(openssl::ssl::SslVersion::TLS1)).unwrap();
    old.set_max_proto_version(Some(openssl::ssl::SslVersion::TLS1_1)).unwrap();
    let port = serve(Some(Arc::new(old.build())), |_, stream| send(stream, "200 OK", "", VERSION));
    assert!(said(port, &ca).contains("no TLS version or cipher in common"));
}

#[test]
fn a_damaged_ca_is_told_with_file_and_number() {
    let ca = Pair::new(&Form::ca(), None);
    let port = server(&Pair::new(&Form::server(), Some(&ca)), 0);
    let folder = tempfile::tempdir().unwrap();
    let bundle = format!("{}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", ca.pem());
    std::fs::write(folder.path().join("ca.crt"), bundle).unwrap();
    let cluster = format!("server: 'https://127.0.0.1:{port}', certificate-authority: ca.crt");
    let message = Config::in_folder(folder, &cluster, "").fails(PATIENT).message;
    assert!(message.contains("ca.crt") && message.contains("number 2"), "{message}");
    let message = Config::new(&cluster, "").fails(PATIENT).message;
    assert!(message.contains("ca.crt") && message.contains("no such file"), "{message}");
    let message =
        Config::new("server: 'https://127.0.0.1:1', certificate-authority-data: '%%%'", "").fails(PATIENT).message;
    assert!(message.contains("no base64"), "{message}");
    // One that stands among good ones and is not needed does no harm.
    let both = format!("{}{}", Pair::new(&Form::ca(), None).pem(), ca.pem());
    let cluster = format!("server: 'https://127.0.0.1:{port}', certificate-authority-data: {}", data(&both));
    assert!(Config::new(&cluster, "").connect(PATIENT).is_ok());
}

#[test]
fn a_server_that_wants_a_client_certificate_says_so() {
    let ca = Pair::new(&Form::ca(), None);
    let pair = Pair::new(&Form::server(), Some(&ca));
    let mut strict = SslAcceptor::mozilla_modern_v5(SslMethod::tls()).unwrap();
    strict.set_certificate(&pair.certificate).unwrap();
    strict.set_private_key(&pair.key).unwrap();
    strict.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    strict.cert_store_mut().add_cert(ca.certificate.clone()).unwrap();
    let port = serve(Some(Arc::new(strict.build())), |_, stream| send(stream, "200 OK", "", VERSION));
    let error = Config::tls(port, &ca, "").fails(PATIENT);
    assert_eq!(error.reason, Reason::Forbidden, "{}", error.message);
    assert!(error.message.contains("wants a client certificate"), "{}", error.message);
    let user = |pair: &Pair| {
        format!("client-certificate-data: {}, client-key-data: {}", data(&pair.pem()), data(&pair.key_pem()))
    };
    let form = Form { name: "jane", names: vec![], ..Form::server() };
    assert!(Config::tls(port, &ca, &user(&Pair::new(&form, Some(&ca)))).connect(PATIENT).is_ok());
    let error = Config::tls(port, &ca, &user(&Pair::new(&form, None))).fails(PATIENT);
    assert!(error.message.contains("does not accept the client certificate"), "{}", error.message);
    let error =
        Config::tls(port, &ca, &user(&Pair::new(&Form { from: -9, until: -2, ..form }, Some(&ca)))).fails(PATIENT);
    assert!(error.message.contains("has expired"), "{}", error.message);
}

/// Run by the test below, in a process with a variable of its own.
#[test]
fn helper_with_a_list_of_trusted_cas() {
    let Some(file) = std::env::var_os("TRUST_HELPER_CONFIG") else { return };
    let target = sitewarden::site::ClusterTarget { kubeconfig: vec![file.into()], ..Default::default() };
    let done = sitewarden::kubeapi::block_on(sitewarden::kubeapi::Api::connect(&target, PATIENT)).unwrap();
    let word = done.map_or_else(|error| error.message, |_| "TRUSTED".to_owned());
    std::io::Write::write_all(&mut std::io::stderr(), word.as_bytes()).unwrap();
}

#[test]
fn the_machines_cas_count_only_where_the_kubeconfig_names_none() {
    let (ca, other) = (Pair::new(&Form::ca(), None), Pair::new(&Form::ca(), None));
    let port = server(&Pair::new(&Form::server(), Some(&ca)), 0);
    let said = |config: &Config| {
        let list = config.put("list.pem", ca.pem());
        let done = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tls::helper_with_a_list_of_trusted_cas", "--nocapture"])
            .env("TRUST_HELPER_CONFIG", &config.target.kubeconfig[0])
            .env("SSL_CERT_FILE", list)
            .output()
            .unwrap();
        String::from_utf8_lossy(&done.stderr).into_owned()
    };
    let none = said(&Config::new(&format!("server: 'https://127.0.0.1:{port}'"), ""));
    assert!(none.contains("TRUSTED"), "{none}");
    let named = said(&Config::tls(port, &other, ""));
    assert!(named.contains("not issued by the CA in "), "{named}");
}
