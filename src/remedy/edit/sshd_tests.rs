#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;

const MAIN: &str = "/etc/ssh/sshd_config";
const OWN: &str = "/etc/ssh/sshd_config.d/00-sitewarden.conf";
const CLOUD: &str = "/etc/ssh/sshd_config.d/50-cloud-init.conf";
const DEBIAN: &str = include_str!("../../../tests/samples/sshd/sshd_config");

fn files(given: &[(&str, &str)]) -> Vec<SshdFile> {
    given.iter().map(|(path, text)| SshdFile { path: (*path).to_owned(), text: (*text).to_owned() }).collect()
}

/// Does an edit.
fn after(files: &[SshdFile], edit: &SshdEdit) -> Vec<SshdFile> {
    let mut after = files.to_vec();
    for one in &edit.files {
        match after.iter_mut().find(|file| file.path == one.path) {
            Some(file) => {
                assert_eq!(one.before.as_ref(), Some(&file.text));
                file.text.clone_from(&one.after);
            }
            None => {
                assert_eq!(one.before, None);
                after.push(SshdFile { path: one.path.clone(), text: one.after.clone() });
            }
        }
    }
    after
}

fn set_in(given: &[(&str, &str)], keyword: &str, args: &[&str]) -> (Vec<(String, String)>, Vec<String>) {
    let files = files(given);
    let edit = set(&files, keyword, args).unwrap();
    let again = set(&after(&files, &edit), keyword, args).unwrap();
    assert_eq!(again.files, [], "the same again changes nothing");
    (edit.files.into_iter().map(|file| (file.path, file.after)).collect(), edit.why)
}

#[test]
fn a_folder_of_drop_ins_that_is_read_first_gets_our_file() {
    let (edits, why) = set_in(
        &[(MAIN, "# top\nInclude /etc/ssh/sshd_config.d/*.conf\nMaxAuthTries 9\n"), (CLOUD, "MaxAuthTries 8\n")],
        "MaxAuthTries",
        &["4"],
    );
    assert_eq!(edits, [(OWN.to_owned(), format!("{HEADER}\nMaxAuthTries 4\n"))]);
    assert!(why[0].starts_with(OWN), "{why:?}");

    let own = format!("{HEADER}\nLoginGraceTime 30\nX11Forwarding no\n");
    let (edits, _) = set_in(&[(MAIN, "Include sshd_config.d/*.conf\n"), (OWN, &own)], "MaxAuthTries", &["4"]);
    assert_eq!(edits[0].1, own.replace("X11", "MaxAuthTries 4\nX11"));
    let (edits, _) = set_in(&[(MAIN, "Include sshd_config.d/*.conf\n"), (OWN, &own)], "X11Forwarding", &["yes"]);
    assert_eq!(edits[0].1, own.replace("X11Forwarding no", "X11Forwarding yes"));
}

#[test]
fn the_line_that_decides_is_changed_where_it_comes_before_our_file() {
    let first = "/etc/ssh/sshd_config.d/00-a.conf";
    for (given, path, text) in [
        (
            vec![(MAIN, "Include sshd_config.d/*.conf\n"), (first, "  maxauthtries = \"9\"  # mine\r\n")],
            first,
            "  maxauthtries = 4  # mine\r\n",
        ),
        (
            vec![(MAIN, "MaxAuthTries 9\nInclude sshd_config.d/*.conf\n")],
            MAIN,
            "MaxAuthTries 4\nInclude sshd_config.d/*.conf\n",
        ),
        (vec![(MAIN, "Port 22\nMaxAuthTries 9\nMaxAuthTries 4\n")], MAIN, "Port 22\nMaxAuthTries 4\nMaxAuthTries 4\n"),
        (vec![(MAIN, "# c\r\n\r\nPort 22\r\n")], MAIN, "# c\r\n\r\nMaxAuthTries 4\r\nPort 22\r\n"),
        (vec![(MAIN, "# c")], MAIN, "# c\nMaxAuthTries 4"),
        // These take no file of our name in, or not for all connections.
        (vec![(MAIN, "Include d/5*.conf\nPort 22\n")], MAIN, "MaxAuthTries 4\nInclude d/5*.conf\nPort 22\n"),
        (vec![(MAIN, "Include */x.conf\n")], MAIN, "MaxAuthTries 4\nInclude */x.conf\n"),
        (vec![(MAIN, "Match User a\nInclude d/*.conf\n")], MAIN, "MaxAuthTries 4\nMatch User a\nInclude d/*.conf\n"),
    ] {
        let (edits, _) = set_in(&given, "MaxAuthTries", &["4"]);
        assert_eq!(edits, [(path.to_owned(), text.to_owned())], "{given:?}");
    }
    let (edits, _) = set_in(&[(MAIN, "Include \"/x y/5*\" /etc/ssh/d/*.conf\n")], "MaxAuthTries", &["4"]);
    assert_eq!(edits[0].0, "/etc/ssh/d/00-sitewarden.conf");
}

