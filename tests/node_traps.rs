//! Nodes on which a hasty reading would call a control held: what was not seen, or stands where nobody looks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use support::Bed;

/// Runs `undo` on the node when the test ends, however it ends.
struct Undo<'a>(&'a Bed, &'static str);

impl Drop for Undo<'_> {
    fn drop(&mut self) {
        self.0.sh(&format!("set +e\n{}\ntrue", self.1));
    }
}

#[test]
fn a_key_behind_a_long_file_is_not_overlooked() {
    let Some(bed) = Bed::up("a_key_behind_a_long_file_is_not_overlooked") else { return };
    let _undo = Undo(&bed, "mv -f /root/keys.bak /root/.ssh/authorized_keys");
    bed.sh("cp -a /root/.ssh/authorized_keys /root/keys.bak
{ yes '# a comment' | head -c 300000; echo; cat /root/keys.bak; } > /root/.ssh/authorized_keys");
    let findings = bed.scan("ops");
    assert_eq!(findings.verdict("ssh-root-authorized-keys"), "unknown");
    assert_eq!(findings.of("ssh-root-authorized-keys")["reason"], "too-large");
}

#[test]
fn keys_by_user_number_and_by_certificate_count() {
    let Some(bed) = Bed::up("keys_by_user_number_and_by_certificate_count") else { return };
    let _undo =
        Undo(&bed, "mv -f /root/keys.bak /root/.ssh/authorized_keys; rm -rf /etc/ssh/by-number /etc/ssh/ca.pub");
    bed.sh("mkdir -p /etc/ssh/by-number; cp -a /root/.ssh/authorized_keys /root/keys.bak
cp /root/keys.bak /etc/ssh/by-number/0; rm /root/.ssh/authorized_keys; cp /etc/ssh/ssh_host_rsa_key.pub /etc/ssh/ca.pub");
    let by_number = bed.sshd_drop_in("00-keys.conf", "AuthorizedKeysFile /etc/ssh/by-number/%U .ssh/authorized_keys");
    let findings = bed.scan("ops");
    assert_eq!(findings.verdict("ssh-root-authorized-keys"), "fail", "{}", findings.of("ssh-root-authorized-keys"));
    drop(by_number);
    let _authority = bed.sshd_drop_in("00-ca.conf", "TrustedUserCAKeys /etc/ssh/ca.pub");
    let findings = bed.scan("ops");
    assert_eq!(findings.verdict("ssh-root-authorized-keys"), "unknown", "{}", findings.of("ssh-root-authorized-keys"));
}

#[test]
fn a_match_in_quotes_and_one_by_port_are_asked_about() {
    let Some(bed) = Bed::up("a_match_in_quotes_and_one_by_port_are_asked_about") else { return };
    for block in ["\"Match\" User guest", "Match LocalPort 2222"] {
        let text = format!("PermitRootLogin no\nPasswordAuthentication no\n{block}\n  PasswordAuthentication yes");
        let _door = bed.sshd_drop_in("00-door.conf", &text);
        let findings = bed.scan("ops");
        assert_eq!(findings.verdict("sshd-password-authentication"), "fail", "{block}");
        assert_eq!(findings.verdict("sshd-root-login"), "pass", "{block}");
    }
}

#[test]
fn an_sshd_behind_a_socket_of_another_name_counts() {
    let Some(bed) = Bed::up("an_sshd_behind_a_socket_of_another_name_counts") else { return };
    let _closed = bed.sshd_drop_in("00-site.conf", "PermitRootLogin no\nPasswordAuthentication no");
    let _undo = Undo(&bed, "systemctl stop door.socket; rm -f /etc/systemd/system/door*; systemctl daemon-reload");
    bed.sh("printf '[Socket]\\nListenStream=2299\\nAccept=yes\\n' > /etc/systemd/system/door.socket
printf '[Service]\\nExecStart=-/usr/sbin/sshd -i -o PermitRootLogin=yes\\nStandardInput=socket\\n' > /etc/systemd/system/door@.service
systemctl daemon-reload; systemctl start door.socket");
    let findings = bed.scan("ops");
    assert_eq!(findings.verdict("sshd-root-login"), "fail", "{}", findings.of("sshd-root-login"));
    assert_eq!(findings.verdict("sshd-only-one"), "fail");
}

#[test]
fn private_keys_that_are_hard_to_see() {
    let Some(bed) = Bed::up("private_keys_that_are_hard_to_see") else { return };
    let undo = "umount /etc/kubernetes/pki/below; mv -f /usr/bin/find.off /usr/bin/find; rm -rf /etc/kubernetes /srv/key; true";
    let _undo = Undo(&bed, undo);
    let tries = [
        ("a link", "echo k > /srv/key; chmod 644 /srv/key; ln -s /srv/key a.key", "fail"),
        ("a name of two lines", "echo k > \"$(printf 'a\\nb.key')\"", "unknown"),
        ("another file system", "mkdir below; mount -t tmpfs t below; echo k > below/a.key", "unknown"),
        ("no find", "mv /usr/bin/find /usr/bin/find.off; echo k > a.key", "unknown"),
    ];
    for (what, how, verdict) in tries {
        bed.sh(&format!("mkdir -p /etc/kubernetes/pki; cd /etc/kubernetes/pki; {how}"));
        let findings = bed.scan("ops");
        bed.sh(&format!("set +e\n{undo}"));
        assert_eq!(findings.verdict("pki-keys-mode"), verdict, "{what}: {}", findings.of("pki-keys-mode"));
    }
}

#[test]
fn an_ordinary_user_cannot_crowd_out_the_daemons() {
    let Some(bed) = Bed::up("an_ordinary_user_cannot_crowd_out_the_daemons") else { return };
    let _undo = Undo(&bed, "systemctl stop crowd.scope; rm -f /tmp/kubelet; true");
    bed.sh("install -o guest -m 755 /bin/sleep /tmp/kubelet
systemd-run --quiet --scope --unit=crowd --slice=user-1002.slice --uid=guest sh -c 'i=0; while [ $i -lt 250 ]; do /tmp/kubelet 1000 & i=$((i+1)); done' >/dev/null 2>&1 </dev/null");
    let findings = bed.scan("ops");
    assert_eq!(
        findings.verdict("kubelet-anonymous-auth"),
        "not-applicable",
        "{}",
        findings.of("kubelet-anonymous-auth")
    );
    assert_eq!(findings.verdict("sshd-only-one"), "pass");
    assert_eq!(findings.verdict("node-no-impostor-processes"), "fail");
}
