#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use proptest::prelude::*;

const APT: &str = "APT::Periodic::Update-Package-Lists \"1\";\nAPT::Periodic::Unattended-Upgrade \"0\"; // off\n";
const UPGRADE: &str = "APT::Periodic::Unattended-Upgrade";

#[test]
fn apts_switch_is_set_where_it_counts() {
    let after = apt_setting(Some(APT), UPGRADE, "1").unwrap();
    assert_eq!(after, APT.replace("\"0\"", "\"1\""));
    assert_eq!(apt_setting(Some(&after), UPGRADE, "1").unwrap(), after);
    assert_eq!(apt_setting(None, UPGRADE, "1").unwrap(), format!("{UPGRADE} \"1\";\n"));
    let twice = format!("{UPGRADE} \"0\";\r\n# note\r\napt::periodic::unattended-upgrade   \"0\" ;");
    let after = apt_setting(Some(&twice), UPGRADE, "1").unwrap();
    assert_eq!(after, format!("{UPGRADE} \"0\";\r\n# note\r\napt::periodic::unattended-upgrade   \"1\" ;"));
    assert_eq!(apt_value(&after, UPGRADE).unwrap().as_deref(), Some("1"));
    assert_eq!(apt_setting(Some(&after), "APT::X", "y").unwrap(), format!("{after}\r\nAPT::X \"y\";"));
    for odd in [
        "APT {\n Periodic { X \"1\"; };\n};\n",
        "/* a */\n",
        "#clear APT;\n",
        "APT::X \"1\"; APT::Y \"2\";\n",
        "APT::X 1;\n",
    ] {
        let error = apt_setting(Some(odd), UPGRADE, "1").unwrap_err();
        assert!(error.line() == Some(1) && error.to_string().contains("by hand"), "{error}");
    }
    assert!(apt_setting(None, UPGRADE, "1\";x").is_err());
}

const DNF: &str = "[commands]\n#  What kind of upgrade to perform:\nupgrade_type = default\nrandom_sleep = 0\n\n# Whether updates should be applied\napply_updates = no\n\n[emitters]\nemit_via = stdio\n\n[email]\nemail_from = root@example.com\npassword =\n";

#[test]
fn a_key_of_dnfs_file_is_set_in_its_section() {
    let after = ini_setting(Some(DNF), "commands", "apply_updates", "yes").unwrap();
    assert_eq!(after, DNF.replace("apply_updates = no", "apply_updates = yes"));
    assert_eq!(ini_setting(Some(&after), "commands", "apply_updates", "yes").unwrap(), after);
    assert_eq!(ini_value(&after, "commands", "apply_updates").unwrap().as_deref(), Some("yes"));
    assert_eq!(ini_value(&after, "email", "apply_updates").unwrap(), None);
    let after = ini_setting(Some(DNF), "commands", "reboot", "never").unwrap();
    assert_eq!(after, DNF.replace("apply_updates = no\n", "apply_updates = no\nreboot = never\n"));
    let after = ini_setting(Some(DNF), "email", "password", "x").unwrap();
    assert_eq!(after, DNF.replace("password =\n", "password = x\n"));
    let after = ini_setting(Some("[a]\r\nb=1"), "c", "d", "2").unwrap();
    assert_eq!(after, "[a]\r\nb=1\r\n\r\n[c]\r\nd = 2");
    assert_eq!(ini_setting(Some("[a]\n\n[b]\n"), "a", "k", "v").unwrap(), "[a]\nk = v\n\n[b]\n");
    assert_eq!(ini_setting(None, "a", "k", "v").unwrap(), "[a]\nk = v\n");
    for (odd, line) in
        [("k = v\n", 1), ("[a]\nk = v\n  more\n", 3), ("[a]\n[a]\n", 2), ("[a]\nk = 1\nK = 2\n", 3), ("[a\n", 1)]
    {
        assert_eq!(ini_setting(Some(odd), "a", "k", "w").unwrap_err().line(), Some(line), "{odd}");
    }
    assert!(ini_setting(None, "a", "k", "v\n[b]").is_err());
}

#[test]
fn a_variable_is_read_and_set_where_its_quoting_is_clear() {
    let name = "KUBELET_EXTRA_ARGS";
    for (text, value) in [
        ("KUBELET_EXTRA_ARGS=\n", Some("")),
        ("# c\nKUBELET_EXTRA_ARGS=--a=1\nKUBELET_EXTRA_ARGS=\"--a=1 --b=2\"\n", Some("--a=1 --b=2")),
        ("KUBELET_EXTRA_ARGS='--a=\"x\"'\n", Some("--a=\"x\"")),
        ("OTHER=1\n", None),
    ] {
        assert_eq!(shell_variable(text, name).unwrap().as_deref(), value, "{text}");
    }
    for (text, after) in [
        ("KUBELET_EXTRA_ARGS=", "KUBELET_EXTRA_ARGS=\"--a=1 --b\""),
        ("A=1\r\nKUBELET_EXTRA_ARGS='--x'\r\n", "A=1\r\nKUBELET_EXTRA_ARGS='--a=1 --b'\r\n"),
        ("A=\"x y\"\n", "A=\"x y\"\nKUBELET_EXTRA_ARGS=\"--a=1 --b\"\n"),
        ("KUBELET_EXTRA_ARGS=\"--a=1 --b\"", "KUBELET_EXTRA_ARGS=\"--a=1 --b\""),
    ] {
        assert_eq!(set_shell_variable(Some(text), name, "--a=1 --b").unwrap(), after);
    }
    assert_eq!(set_shell_variable(None, name, "--a=1").unwrap(), "KUBELET_EXTRA_ARGS=--a=1\n");
    for odd in [
        "KUBELET_EXTRA_ARGS='--a=\"x\"'\n",
        "KUBELET_EXTRA_ARGS=\"a\\\"b\"\n",
        "KUBELET_EXTRA_ARGS=\"$OTHER\"\n",
        "KUBELET_EXTRA_ARGS=a\\\nb\n",
        "KUBELET_EXTRA_ARGS=\"a\nb\"\n",
        "export KUBELET_EXTRA_ARGS=a\n",
        ". /etc/other\n",
    ] {
        let error = set_shell_variable(Some(odd), name, "--c").unwrap_err();
        assert_eq!(error.line(), Some(1), "{odd}: {error}");
    }
    assert!(set_shell_variable(None, name, "a\"b").is_err());
}

proptest! {
    #[test]
    fn any_text_gives_an_answer(text in "(A|k|=|\"|'|;|#|\\[|\\]|\n|\r\n| |\\PC){0,40}", value in "[a-z ]{0,5}") {
        if let Ok(after) = apt_setting(Some(&text), "A", &value) {
            prop_assert_eq!(apt_value(&after, "A").unwrap(), Some(value.clone()));
        }
        if let Ok(after) = ini_setting(Some(&text), "A", "k", &value) {
            prop_assert_eq!(ini_value(&after, "A", "k").unwrap(), Some(value.clone()));
        }
        if let Ok(after) = set_shell_variable(Some(&text), "A", &value) {
            prop_assert_eq!(shell_variable(&after, "A").unwrap(), Some(value));
        }
    }
}
