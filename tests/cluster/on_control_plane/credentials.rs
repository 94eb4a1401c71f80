//! Ways of not getting in, each told in a sentence.

use crate::bed::{Bed, Told, file, program, said};

/// What a scan says with a user's kubeconfig, and whether the cluster was reached.
fn refused(bed: &Bed, user: &str) -> String {
    // What its ports show to anybody needs no login, and is left out.
    let findings = bed.scan(&[bed.as_user(user), vec!["--no-endpoints".to_owned()]]);
    let cluster = findings.target("cluster");
    assert_eq!(cluster["reached"], false, "{user}: {cluster}");
    assert_eq!(findings.json["summary"]["incomplete"], true);
    assert_eq!(findings.json["summary"]["pass"], 0, "{user}: nothing was read");
    assert_eq!(findings.status, 3, "{user}: nothing failed, and nothing was seen");
    let message = cluster["errors"][0]["message"].as_str().unwrap_or_else(|| panic!("{user}: {cluster}"));
    assert!(
        !message.contains("kube::") && !message.contains("hyper") && !message.contains("error:"),
        "own words: {message}"
    );
    message.to_lowercase()
}

#[test]
fn an_expired_client_certificate() {
    let Some(bed) = Bed::control_plane("an_expired_client_certificate") else { return };
    let message = refused(&bed, "expired");
    assert!(message.contains("certificate") && message.contains("expired"), "{message}");
}

#[test]
fn a_certificate_authority_that_did_not_sign_the_server() {
    let Some(bed) = Bed::control_plane("a_certificate_authority_that_did_not_sign_the_server") else { return };
    let message = refused(&bed, "wrong-ca");
    assert!(message.contains("certificate"), "{message}");
}

#[test]
fn the_servers_own_certificate_as_its_authority() {
    let Some(bed) = Bed::control_plane("the_servers_own_certificate_as_its_authority") else { return };
    // As kubectl: what the kubeconfig trusts is trusted, be it the server's own. Else a clear word.
    let findings = bed.scan(&[bed.as_user("leaf-ca")]);
    let cluster = findings.target("cluster");
    if cluster["reached"] != true {
        assert!(cluster["errors"][0]["message"].as_str().unwrap().contains("certificate"), "{cluster}");
    }
}

#[test]
fn a_server_that_is_not_checked_is_told() {
    let Some(bed) = Bed::control_plane("a_server_that_is_not_checked_is_told") else { return };
    let admin = std::fs::read_to_string(&bed.as_user("admin")[1]).unwrap();
    let authority = admin.lines().find(|line| line.contains("certificate-authority-data:")).unwrap();
    let (indent, _) = authority.split_once("certificate-authority-data").unwrap();
    let unchecked = admin.replace(authority, &format!("{indent}insecure-skip-tls-verify: true"));
    let kubeconfig = bed.path("unchecked.yaml").display().to_string();
    std::fs::write(&kubeconfig, unchecked).unwrap();
    let checked = bed.scan(&[bed.as_user("admin")]);
    assert_eq!(checked.judged("cluster", "api-server-verified"), "pass");
    let findings = bed.scan(&[vec!["--kubeconfig".to_owned(), kubeconfig]]);
    assert_eq!(findings.judged("cluster", "api-server-verified"), "fail");
    let how = findings.json["cluster"]["caller"]["how"].as_str().unwrap();
    assert!(how.contains("not verified"), "{how}");
}

#[test]
fn a_port_where_nobody_listens() {
    let Some(bed) = Bed::control_plane("a_port_where_nobody_listens") else { return };
    let message = refused(&bed, "closed");
    assert!(message.contains(":1") && message.contains("refused"), "{message}");
}

#[test]
fn a_context_that_is_not_there_names_those_that_are() {
    let Some(bed) = Bed::control_plane("a_context_that_is_not_there_names_those_that_are") else { return };
    let mut args = vec!["scan".to_owned(), "--context".into(), "elsewhere".into()];
    args.extend(bed.as_user("admin"));
    let done = crate::bed::run(&args);
    assert_eq!(done.status.code(), Some(2));
    let said = said(&done);
    assert!(said.contains("elsewhere") && said.contains("kubernetes-admin@bed"), "{said}");
}

#[test]
fn a_plugin_that_logs_in() {
    let Some(bed) = Bed::control_plane("a_plugin_that_logs_in") else { return };
    let token = std::fs::read_to_string(bed.user("token")).unwrap();
    let line = token.lines().find_map(|line| line.trim().strip_prefix("token: ")).unwrap().to_owned();
    let credential = format!(
        r#"{{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{{"token":"{line}"}}}}"#
    );
    // It writes to the screen and reads from it; neither may reach the person.
    let plugin = program(
        bed.folder.path(),
        "plugin",
        &format!("#!/bin/sh\nprintf '\\033[31mplugin-noise' >&2\nread -r answer\ncat <<'END'\n{credential}\nEND\n"),
    );
    let with_plugin = token.replace(
        &format!("token: {line}"),
        &format!("exec: {{apiVersion: client.authentication.k8s.io/v1, command: {plugin}, interactiveMode: Never}}"),
    );
    let kubeconfig = file(bed.folder.path(), "by-plugin", &with_plugin);
    let done = crate::bed::run(&["scan", "--kubeconfig", &kubeconfig, "--format", "json"]);
    let findings = crate::support::Findings::read(&done);
    assert_eq!(findings.target("cluster")["reached"], true, "{}", findings.target("cluster"));
    assert!(!said(&done).contains("plugin-noise"), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(!said(&done).contains(&line), "the token is told");
}
