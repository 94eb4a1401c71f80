//! Scans of a real node: the verdicts change as its configuration does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use support::{Bed, Findings, sitewarden};

const HARDENED: &str = "PermitRootLogin no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitEmptyPasswords no
X11Forwarding no
MaxAuthTries 4
LoginGraceTime 60
Ciphers aes256-gcm@openssh.com,aes128-gcm@openssh.com,aes256-ctr
MACs hmac-sha2-512-etm@openssh.com,hmac-sha2-256-etm@openssh.com
KexAlgorithms curve25519-sha256,curve25519-sha256@libssh.org
HostbasedAuthentication no
IgnoreRhosts yes";

const SSHD: [&str; 10] = [
    "sshd-root-login",
    "sshd-password-authentication",
    "sshd-keyboard-interactive",
    "sshd-empty-passwords",
    "sshd-x11-forwarding",
    "sshd-max-auth-tries",
    "sshd-login-grace-time",
    "sshd-ciphers",
    "sshd-macs",
    "sshd-kex-algorithms",
];

fn verdicts(findings: &Findings) -> Vec<(&'static str, String)> {
    SSHD.into_iter().map(|control| (control, findings.verdict(control).to_owned())).collect()
}

fn expected(verdicts: [&str; 10]) -> Vec<(&'static str, String)> {
    SSHD.into_iter().zip(verdicts.map(str::to_owned)).collect()
}

#[test]
fn debian_as_it_comes() {
    let Some(bed) = Bed::up("debian_as_it_comes") else { return };
    let findings = bed.scan("ops");
    assert_eq!(
        verdicts(&findings),
        expected(["fail", "fail", "pass", "pass", "fail", "fail", "fail", "pass", "fail", "pass"])
    );
    assert_eq!(findings.verdict("ssh-off"), "fail");
    assert_eq!(findings.verdict("sshd-config-valid"), "pass");
    assert_eq!(findings.verdict("sshd-only-one"), "pass");
    assert_eq!(findings.verdict("node-os-in-support"), "pass", "{}", findings.of("node-os-in-support"));
    assert_eq!(findings.verdict("kubelet-anonymous-auth"), "not-applicable");
    assert_eq!(findings.verdict("physical-protection"), "manual");
    assert_eq!(findings.json["summary"]["incomplete"], false, "{}", findings.json["targets"]);
    assert_eq!(findings.status, 1);
}

#[test]
fn a_bad_configuration_fails_everywhere() {
    let Some(bed) = Bed::up("a_bad_configuration_fails_everywhere") else { return };
    let _drop_in = bed.sshd_drop_in(
        "00-bad.conf",
        "PermitRootLogin yes\nPasswordAuthentication yes\nKbdInteractiveAuthentication yes\nPermitEmptyPasswords yes\n\
         X11Forwarding yes\nMaxAuthTries 10\nLoginGraceTime 0\nCiphers +aes128-cbc\nMACs +hmac-md5\n\
         KexAlgorithms +diffie-hellman-group14-sha1",
    );
    let findings = bed.scan("ops");
    assert_eq!(verdicts(&findings), expected(["fail"; 10]));
    assert_eq!(findings.verdict("sshd-root-password"), "fail");
}

#[test]
fn a_hardened_configuration_passes() {
    let Some(bed) = Bed::up("a_hardened_configuration_passes") else { return };
    let _drop_in = bed.sshd_drop_in("00-site.conf", HARDENED);
    let findings = bed.scan("ops");
    assert_eq!(verdicts(&findings), expected(["pass"; 10]));
    assert_eq!(findings.verdict("ssh-off"), "fail");
}

#[test]
fn a_match_block_that_opens_a_back_door_for_one_address() {
    let Some(bed) = Bed::up("a_match_block_that_opens_a_back_door_for_one_address") else { return };
    let _hardened = bed.sshd_drop_in("00-site.conf", HARDENED);
    let _door = bed
        .sshd_drop_in("10-door.conf", "Match Address 203.0.113.7\n  PermitRootLogin yes\n  PasswordAuthentication yes");
    let findings = bed.scan("ops");
    // HARDENED stands first, and in sshd the first value wins only among those outside of Match.
    let failing = findings.items("sshd-root-login", "fail");
    assert!(!failing.is_empty() && failing.iter().all(|name| name.contains("203.0.113.7")), "{failing:?}");
    assert_eq!(findings.verdict("sshd-password-authentication"), "fail");
    assert_eq!(findings.verdict("sshd-x11-forwarding"), "pass");
}

#[test]
fn a_drop_in_that_loses_to_an_earlier_one() {
    let Some(bed) = Bed::up("a_drop_in_that_loses_to_an_earlier_one") else { return };
    let _cloud = bed.sshd_drop_in("50-cloud-init.conf", "PasswordAuthentication yes");
    let _late = bed.sshd_drop_in("99-hardening.conf", HARDENED);
    let findings = bed.scan("ops");
    assert_eq!(findings.verdict("sshd-password-authentication"), "fail");
    assert_eq!(findings.verdict("sshd-root-login"), "pass");
    let told = findings.of("sshd-password-authentication").to_string();
    assert!(told.contains("50-cloud-init.conf"), "the origin names the file that decides: {told}");
    assert!(told.contains("99-hardening.conf"), "and the one that loses: {told}");
}

