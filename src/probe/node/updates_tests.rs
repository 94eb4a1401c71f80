//! What package managers print, and what it means. The lines of Flatcar's engine are from its documentation.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::super::testing::{Made, blank, frames, record};
use super::*;

fn told(pairs: &str, flags: &str, list: &str) -> NodeEvidence {
    answered(&[record("updates", "-", pairs), record("updates.list", flags, list), record("mdatp", "a", "")])
}

fn answered(records: &[Made]) -> NodeEvidence {
    let mut node = blank(true);
    fill(&frames(records), &mut node);
    node
}

fn reason(node: &NodeEvidence, path: &str) -> Option<Reason> {
    node.unread.iter().find(|gap| gap.path == path).map(|gap| gap.reason)
}

const APT: &str = "time=1795416879\nmanager=apt\nlists=3\nlists_closed=0\nlists_security=yes\nrefreshed=1795416500\n";
const INST: &str = "Inst base-files [12.4+deb12u11] (12.4+deb12u15 Debian:12.15/oldstable [amd64])\n\
    Inst libgcrypt20-dev [1.10.1-3] (1.10.1-3+deb12u1 Debian:12.15/oldstable, Debian-Security:12/oldstable-security [amd64]) []\n\
    Inst libperl5.36 [5.36.0-7+deb12u2] (5.36.0-7+deb12u4 Debian-Security:12/oldstable-security [amd64]) [perl:amd64 ]\n\
    Inst linux-image-6.1.0-41-amd64 (6.1.158-1 Debian-Security:12/oldstable-security [amd64])\n# end\n";

#[test]
fn apt_tells_what_waits_and_which_of_it_is_security() {
    let node = told(APT, "-", INST);
    let updates = &node.updates;
    assert_eq!((&updates.pending, &updates.security_pending), (&Fact::Known(4), &Fact::Known(3)));
    assert_eq!(updates.knowledge_age_seconds, Fact::Known(379));
    let kernel = updates.security_packages.items.last().unwrap();
    assert_eq!((kernel.name.as_str(), kernel.version.as_str()), ("linux-image-6.1.0-41-amd64", "6.1.158-1"));
    assert_eq!(kernel.installed, Fact::Absent);
    assert_eq!(updates.security_packages.items[1].installed, Fact::Known("5.36.0-7+deb12u2".into()));
    assert!(updates.security_packages.complete);
    let none = told(APT, "-", "# end\n").updates;
    assert_eq!((none.pending, none.security_pending), (Fact::Known(0), Fact::Known(0)));
}

#[test]
fn nothing_pending_is_never_said_where_the_lists_cannot_tell() {
    for (pairs, flags, list) in [
        (APT.replace("lists=3", "lists=0"), "-", "# end\n"),
        (APT.replace("closed=0", "closed=1"), "-", "# end\n"),
        (APT.replace("lists=3\n", ""), "-", "# end\n"),
        (APT.to_owned(), "c", INST),
        (APT.to_owned(), "t", ""),
        (APT.to_owned(), "u", ""),
        (APT.to_owned(), "-", "Inst half a line\n# end\n"),
        (APT.to_owned(), "-", "Inst base-files [1] (2 Debian:12 [amd64])\n"),
        (APT.replace("manager=apt", "manager=tdnf"), "u", ""),
        (APT.replace("manager=apt", "manager!absent"), "u", ""),
    ] {
        let node = told(&pairs, flags, list);
        for path in COUNTS {
            assert!(reason(&node, path).is_some(), "{pairs}{list}: {path}");
        }
        assert_eq!(
            (node.updates.pending, node.updates.security_pending),
            (Fact::Unread, Fact::Unread),
            "{pairs}{list}"
        );
    }
    let node = told(&APT.replace("security=yes", "security=no"), "-", INST);
    assert_eq!((&node.updates.pending, &node.updates.security_pending), (&Fact::Known(4), &Fact::Unread));
    assert!(!node.updates.security_packages.complete);
    assert_eq!(reason(&node, "updates.security_pending"), Some(Reason::Unsupported));
}

#[test]
fn a_list_from_the_future_has_no_age() {
    let node = told(&APT.replace("1795416500", "1895416500"), "-", INST);
    assert_eq!(node.updates.knowledge_age_seconds, Fact::Unread);
    assert_eq!(reason(&node, "updates.knowledge_age_seconds"), Some(Reason::Malformed));
}

#[test]
fn more_than_a_hundred_are_counted_and_the_first_are_named() {
    let many: String = (0..150).map(|n| format!("Inst p{n} [1] (2 Debian-Security:12 [amd64])\n")).collect();
    let node = told(APT, "-", &format!("{many}# end\n"));
    assert_eq!(node.updates.security_pending, Fact::Known(150));
    assert_eq!((node.updates.security_packages.items.len(), node.updates.security_packages.complete), (100, false));
    assert_eq!(reason(&node, "updates.security_packages"), Some(Reason::TooLarge));
}

