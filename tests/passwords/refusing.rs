//! Nodes that let a login in and run something else than they are asked to.

use super::*;

#[test]
fn accounts_that_run_nothing_and_forced_commands_are_named() {
    let Some(bed) = Bed::up("accounts_that_run_nothing_and_forced_commands_are_named") else { return };
    let told = |user: &str| {
        let (node, _) = read(&bed, user, &NobodyToAsk);
        assert!(!node.complete);
        let error = node.errors.into_iter().next().unwrap();
        (error.reason, error.message)
    };
    for (shell, words) in [("/usr/sbin/nologin", "may not run commands"), ("/bin/false", "/bin/false")] {
        bed.sh(&format!("usermod -s {shell} guest"));
        let (reason, message) = told("guest");
        bed.sh("usermod -s /bin/bash guest");
        assert_eq!(reason, Reason::Forbidden, "{shell}: {message}");
        assert!(message.contains(words), "{shell}: {message}");
    }
    for (forced, words) in [
        ("ForceCommand echo backup done", "ForceCommand"),
        ("ForceCommand cat", "ForceCommand"),
        ("ForceCommand internal-sftp", "only certain commands"),
    ] {
        let _forced = bed.sshd_drop_in("00-forced.conf", &format!("Match User guest\n  {forced}"));
        let (reason, message) = told("guest");
        assert_eq!(reason, Reason::Forbidden, "{forced}: {message}");
        assert!(message.contains(words), "{forced}: {message}");
    }
}

#[test]
fn a_key_with_a_command_of_its_own_is_named() {
    let Some(bed) = Bed::up("a_key_with_a_command_of_its_own_is_named") else { return };
    bed.sh(
        "cp -p ~guest/.ssh/authorized_keys /run/keys; sed -i 's/^/command=\"uptime\" /' ~guest/.ssh/authorized_keys",
    );
    let (node, _) = read(&bed, "guest", &NobodyToAsk);
    bed.sh("cp -p /run/keys ~guest/.ssh/authorized_keys");
    assert_eq!(node.errors[0].reason, Reason::Forbidden);
    assert!(node.errors[0].message.contains("command= at this key"), "{:?}", node.errors);
}
