//! Programs that give credentials, and those that misbehave.

use super::peers::*;
use sitewarden::evidence::Reason;
use sitewarden::kubeapi::{ApiError, LoginHint, login};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const V1: &str = "client.authentication.k8s.io/v1";

/// A server that accepts these tokens and keeps which were sent.
fn accepting(tokens: &'static [&'static str]) -> (u16, Arc<Mutex<Vec<String>>>) {
    let sent = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&sent);
    let port = serve(None, move |request, stream| {
        let given = request.header("authorization").unwrap_or_default().trim_start_matches("Bearer ").to_owned();
        let good = tokens.contains(&given.as_str());
        kept.lock().unwrap().push(given);
        if good { send(stream, "200 OK", "", VERSION) } else { send(stream, "401 Unauthorized", "", b"{}") }
    });
    (port, sent)
}

/// A kubeconfig whose user logs in by this shell script. `$D` is the kubeconfig's folder.
fn by_script(port: u16, script: &str, more: &str) -> Config {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plugin");
    let text = format!("#!/bin/sh\nD={}\n{script}\n", folder.path().display());
    // Written under another name: a file that some other thread's child still holds open for writing cannot be run.
    std::fs::write(folder.path().join("new"), text).unwrap();
    std::fs::set_permissions(folder.path().join("new"), std::fs::Permissions::from_mode(0o755)).unwrap();
    Command::new("cp").arg("-p").arg(folder.path().join("new")).arg(&path).status().unwrap();
    let user = format!("exec: {{apiVersion: {V1}, command: ./plugin, interactiveMode: IfAvailable{more}}}");
    Config::in_folder(folder, &format!("server: 'http://127.0.0.1:{port}'"), &user)
}

/// A script that prints a credential.
fn gives(status: &str) -> String {
    format!(
        r#"cat <<'END'
{{"kind":"ExecCredential","apiVersion":"{V1}","status":{status}}}
END"#
    )
}

fn fails(script: &str, more: &str) -> ApiError {
    by_script(accepting(&[]).0, script, more).fails(PATIENT)
}