#[test]
fn a_second_sshd_with_a_file_of_its_own() {
    let Some(bed) = Bed::up("a_second_sshd_with_a_file_of_its_own") else { return };
    let _hardened = bed.sshd_drop_in("00-site.conf", HARDENED);
    bed.sh("printf 'Port 2222\\nPermitRootLogin yes\\nPasswordAuthentication yes\\nHostKey /etc/ssh/ssh_host_ed25519_key\\n' > /etc/ssh/second_config
systemd-run --unit=second-sshd --service-type=notify /usr/sbin/sshd -D -f /etc/ssh/second_config");
    let findings = bed.scan("ops");
    bed.sh("systemctl stop second-sshd; rm /etc/ssh/second_config");
    let failing = findings.items("sshd-root-login", "fail");
    assert!(!failing.is_empty() && failing.iter().all(|name| name.contains("second_config")), "{failing:?}");
    assert_eq!(findings.verdict("sshd-only-one"), "fail");
}

#[test]
fn what_sshd_has_not_loaded_does_not_count() {
    let Some(bed) = Bed::up("what_sshd_has_not_loaded_does_not_count") else { return };
    // As if it had been written a while after the last reload; the test need not wait for that.
    let drop_in = bed.sshd_drop_in("00-site.conf", "PermitRootLogin yes");
    bed.sh("printf 'PermitRootLogin no\\n' > /etc/ssh/sshd_config.d/00-site.conf
touch -d '+60 seconds' /etc/ssh/sshd_config.d/00-site.conf");
    let findings = bed.scan("ops");
    assert_eq!(findings.verdict("sshd-root-login"), "unknown", "{}", findings.of("sshd-root-login"));
    bed.sh("touch /etc/ssh/sshd_config.d/00-site.conf; systemctl reload ssh");
    let loaded = bed.scan("ops");
    drop(drop_in);
    assert_eq!(loaded.verdict("sshd-root-login"), "pass", "{}", loaded.of("sshd-root-login"));
}

#[test]
fn a_login_without_sudo_knows_less_and_says_so() {
    let Some(bed) = Bed::up("a_login_without_sudo_knows_less_and_says_so") else { return };
    let findings = bed.scan("guest");
    for control in SSHD {
        assert_eq!(findings.verdict(control), "unknown", "{}", findings.of(control));
        assert_eq!(findings.of(control)["reason"], "forbidden", "{}", findings.of(control));
    }
    let root = bed.scan("ops");
    // Whatever the login without rights calls a pass or a fail, root sees likewise. Ports are many targets, and look the
    // same to every login.
    let all = findings.json["findings"].as_array().unwrap();
    let of_ports = |control: &str| all.iter().any(|one| one["control"] == control && one["scope"] == "endpoint");
    for control in findings.with("pass").into_iter().chain(findings.with("fail")) {
        if control != "ssh-authorized-keys-strong" && !of_ports(&control) {
            assert_eq!(findings.verdict(&control), root.verdict(&control), "{}", findings.of(&control));
        }
    }
}

#[test]
fn a_process_that_only_calls_itself_kubelet_or_sshd_gains_nothing() {
    let Some(bed) = Bed::up("a_process_that_only_calls_itself_kubelet_or_sshd_gains_nothing") else { return };
    bed.sh("install -o guest -m 755 /bin/sleep /tmp/kubelet
install -o guest -m 755 /bin/bash /tmp/sshd
systemd-run --unit=fake-kubelet --uid=guest /tmp/kubelet 1000
systemd-run --unit=fake-sshd --uid=guest /tmp/sshd -c 'exec -a \"sshd -f /etc/shadow\" sleep 1000'
systemd-run --unit=fake-kubelet-args --uid=guest /tmp/sshd -c 'exec -a kubelet sleep 1001 --config=/etc/shadow' || true");
    let file = std::env::temp_dir().join(format!("impostor-{}.json", std::process::id()));
    let mut args = vec!["collect".to_owned(), "-o".into(), file.display().to_string()];
    args.extend(bed.node_as("ops"));
    let done = sitewarden(&args);
    let findings = bed.scan("ops");
    bed.sh("systemctl stop fake-kubelet fake-sshd fake-kubelet-args 2>/dev/null || true; rm -f /tmp/kubelet /tmp/sshd");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let evidence = std::fs::read_to_string(&file).unwrap();
    assert!(!evidence.contains("root:$") && !evidence.contains("root:*:"), "the shadow file was read");
    assert_eq!(findings.verdict("kubelet-anonymous-auth"), "not-applicable");
    assert_eq!(findings.verdict("node-no-impostor-processes"), "fail");
}

#[test]
fn saved_evidence_gives_the_same_findings_to_the_byte() {
    let Some(bed) = Bed::up("saved_evidence_gives_the_same_findings_to_the_byte") else { return };
    let file = std::env::temp_dir().join(format!("evidence-{}.json", std::process::id()));
    let mut args = vec!["collect".to_owned(), "-o".into(), file.display().to_string()];
    args.extend(bed.node_as("ops"));
    assert!(sitewarden(&args).status.success());
    let path = file.display().to_string();
    let run = |as_of: &str, format: &str| {
        sitewarden(&["scan", "--evidence", &path, "--as-of", as_of, "--format", format]).stdout
    };
    for format in ["json", "text"] {
        let first = run("2026-11-23T12:00:00Z", format);
        assert!(!first.is_empty());
        assert_eq!(first, run("2026-11-23T12:00:00Z", format));
    }
    let later: serde_json::Value = serde_json::from_slice(&run("2040-01-01", "json")).unwrap();
    let support = later["findings"].as_array().unwrap().iter().find(|f| f["control"] == "node-os-in-support").unwrap();
    assert_eq!(support["verdict"], "fail", "time decides: {support}");
}