#[test]
fn dnf_names_a_package_once_however_many_advisories_it_has() {
    let pairs = "time=1795416879\nmanager=dnf\nlists=2\nlists_security=yes\nrefreshed=1795330479\npending=12\n";
    let list = "RHSA-2023:3722 Moderate/Sec.  openssl-1:3.0.7-16.el9_2.x86_64\nRHSA-2024:0310 Low/Sec. openssl-1:3.0.7-25.el9_3.x86_64\n\
        RHSA-2024:0461 Important/Sec. kernel-5.14.0-362.18.1.el9_3.x86_64\n# end\n";
    let node = told(pairs, "-", list);
    assert_eq!((&node.updates.pending, &node.updates.security_pending), (&Fact::Known(12), &Fact::Known(2)));
    let openssl = &node.updates.security_packages.items[1];
    assert_eq!((openssl.name.as_str(), openssl.version.as_str()), ("openssl.x86_64", "1:3.0.7-25.el9_3"));
    assert_eq!(node.updates.knowledge_age_seconds, Fact::Known(86400));
    let plain = told(&pairs.replace("security=yes", "security=no"), "-", "# end\n");
    assert_eq!((plain.updates.pending, plain.updates.security_pending), (Fact::Known(12), Fact::Unread));
    assert_eq!(
        told(pairs, "-", "Last metadata expiration check: 0:54:46 ago\n# end\n").updates.security_pending,
        Fact::Unread
    );
}

/// As zypper 1.14.42 printed it.
const PATCH: &str = r#"<update kind="patch" name="BED-2026:0001" edition="2.0" arch="noarch" status="needed" category="security" severity="important" pkgmanager="false" restart="true" interactive="true">"#;

#[test]
fn zypper_tells_patches_and_none_where_its_sources_cannot_tell() {
    let pairs = "time=1795416879\nmanager=zypper\nlists=2\nlists_security=yes\nrefreshed=1795416500\npending=3\n";
    let list = format!("{PATCH}\n</update-status>\n# end\n");
    let updates = told(pairs, "-", &list).updates;
    assert_eq!((&updates.pending, &updates.security_pending), (&Fact::Known(3), &Fact::Known(1)));
    let patch = &updates.security_packages.items[0];
    assert_eq!((patch.name.as_str(), patch.version.as_str()), ("BED-2026:0001", "2.0"));
    assert_eq!(told(pairs, "-", "</update-status>\n# end\n").updates.security_pending, Fact::Known(0));
    for (pairs, list) in [
        (pairs.to_owned(), "# end\n"),
        (pairs.to_owned(), "<update kind=\"patch\">\n</update-status>\n# end\n"),
        (pairs.replace("security=yes", "security=no"), "</update-status>\n# end\n"),
        (pairs.replace("lists=2", "lists=0"), "</update-status>\n# end\n"),
    ] {
        assert_eq!(told(&pairs, "-", list).updates.security_pending, Fact::Unread, "{pairs}{list}");
    }
    let mut rolling = blank(true);
    rolling.os.id = Fact::Known("opensuse-tumbleweed".to_owned());
    let records = [record("updates", "-", pairs), record("updates.list", "-", &list), record("mdatp", "a", "")];
    fill(&frames(&records), &mut rolling);
    assert_eq!(rolling.updates.security_pending, Fact::Unread);
}

#[test]
fn flatcars_engine_has_an_image_or_none() {
    let pairs = "time=1795416879\nmanager=update-engine\n";
    let list =
        |op: &str, checked: &str| format!("LAST_CHECKED_TIME={checked}\nCURRENT_OP={op}\nNEW_VERSION=0.0.0\n# end\n");
    let idle = told(pairs, "-", &list("UPDATE_STATUS_IDLE", "1795410000")).updates;
    assert_eq!((idle.pending, idle.security_pending), (Fact::Known(0), Fact::Known(0)));
    assert_eq!(idle.knowledge_age_seconds, Fact::Known(6879));
    let ready = told(pairs, "-", &list("UPDATE_STATUS_UPDATED_NEED_REBOOT", "1795410000")).updates;
    assert_eq!((ready.pending, ready.security_pending), (Fact::Known(1), Fact::Unread));
    assert_eq!(told(pairs, "-", &list("UPDATE_STATUS_IDLE", "0")).updates.pending, Fact::Unread);
}

#[test]
fn old_lists_that_know_of_nothing_are_not_believed() {
    let old = APT.replace("refreshed=1795416500", "refreshed=1794000000");
    let none = told(&old, "-", "# end\n");
    assert_eq!(none.updates.security_pending, Fact::Unread);
    assert_eq!(reason(&none, "updates.security_pending"), Some(Reason::Unsupported));
    // what they do know of waits all the same
    assert_eq!(told(&old, "-", INST).updates.security_pending, Fact::Known(3));
}

#[test]
fn defender_whose_service_was_seen_is_not_gone_because_its_command_is() {
    let mut node = blank(true);
    node.mdatp.present = Fact::Known(true);
    fill(&frames(&[record("mdatp", "a", "")]), &mut node);
    assert_eq!(node.mdatp.present, Fact::Known(true));
    assert_eq!(reason(&node, "mdatp"), Some(Reason::NotVisible));
}