#[test]
fn match_blocks_that_say_otherwise_are_changed_too() {
    let (edits, why) = set_in(&[(MAIN, DEBIAN)], "PermitRootLogin", &["no"]);
    let main = &edits.iter().find(|(path, _)| path == MAIN).unwrap().1;
    let want = DEBIAN
        .lines()
        .map(|line| if line.trim() == "PermitRootLogin yes" { line.replace("yes", "no") } else { line.to_owned() });
    assert_eq!(main.lines().collect::<Vec<_>>(), want.collect::<Vec<_>>());
    assert!(why.iter().any(|why| why.contains("Match block")), "{why:?}");
    // An old name of the keyword is the keyword.
    let (edits, _) =
        set_in(&[(MAIN, "ChallengeResponseAuthentication yes\n")], "KbdInteractiveAuthentication", &["no"]);
    assert_eq!(edits[0].1, "ChallengeResponseAuthentication no\n");
    let none = set(&files(&[(MAIN, "PermitRootLogin No\n")]), "permitrootlogin", &["no"]).unwrap();
    assert_eq!(none, SshdEdit::default());
}

#[test]
fn lines_that_add_up_are_replaced_together() {
    let given = files(&[
        (MAIN, "Include d/*.conf\nAllowUsers a b # why\nPort 22\n  AllowUsers c\nMatch User x\nAllowUsers y\n"),
        ("/etc/ssh/d/1.conf", "AllowUsers d"),
    ]);
    assert!(set(&given, "AllowUsers", &["a"]).unwrap_err().to_string().contains("add up"));
    let edit = replace_all(&given, "AllowUsers", &["a@10.0.0.0/8".to_owned(), "e".to_owned()]).unwrap();
    let texts: Vec<&str> = edit.files.iter().map(|file| file.after.as_str()).collect();
    assert_eq!(
        texts,
        ["AllowUsers a@10.0.0.0/8\nAllowUsers e", "Include d/*.conf\nPort 22\nMatch User x\nAllowUsers y\n"]
    );
    assert!(edit.why.last().unwrap().contains("left as it is"), "{:?}", edit.why);
    let again = replace_all(&after(&given, &edit), "AllowUsers", &["a@10.0.0.0/8".to_owned(), "e".to_owned()]).unwrap();
    assert_eq!(again.files, []);
    let new = replace_all(&files(&[(MAIN, "Port 22\n")]), "DenyUsers", &["a".to_owned(), "b".to_owned()]).unwrap();
    assert_eq!(new.files[0].after, "DenyUsers a\nDenyUsers b\nPort 22\n");
    let gone = replace_all(&given, "AllowUsers", &[]).unwrap();
    assert_eq!(gone.files[0].after, "");
    assert!(replace_all(&given, "PermitRootLogin", &["no".to_owned()]).is_err());
}

#[test]
fn what_is_not_understood_is_named_with_file_and_line() {
    for (text, keyword, args, word) in [
        ("Port 22\nBanner \"open\n", "MaxAuthTries", vec!["4"], "/etc/ssh/sshd_config, line 2: a quote"),
        ("MaxAuthTries\n", "MaxAuthTries", vec!["4"], "no value"),
        ("Include sshd_config\n", "MaxAuthTries", vec!["4"], "without end"),
        ("Port 22\n", "NoSuchKeyword", vec!["4"], "no keyword"),
        ("Port 22\n", "Include", vec!["/x"], "no keyword"),
        ("Port 22\n", "Banner", vec!["a\nb"], "cannot be written"),
        ("Port 22\n", "Banner", vec![], "cannot be written"),
        ("a\u{0}b c\n", "MaxAuthTries", vec!["4"], "control"),
    ] {
        let error = set(&files(&[(MAIN, text)]), keyword, &args).unwrap_err().to_string();
        assert!(error.contains(word) && error.contains("by hand"), "{error}");
    }
    let spaced = set(&files(&[(MAIN, "Port 22\n")]), "Banner", &["/etc/a b"]).unwrap();
    assert_eq!(spaced.files[0].after, "Banner \"/etc/a b\"\nPort 22\n");
}
