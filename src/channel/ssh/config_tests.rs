#![allow(clippy::unwrap_used)]
use super::*;
use proptest::prelude::*;
use std::path::Path;

fn read(text: &str) -> SshConfig {
    let mut reader = config_file::Reader::new();
    reader.parse(Path::new("/c"), text.as_bytes(), Path::new("/nowhere"), config_file::Trust::Usual, &[], 0);
    SshConfig::of(reader)
}

fn of(text: &str, host: &str) -> Configured {
    read(text).of_host(host, Some("ana"), None)
}

#[test]
fn the_first_value_wins_and_identity_files_add_up() {
    let text = "Port 2200\nHost edge*\n  HostName 10.0.0.4\n  Port 2222\n  IdentityFile /k/a\n\
                Host *\n\tUser=bea\n  HostName other\n  IdentityFile \"/k/b c\"\n IdentityFile none\n";
    let found = of(text, "EDGE1");
    assert_eq!((found.port, found.host_name.as_deref()), (Some(2200), Some("10.0.0.4")));
    assert_eq!(found.user.as_deref(), Some("bea"));
    assert_eq!(found.identities, [Path::new("/k/a"), Path::new("/k/b c")]);
    assert_eq!(of(text, "web").host_name.as_deref(), Some("other"));
}

#[test]
fn a_negated_pattern_takes_a_host_out() {
    let text = "Host *.site !gate.site\n ProxyJump gate.site # by the gate\n";
    assert_eq!(of(text, "a.site").jump.as_deref(), Some("gate.site"));
    assert_eq!(of(text, "gate.site").jump, None);
    assert_eq!(of("Host !gate\n Port 5", "a").port, None, "a negated pattern alone fits nothing");
}

#[test]
fn what_stands_in_a_match_block_does_not_leak() {
    let text = "Host a\n Port 1\nMatch host a exec true\n User mallory\n ProxyJump evil\n Include /c2\nHost *\n User bea\n\
                Match all\n HostKeyAlias x\n";
    let found = of(text, "a");
    assert_eq!((found.port, found.user.as_deref(), found.jump), (Some(1), Some("bea"), None));
    assert_eq!(found.alias.as_deref(), Some("x"));
    assert_eq!(read(text).warnings().len(), 1);
    assert!(read(text).warnings()[0].starts_with("/c:3: block skipped"));
    assert!(read("Match final all\n ForwardX11Trusted yes\n").warnings().is_empty(), "it says nothing that counts");
}

#[test]
fn a_line_that_is_wrong_is_skipped_and_named() {
    let text = "Prot 22\nPort many\nPort 2222\nHostName\nUser a b\nUser \"x\nServerAliveInterval 60\nProxyJump a:0\n\
                IdentitiesOnly maybe\n\u{1b}[2J x\nHost\n Port 1\n";
    let config = read(text);
    let lines: Vec<&str> = config.warnings().iter().filter_map(|line| line.split(':').nth(1)).collect();
    assert_eq!(lines, ["1", "2", "4", "5", "6", "8", "9", "10", "11"]);
    assert!(config.warnings().iter().all(|line| !line.contains('\u{1b}')), "{:?}", config.warnings());
    assert_eq!(config.of_host("a", None, None).port, Some(2222));
}

#[test]
fn tokens_stand_for_what_is_known() {
    let text = "Host edge1\n HostName %h.site\n User bea\n IdentityFile /k/%r@%h:%p-%n%%\n IdentityFile /k/%C\n";
    let found = read(text).of_host("edge1", None, None);
    assert_eq!(found.host_name.as_deref(), Some("edge1.site"));
    assert_eq!(found.identities, [Path::new("/k/bea@edge1.site:22-edge1%")]);
    assert!(found.warnings[0].contains("/c:5") && found.warnings[0].contains("%C"));
    let said = read(text).of_host("edge1", Some("root"), Some(2222));
    assert_eq!(said.identities, [Path::new("/k/root@edge1.site:2222-edge1%")]);
}

#[test]
fn of_a_jump_and_a_command_the_first_counts() {
    assert_eq!(of("ProxyJump gate\nProxyCommand nc %h %p", "a").command, None);
    let found = of("ProxyCommand nc %h %p\nProxyJump gate", "a");
    assert_eq!((found.jump, found.command.as_deref()), (None, Some("/c:1")));
    assert_eq!(of("ProxyJump none\nProxyJump gate", "a").jump.as_deref(), Some("none"));
    assert_eq!(of("ProxyCommand none", "a").command, None);
}

#[test]
fn included_files_count_where_they_stand() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("config", "Include parts/*.conf\nHost a\n Include one\n Port 9\nHost b\n User late\nInclude config\n");
    std::fs::create_dir(folder.path().join("parts")).unwrap();
    write("parts/2.conf", "Host a\n User second\n");
    write("parts/1.conf", "Host a b\n User first\n");
    write("parts/.hidden.conf", "User hidden\n");
    write("one", "Port 7\nHost b\n Port 8\n");
    let mut reader = config_file::Reader::new();
    reader.read(&folder.path().join("config"), folder.path(), config_file::Trust::Usual);
    let config = SshConfig::of(reader);
    let found = config.of_host("a", None, None);
    assert_eq!((found.user.as_deref(), found.port), (Some("first"), Some(7)));
    assert_eq!(config.of_host("b", None, None).port, None, "a block within a block narrows it");
    assert!(config.warnings().iter().any(|warning| warning.contains("too many files")), "it includes itself");
}

#[cfg(unix)]
#[test]
fn a_file_that_others_may_write_is_not_read() {
    use std::os::unix::fs::PermissionsExt;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, "Port 7\n").unwrap();
    std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o666)).unwrap();
    let mut reader = config_file::Reader::new();
    reader.read(file.path(), Path::new("/"), config_file::Trust::Checked);
    assert!(reader.settings.is_empty());
    assert!(reader.warnings[0].contains("others may write it"));
}

proptest! {
    #[test]
    fn any_text_is_taken_without_harm(text in "(?s).{0,400}", host in ".{0,20}") {
        let _ = of(&text, &host);
    }

    #[test]
    fn lines_of_keywords_are_taken_without_harm(
        lines in proptest::collection::vec("(Host|Match|Port|HostName|User|IdentityFile|ProxyJump) ?=?[ -~]{0,20}", 0..20)
    ) {
        let config = read(&lines.join("\n"));
        let found = config.of_host("edge1", None, None);
        prop_assert!(found.port != Some(0));
    }
}
