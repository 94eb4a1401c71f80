#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::super::testing::{Made, assembled, record};
use super::*;

fn host() -> Made {
    record("host", "-", "hidepid=no\nboot_time=1000\nclk_tck=100\n")
}

fn node(extra: Vec<Made>) -> crate::evidence::NodeEvidence {
    let proc = "812\t1\t0\tsshd\t100\tsame\tsame\t0\t755\thost\tsshd\t/system.slice/ssh.service\t/usr/sbin/sshd\n\
        900\t812\t0\tsshd\t200\tsame\tsame\t0\t755\tsession\tsshd\t/x\t/usr/sbin/sshd\n\
        990\t1\t1000\tsshd\t300\tsame\tsame\t1000\t755\trejected-exe-owner\tsshd\t/user.slice\t/home/u/sshd\n";
    let mut records = vec![
        host(),
        record("proc", "-", proc),
        record("proc.812.args", "-", "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups\0"),
        record("proc.990.args", "-", "/home/u/sshd\0-f\0/etc/shadow\0"),
        record("sshd", "-", "binary=/usr/sbin/sshd\nversion=OpenSSH_9.2p1 Debian-2+deb12u7\nkeygen=yes\ndaemons=1\n"),
    ];
    records.extend(extra);
    assembled(&records)
}

fn daemon(state: &str) -> Made {
    record(
        "sshd.0",
        "-",
        &format!(
            "via=process\npid=812\nexe=/usr/sbin/sshd\nconfig=/etc/ssh/sshd_config\nconfig_state={state}\nserves_login=yes\n"
        ),
    )
}

#[test]
fn a_daemon_comes_with_files_dumps_and_keys() {
    let node = node(vec![
        daemon("here"),
        record("sshd.0.test", "-", "ok\n"),
        record(
            "sshd.0.files",
            "-",
            "0\there\t100\t0\t644\t/etc/ssh/sshd_config\n1\tforbidden\t100\t0\t600\t/etc/ssh/sshd_config.d/x.conf\n",
        ),
        record(
            "sshd.0.file.0",
            "-",
            "Include x\nPermitRootLogin no\x1b[2J\nSetEnv TOKEN=abc\n # abc\nForceCommand /bin/x --key=abc\n",
        ),
        record("sshd.0.dumps", "-", "wanted=3\nsent=3\n"),
        record("sshd.0.dump.0", "-", "global\t-\t-\nport 22\nListenAddress 0.0.0.0:22\nlistenaddress [::]:22\n"),
        record(
            "sshd.0.dump.1",
            "-",
            "match\tuser=root,addr=10.0.0.1\tAddress 10.0.0.0/8\nport 22\npermitrootlogin yes\n",
        ),
        record("sshd.0.dump.2", "-", "match\tuser=ops,addr=10.0.0.1\tAddress 10.0.0.0/8\nport 22\n"),
        record("sshd.0.hostkeys", "-", "here\t256\tSHA256:x\tED25519\t/etc/ssh/k\nabsent\t-\t-\t-\t/etc/ssh/r\n"),
    ]);
    let found = &node.sshd.daemons.items[0];
    assert!(node.sshd.daemons.complete && found.files.complete && found.dumps.complete && found.host_keys.complete);
    assert_eq!(
        (found.name.as_str(), &found.serves_login, &found.config_valid),
        ("sshd, /etc/ssh/sshd_config", &Fact::Known(true), &Fact::Known(true))
    );
    assert_eq!(
        found.files.items[0].text,
        Fact::Known("Include x\nPermitRootLogin no[2J\nSetEnv [redacted]\n#\nForceCommand /bin/x [redacted]\n".into())
    );
    assert_eq!(found.files.items[1].unread, Some(Reason::Forbidden));
    let names: Vec<_> = found.dumps.items.iter().map(|dump| dump.name.as_str()).collect();
    assert_eq!(names, ["global", "Match Address 10.0.0.0/8 (root)", "Match Address 10.0.0.0/8 (ops)"]);
    assert_eq!(found.dumps.items[0].settings.known().unwrap()["listenaddress"], ["0.0.0.0:22", "[::]:22"]);
    assert_eq!(found.host_keys.items[1].unread, Some(Reason::NotVisible));
    let process = found.process.known().unwrap();
    assert_eq!((&process.unit, &process.container), (&Fact::Known("ssh.service".into()), &Fact::Known(false)));
    assert_eq!(node.sshd.rejected[0].rejected, "its executable does not belong to root");
    assert_eq!(node.sshd.rejected.len(), 1, "a session is neither");
}

