#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::super::super::{ConfigText, Fact};
use super::*;
use proptest::prelude::*;

fn file(path: &str, text: &str) -> ConfigText {
    ConfigText { path: path.to_owned(), text: Fact::Known(text.to_owned()), modified: Fact::Unread, unread: None }
}

fn places(config: &SshdConfig, keyword: &str) -> Vec<String> {
    config.settings_for(keyword).map(|one| format!("{}:{}", one.place.file, one.place.line)).collect()
}

#[test]
fn includes_are_read_in_the_order_of_names_where_they_stand() {
    let config = SshdConfig::parse(
        "/etc/ssh/sshd_config",
        &[
            file("/etc/ssh/sshd_config", "Include sshd_config.d/*.conf\nPasswordAuthentication no\n"),
            file("/etc/ssh/sshd_config.d/99-z.conf", "# nothing\npasswordauthentication no\n"),
            file("/etc/ssh/sshd_config.d/50-a.conf", "PasswordAuthentication yes\n"),
            file("/etc/ssh/sshd_config.d/readme.txt", "PasswordAuthentication yes\n"),
        ],
    );
    assert!(config.is_whole());
    let want = ["/etc/ssh/sshd_config.d/50-a.conf:1", "/etc/ssh/sshd_config.d/99-z.conf:2", "/etc/ssh/sshd_config:2"];
    assert_eq!(places(&config, "PasswordAuthentication"), want);
}

#[test]
fn a_match_in_an_included_file_ends_with_that_file() {
    let config = SshdConfig::parse(
        "/c",
        &[file("/c", "Include /d\nMaxSessions 5\n"), file("/d", "Match User dave\nMaxSessions 1\n")],
    );
    let lines: Vec<(usize, usize)> =
        config.settings_for("maxsessions").map(|one| (one.place.line, one.inside.len())).collect();
    assert_eq!(lines, [(2, 1), (2, 0)]);
    assert_eq!(config.matches()[0].text, "Match User dave");
    assert_eq!(config.matches()[0].place, Place { file: "/d".to_owned(), line: 1 });
}

#[test]
fn an_include_inside_a_match_holds_only_where_the_match_does() {
    let config = SshdConfig::parse(
        "/c",
        &[
            file("/c", "Match Address 10.0.0.0/8\nInclude /d\nX11Forwarding yes\n"),
            file("/d", "MaxSessions 1\nMatch User dave\nMaxSessions 2\n"),
        ],
    );
    let connection = |user: &str, addr: &str| {
        let pairs = [("user", user), ("addr", addr)].map(|(key, value)| (key.to_owned(), value.to_owned()));
        config.answers(&pairs.into())
    };
    let sessions: Vec<&Directive> = config.settings_for("maxsessions").collect();
    assert_eq!(config.applies(sessions[0], &connection("eve", "10.1.1.1")), Applies::Yes);
    assert_eq!(config.applies(sessions[0], &connection("eve", "192.0.2.1")), Applies::No);
    assert_eq!(config.applies(sessions[1], &connection("dave", "10.1.1.1")), Applies::Yes);
    assert_eq!(config.applies(sessions[1], &connection("eve", "10.1.1.1")), Applies::No);
    assert_eq!(config.applies(sessions[1], &connection("dave", "192.0.2.1")), Applies::No);
    // After the include the outer block goes on.
    let x11: Vec<&Directive> = config.settings_for("x11forwarding").collect();
    assert_eq!(x11[0].inside, [0]);
}

#[test]
fn old_names_stand_for_the_new_ones() {
    let config = SshdConfig::parse("/c", &[file("/c", "ChallengeResponseAuthentication no\n")]);
    assert_eq!(places(&config, "KbdInteractiveAuthentication"), ["/c:1"]);
    assert_eq!(places(&config, "challengeresponseauthentication"), ["/c:1"]);
}

#[test]
fn what_is_not_there_or_not_understood_makes_it_not_whole() {
    assert!(!SshdConfig::parse("/missing", &[]).is_whole());
    assert!(!SshdConfig::parse("/c", &[file("/c", "Banner \"open\n")]).is_whole());
    let mut unread = file("/d", "");
    unread.text = Fact::Unread;
    assert!(!SshdConfig::parse("/c", &[file("/c", "Include /d\n"), unread]).is_whole());
    // sshd takes an Include that matches nothing for nothing.
    assert!(SshdConfig::parse("/c", &[file("/c", "Include /none/*\n")]).is_whole());
}

#[test]
fn files_that_include_themselves_or_nothing_end_soon() {
    let text = "Include /etc/ssh/*\n".repeat(50);
    let files: Vec<ConfigText> = (0..40).map(|n| file(&format!("/etc/ssh/{n}"), &text)).collect();
    assert!(!SshdConfig::parse("/etc/ssh/1", &files).is_whole());
    let nothing = file("/c", &"Include /none/*\n".repeat(5_000));
    assert!(!SshdConfig::parse("/c", &[nothing]).is_whole());
}

proptest! {
    #[test]
    fn any_text_is_read(text in "(Match |Include |Port |User |[a-z/*\"'#=\\\\ ]|\n|\\PC){0,60}", other in "\\PC{0,80}") {
        let config = SshdConfig::parse("/etc/ssh/a", &[file("/etc/ssh/a", &text), file("/etc/ssh/b", &other)]);
        let connection = config.answers(&[("user".to_owned(), "root".to_owned())].into());
        for directive in config.settings_for("port") {
            let _ = config.applies(directive, &connection);
        }
    }
}