fn lines(config: &Config, name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(config.folder.path().join(name)).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_token_is_taken_and_kept_as_long_as_it_holds() {
    let (port, sent) = accepting(&["t1"]);
    let script =
        format!("echo run >> $D/runs\n{}", gives(r#"{"token":"t1","expirationTimestamp":"2999-01-01T00:00:00Z"}"#));
    let config = by_script(port, &script, "");
    assert_eq!(config.connect(PATIENT).unwrap().login(), "exec plugin");
    assert!(config.connect(PATIENT).is_ok());
    assert_eq!((lines(&config, "runs").len(), sent.lock().unwrap().join(" ")), (1, "t1 t1".to_owned()));
    // One that has expired is not used again.
    let script =
        format!("echo run >> $D/runs\n{}", gives(r#"{"token":"t1","expirationTimestamp":"2020-01-01T00:00:00Z"}"#));
    let config = by_script(port, &script, "");
    assert!(config.connect(PATIENT).is_ok() && config.connect(PATIENT).is_ok());
    assert_eq!(lines(&config, "runs").len(), 2);
}

#[test]
fn it_runs_anew_once_when_the_server_says_401() {
    let script = format!(
        "echo run >> $D/runs\nn=$(wc -l < $D/runs)\n{}",
        gives(r#"{"token":"t$N"}"#).replace("'END'", "END").replace("$N", "$((n))")
    );
    let (port, sent) = accepting(&["t2"]);
    let config = by_script(port, &script, "");
    assert!(config.connect(PATIENT).is_ok());
    assert_eq!(sent.lock().unwrap().join(" "), "t1 t2");
    let (port, sent) = accepting(&[]);
    let config = by_script(port, &script, "");
    let error = config.fails(PATIENT);
    assert_eq!((error.reason, error.status, lines(&config, "runs").len()), (Reason::Forbidden, Some(401), 2));
    assert!(error.message.contains("what plugin gives") && error.message.contains("Log in anew"), "{}", error.message);
    assert_eq!(sent.lock().unwrap().join(" "), "t1 t2");
}

#[test]
fn it_is_told_what_the_contract_says() {
    let (port, _) = accepting(&["t"]);
    let script = format!(
        "printf %s \"$KUBERNETES_EXEC_INFO\" > $D/info; printf '%s\\n' \"$OWN\" \"$#\" \"$@\" > $D/args\n{}",
        gives(r#"{"token":"t"}"#)
    );
    let more = ", args: [get-token, 12, 'a b'], env: [{name: OWN, value: mine}], provideClusterInfo: true";
    let config = by_script(port, &script, more);
    let path = config.target.kubeconfig[0].clone();
    let text = std::fs::read_to_string(&path).unwrap();
    let extended = text.replace("cluster: {server", "cluster: {extensions: [{name: client.authentication.k8s.io/exec, extension: {audience: x}}], disable-compression: true, certificate-authority: ca.pem, server");
    assert_ne!(text, extended);
    std::fs::write(&path, extended).unwrap();
    config.put("ca.pem", "the CA");
    assert!(config.connect(PATIENT).is_ok());
    let info: serde_json::Value =
        serde_json::from_slice(&std::fs::read(config.folder.path().join("info")).unwrap()).unwrap();
    assert_eq!(
        info,
        serde_json::json!({
            "kind": "ExecCredential", "apiVersion": V1,
            "spec": {"interactive": false, "cluster": {
                "server": format!("http://127.0.0.1:{port}"), "disable-compression": true,
                "certificate-authority-data": data("the CA"), "config": {"audience": "x"}}}
        })
    );
    assert_eq!(lines(&config, "args"), ["mine", "3", "get-token", "12", "a b"]);
}

#[test]
fn it_may_give_a_certificate() {
    let ca = Pair::new(&Form::ca(), None);
    let server = Pair::new(&Form::server(), Some(&ca));
    let client = Pair::new(&Form { name: "jane", names: vec![], ..Form::server() }, Some(&ca));
    let acceptor = server.acceptor(Some(&ca));
    let port = listen(move |stream| {
        let Ok(mut stream) = acceptor.accept(stream) else { return };
        let known = stream.ssl().peer_certificate().is_some();
        while request(&mut stream).is_some() {
            if known {
                send(&mut stream, "200 OK", "", VERSION)
            } else {
                send(&mut stream, "401 Unauthorized", "", b"{}")
            };
        }
    });
    let status = serde_json::json!({"clientCertificateData": client.pem(), "clientKeyData": client.key_pem()});
    let config = by_script(port, &gives(&status.to_string()), "");
    let path = config.target.kubeconfig[0].clone();
    let cluster = format!("server: 'https://127.0.0.1:{port}', certificate-authority-data: {}", data(&ca.pem()));
    let text = std::fs::read_to_string(&path).unwrap().replace(&format!("server: 'http://127.0.0.1:{port}'"), &cluster);
    std::fs::write(&path, text).unwrap();
    assert!(config.connect(PATIENT).is_ok());
}

#[test]
fn it_has_no_terminal_and_nothing_to_read() {
    let (port, _) = accepting(&["t"]);
    let script = format!(
        "(exec < /dev/tty) 2>/dev/null && echo terminal >> $D/seen\nread line && echo \"read $line\" >> $D/seen\nps -o sid= -p $$ > $D/session\necho 'noise on stderr' >&2\n{}",
        gives(r#"{"token":"t"}"#)
    );
    let config = by_script(port, &script, "");
    assert!(config.connect(PATIENT).is_ok());
    assert_eq!(lines(&config, "seen"), Vec::<String>::new());
    let own = Command::new("ps").args(["-o", "sid=", "-p", &std::process::id().to_string()]).output().unwrap();
    let session = lines(&config, "session").join("");
    assert_ne!(session.trim(), String::from_utf8(own.stdout).unwrap().trim());
}

#[test]
fn what_it_prints_that_is_no_credential_is_told() {
    for (script, words) in [
        ("echo '<html>geheim</html>'".to_owned(), "something else"),
        ("true".to_owned(), "something else"),
        (gives("null"), "neither a token nor a certificate"),
        (gives("{}"), "neither a token nor a certificate"),
        (gives(r#"{"clientCertificateData":"geheim"}"#), "a certificate without a key"),
        (gives(r#"{"clientCertificateData":"geheim","clientKeyData":"geheim"}"#), "no certificate in PEM"),
        (gives(r#"{"token":"geheim","expirationTimestamp":"soon"}"#), "no time"),
        (gives(r#"{"token":"geheim"}"#).replace("/v1\"", "/v1beta1\""), "another kind or version"),
        (gives(r#"{"token":"geheim\n2"}"#), "cannot be sent"),
    ] {
        let error = fails(&script, "");
        assert_eq!(error.reason, Reason::Malformed, "{script}: {}", error.message);
        assert!(error.message.contains(words) && error.message.contains("/config"), "{script}: {}", error.message);
    }
    let error = fails("yes geheim", "");
    assert_eq!(error.reason, Reason::TooLarge, "{}", error.message);
    let error = fails("yes geheim | head -c 3000000 >&2; exit 1", "");
    assert_eq!(error.reason, Reason::Forbidden, "{}", error.message);
}

#[test]
fn a_failure_is_sorted_by_what_helps_and_never_quoted() {
    let says = |script: &str| {
        let error = fails(script, "");
        assert!(error.message.contains("plugin") && error.message.contains("/config"), "{}", error.message);
        (error.reason, error.message)
    };
    let (reason, message) = says("echo \"geheim: Please run 'az login'\" >&2; exit 1");
    assert_eq!(reason, Reason::Forbidden);
    assert!(message.contains("wants a login (exit status 1)"), "{message}");
    let (reason, message) = says("echo 'dial tcp: lookup login.example: no such host' >&2; exit 3");
    assert_eq!(reason, Reason::Unreachable);
    assert!(message.contains("this machine's network"), "{message}");
    let (reason, message) = says("exit 7");
    assert_eq!(reason, Reason::Forbidden);
    assert!(message.contains("failed (exit status 7)"), "{message}");
    assert_eq!(says("kill -9 $$").0, Reason::Forbidden);
}

#[test]
fn one_that_hangs_is_ended_with_all_that_it_started() {
    let script = "sleep 1000 & echo $! > $D/child; echo $$ > $D/self; wait";
    let config = by_script(accepting(&[]).0, script, "");
    let limits = sitewarden::kubeapi::ApiLimits { connect: Duration::from_secs(2), ..PATIENT };
    let error = config.fails(limits);
    assert_eq!(error.reason, Reason::Timeout);
    assert!(error.message.contains("no credentials within 2 s"), "{}", error.message);
    for name in ["child", "self"] {
        let id = lines(&config, name).join("");
        let lives = || {
            let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
            !stat.is_empty() && !stat.contains(") Z ")
        };
        let mut still = 100_000;
        while lives() && still > 0 {
            still -= 1;
            std::thread::yield_now();
        }
        assert!(still > 0, "{name} still runs");
    }
    // One that waits for a person to log in says that instead.
    let script = "echo 'To sign in, use a web browser' >&2; sleep 1000";
    let error = by_script(accepting(&[]).0, script, "").fails(limits);
    assert_eq!(error.reason, Reason::Forbidden);
    assert!(error.message.contains("wants a person at the terminal"), "{}", error.message);
}

#[test]
fn helpers_that_keep_its_output_open_hold_nobody_up() {
    let (port, _) = accepting(&["t"]);
    let config = by_script(port, &format!("sleep 60 &\n{}", gives(r#"{"token":"t"}"#)), "");
    assert!(config.connect(PATIENT).is_ok());
}

#[test]
fn one_that_is_not_there_is_named_with_the_hint_to_install_it() {
    let user =
        |more: &str| format!("exec: {{apiVersion: {V1}, command: no-such-kubelogin, interactiveMode: Never{more}}}");
    let error = Config::plain(1, &user(", installHint: \"brew install\\n  kubelogin\\e[2J\"")).fails(PATIENT);
    assert_eq!(error.reason, Reason::Unsupported);
    assert!(error.message.contains("the program no-such-kubelogin"), "{}", error.message);
    assert!(error.message.ends_with("install it: brew install kubelogin[2J"), "{}", error.message);
    assert!(Config::plain(1, &user("")).fails(PATIENT).message.ends_with("Install it, or fetch another kubeconfig"));
    // A file that may not be run is none either.
    let config = by_script(1, "true", "");
    let plugin: PathBuf = config.folder.path().join("plugin");
    std::fs::set_permissions(plugin, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(config.fails(PATIENT).reason, Reason::Unsupported);
}

#[test]
fn what_is_wrong_in_the_kubeconfig_is_told() {
    let says = |exec: &str| Config::plain(1, &format!("exec: {{{exec}}}")).fails(PATIENT).message;
    assert!(says(&format!("apiVersion: {V1}")).contains("names no command"));
    assert!(says("command: x").contains("apiVersion \"\""));
    assert!(says("command: x, apiVersion: client.authentication.k8s.io/v1alpha1").contains("Update x"));
    assert!(says(&format!("command: x, apiVersion: {V1}, interactiveMode: Maybe")).contains("\"Maybe\""));
    assert!(says(&format!("command: x, apiVersion: {V1}, env: [{{value: geheim}}]")).contains("no name"));
}

#[test]
fn one_that_always_wants_a_person_is_not_run() {
    let (port, _) = accepting(&["t"]);
    let config = by_script(port, "echo run >> $D/runs", "");
    let path = &config.target.kubeconfig[0];
    let text = std::fs::read_to_string(path).unwrap().replace("IfAvailable", "Always");
    std::fs::write(path, text).unwrap();
    let error = config.fails(PATIENT);
    assert_eq!((error.reason, lines(&config, "runs").len()), (Reason::Forbidden, 0));
    assert!(error.message.contains("wants a person at the terminal"), "{}", error.message);
    let hint = login(&config.target).unwrap();
    assert_eq!((hint.program.as_str(), hint.context.as_str()), ("plugin", "here"));
}

#[test]
fn who_must_log_in_hears_it_before() {
    let (port, sent) = accepting(&["t"]);
    // One that works: nobody need do anything, and connecting does not run it again.
    let config = by_script(port, &format!("echo run >> $D/runs\n{}", gives(r#"{"token":"t"}"#)), "");
    assert_eq!(login(&config.target), None);
    assert!(config.connect(PATIENT).is_ok());
    assert_eq!((lines(&config, "runs").len(), sent.lock().unwrap().len()), (1, 1));
    let config = by_script(port, "echo 'AADSTS50076: interaction required' >&2; exit 1", "");
    let LoginHint { message, .. } = login(&config.target).unwrap();
    assert!(message.contains("wants a login"), "{message}");
    // Where no login helps there is no hint.
    let offline = by_script(port, "echo 'dial tcp: no such host' >&2; exit 1", "");
    assert_eq!(login(&offline.target), None);
    assert_eq!(login(&Config::plain(port, "token: t").target), None);
}

/// Run by the tests below, in a process whose terminal is a pty: `login` or `connect`.
#[test]
fn helper_in_a_terminal() {
    let (Some(file), Ok(what)) = (std::env::var_os("HELPER_CONFIG"), std::env::var("HELPER")) else { return };
    let target = sitewarden::site::ClusterTarget { kubeconfig: vec![file.into()], ..Default::default() };
    if what == "login" {
        sitewarden::kubeapi::interactive_login(&target).unwrap();
    }
    sitewarden::kubeapi::block_on(sitewarden::kubeapi::Api::connect(&target, PATIENT)).unwrap().unwrap();
    std::io::Write::write_all(&mut std::io::stderr(), b"connected\n").unwrap();
}

/// Runs the helper on a pty, typing `answer` when it is asked for a password. What the terminal showed.
fn in_terminal(config: &Config, what: &str, answer: &str) -> String {
    use portable_pty::{CommandBuilder, PtySize, native_pty_system};
    use std::io::{Read as _, Write as _};
    let pty = native_pty_system().openpty(PtySize::default()).unwrap();
    let mut command = CommandBuilder::new(std::env::current_exe().unwrap());
    command.args(["--exact", "plugins::helper_in_a_terminal", "--nocapture"]);
    command.env("HELPER_CONFIG", &config.target.kubeconfig[0]);
    command.env("HELPER", what);
    let mut child = pty.slave.spawn_command(command).unwrap();
    drop(pty.slave);
    let mut reader = pty.master.try_clone_reader().unwrap();
    let mut writer = pty.master.take_writer().unwrap();
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    let mut answered = false;
    while let Ok(count @ 1..) = reader.read(&mut buffer) {
        seen.extend_from_slice(&buffer[..count]);
        if !answered && String::from_utf8_lossy(&seen).contains("Password: ") {
            answered = true;
            writer.write_all(answer.as_bytes()).unwrap();
        }
    }
    let status = child.wait().unwrap();
    let seen = String::from_utf8_lossy(&seen).into_owned();
    assert!(status.success() && seen.contains("connected"), "{seen}");
    seen
}

#[test]
fn it_cannot_draw_on_the_terminal_nor_read_from_it() {
    let (port, _) = accepting(&["t"]);
    let script = format!(
        "(echo DRAWN > /dev/tty) 2>/dev/null && echo wrote >> $D/seen\n(read word < /dev/tty) 2>/dev/null && echo read >> $D/seen\necho DRAWN >&2\n{}",
        gives(r#"{"token":"t"}"#)
    );
    let config = by_script(port, &script, "");
    let shown = in_terminal(&config, "connect", "");
    assert!(!shown.contains("DRAWN"), "{shown}");
    assert_eq!(lines(&config, "seen"), Vec::<String>::new());
}

#[test]
fn a_person_logs_in_with_the_terminal_before_the_screens() {
    let (port, _) = accepting(&["word"]);
    let script = r#"case "$KUBERNETES_EXEC_INFO" in *'"interactive":true'*) ;; *) echo 'please log in' >&2; exit 1 ;; esac
printf 'Password: ' >&2
read word
printf '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"%s"}}' "$word""#;
    let config = by_script(port, script, "");
    assert!(login(&config.target).is_some());
    // Without a terminal nobody can be asked.
    let none = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "plugins::helper_in_a_terminal", "--nocapture"])
        .envs([("HELPER", "login"), ("HELPER_CONFIG", config.target.kubeconfig[0].to_str().unwrap())])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(!none.status.success());
    assert!(in_terminal(&config, "login", "word\n").contains("Password: "));
}