#[test]
fn a_configuration_that_is_refused_is_not_read() {
    let node = node(vec![
        daemon("refused"),
        record("sshd.0.file.0", "-", "root:x"),
        record("sshd.0.files", "-", "0\there\t100\t0\t644\t/etc/shadow\n"),
        record("sshd.0.dump.0", "-", "global\t-\t-\nport 22\n"),
    ]);
    let found = &node.sshd.daemons.items[0];
    assert!(found.files.items.is_empty() && found.dumps.items.is_empty() && !found.dumps.complete);
    assert_eq!(found.config_valid, Fact::Unread);
}

#[test]
fn answers_of_sshd_that_failed_have_their_reason() {
    let dump = |flags: &str, body: &str| {
        let node = node(vec![
            daemon("here"),
            record("sshd.0.dumps", "-", "wanted=1\nsent=1\n"),
            record("sshd.0.dump.0", flags, body),
        ]);
        let dump = node.sshd.daemons.items[0].dumps.items[0].clone();
        (dump.settings, dump.unread)
    };
    for (flags, body, reason) in [
        ("t", "global\t-\t-\nport 22\n", Reason::Timeout),
        ("f", "global\t-\t-\nport 22\n", Reason::Forbidden),
        ("n", "match\t-\tGroup nobody\n", Reason::NotVisible),
        ("c", "global\t-\t-\nport 22\n", Reason::TooLarge),
        ("-", "global\t-\t-\nsome words: here\n", Reason::Malformed),
        ("-", "global\t-\t-\n", Reason::Malformed),
    ] {
        assert_eq!(dump(flags, body), (Fact::Unread, Some(reason)), "{flags} {body}");
    }
}

#[test]
fn a_count_that_differs_leaves_the_list_open() {
    let few = node(vec![
        daemon("here"),
        record("sshd.0.dumps", "-", "wanted=9\nsent=1\n"),
        record("sshd.0.dump.0", "-", "global\t-\t-\nport 22\n"),
    ]);
    assert!(!few.sshd.daemons.items[0].dumps.complete);
    let none = node(vec![]);
    assert!(!none.sshd.daemons.complete);
    let node = assembled(&[record("sshd", "-", "binary!absent\ndaemons=0\n"), host(), record("proc", "-", "")]);
    assert_eq!((&node.sshd.binary, &node.sshd.version), (&Fact::Absent, &Fact::Absent));
    assert!(node.sshd.daemons.complete && node.sshd.daemons.items.is_empty());
}

#[test]
fn options_that_sshd_was_not_asked_with_leave_its_settings_open() {
    let body = "via=process\npid=812\nconfig=/etc/ssh/sshd_config\nconfig_state=here\nserves_login=no\nunparsed=yes\n";
    let node = node(vec![
        record("sshd.0", "-", body),
        record("sshd.0.dumps", "-", "wanted=1\nsent=1\n"),
        record("sshd.0.dump.0", "-", "global\t-\t-\nport 22\n"),
        record("sshd.0.hostkeys", "-", "here\t256\tSHA256:x\tED25519\t/etc/ssh/k\n"),
    ]);
    let found = &node.sshd.daemons.items[0];
    assert!(!found.dumps.complete && !found.host_keys.complete);
    assert_eq!((found.dumps.items.len(), found.host_keys.items.len()), (1, 1));
}
