#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]
//! Random files: after an edit our own reader and the sshd of this machine must find the wanted value everywhere.

use super::*;
use proptest::prelude::*;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

const SSHD: &str = "/usr/sbin/sshd";

const LINES: [&str; 20] = [
    "MaxAuthTries 7",
    "maxauthtries=8  # comment",
    "\tMAXAUTHTRIES = \"9\"",
    "MaxAuthTries 3",
    "PasswordAuthentication no",
    "X11Forwarding \"yes\" # MaxAuthTries 5",
    "# MaxAuthTries 6",
    "",
    "AllowUsers \"root\" dave",
    "Match all",
    "Match User root",
    "Match User dave,!root Address 10.0.0.0/8",
    "match address=192.0.2.0/24",
    "Include {folder}/d/*.conf",
    "Include \"{folder}/d/*.conf\" {folder}/e/*",
    "include {folder}/d/5*.conf",
    "Include {folder}/e/inner",
    "Include {folder}/nothing/*",
    "Banner none",
    "LoginGraceTime 30",
];

fn text() -> impl Strategy<Value = String> {
    let lines = proptest::collection::vec(proptest::sample::select(LINES.to_vec()), 0..8);
    (lines, prop::sample::select(vec!["\n", "\r\n"]), any::<bool>()).prop_map(|(lines, eol, ended)| {
        let text = lines.join(eol);
        if ended && !text.is_empty() { text + eol } else { text }
    })
}

fn written(folder: &str, texts: [&String; 4]) -> Vec<SshdFile> {
    // Files in folders include nothing, or only what includes nothing: no circles.
    let flat = |text: &String| text.replace("Include", "#").replace("include", "#");
    let given = [
        ("sshd_config", texts[0].clone()),
        ("d/00-a.conf", flat(texts[1])),
        ("d/50-b.conf", texts[2].replace("/d/", "/nothing/")),
        ("e/inner", flat(texts[3])),
    ];
    given
        .map(|(name, text)| SshdFile { path: format!("{folder}/{name}"), text: text.replace("{folder}", folder) })
        .to_vec()
}

fn texts(files: &[SshdFile]) -> Vec<ConfigText> {
    let text = |file: &SshdFile| ConfigText {
        path: file.path.clone(),
        text: Fact::Known(file.text.clone()),
        modified: Fact::Unread,
        unread: None,
    };
    files.iter().map(text).collect()
}

fn edited(files: &[SshdFile], edit: &SshdEdit) -> Vec<SshdFile> {
    let mut after: Vec<SshdFile> =
        edit.files.iter().map(|file| SshdFile { path: file.path.clone(), text: file.after.clone() }).collect();
    after.extend(files.iter().filter(|file| edit.files.iter().all(|one| one.path != file.path)).cloned());
    after.sort_by_key(|file| !file.path.ends_with("/sshd_config"));
    after
}

proptest! {
    #[test]
    fn the_wanted_value_counts_everywhere(one in text(), two in text(), three in text(), four in text()) {
        let files = written("/etc/ssh", [&one, &two, &three, &four]);
        let edit = set(&files, "MaxAuthTries", &["3"]).unwrap();
        let after = edited(&files, &edit);
        let config = SshdConfig::parse("/etc/ssh/sshd_config", &texts(&after));
        let lines: Vec<&Directive> = config.settings_for("maxauthtries").collect();
        prop_assert_eq!(&lines.iter().find(|line| line.inside.is_empty()).unwrap().args, &["3"]);
        prop_assert!(lines.iter().filter(|line| !line.inside.is_empty()).all(|line| line.args == ["3"]));
        prop_assert_eq!(set(&after, "MaxAuthTries", &["3"]).unwrap().files, []);
        // A file that is read twice, or in a Match block too, would add its lines there as well: that is refused.
        if let Ok(edit) = replace_all(&files, "AllowUsers", &["eve".to_owned(), "root@10.0.0.1".to_owned()]) {
            let config = SshdConfig::parse("/etc/ssh/sshd_config", &texts(&edited(&files, &edit)));
            let lines = config.settings_for("allowusers").filter(|line| line.inside.is_empty());
            let users: Vec<&String> = lines.flat_map(|line| &line.args).collect();
            prop_assert_eq!(users, ["eve", "root@10.0.0.1"]);
        }
    }

    #[test]
    fn any_text_gives_an_answer(text in "(\\PC|\n|MaxAuthTries |Match |Include |\"){0,40}") {
        let files = [SshdFile { path: "/etc/ssh/sshd_config".to_owned(), text }];
        if let Ok(edit) = set(&files, "MaxAuthTries", &["3"]) {
            let config = SshdConfig::parse("/etc/ssh/sshd_config", &texts(&edited(&files, &edit)));
            let first = config.settings_for("maxauthtries").find(|line| line.inside.is_empty()).unwrap();
            prop_assert_eq!(&first.args, &["3"]);
        }
    }
}

/// What `sshd -T` prints, line by line. None: it refuses the files.
fn asked(main: &Path, key: &Path, connection: &str) -> Option<Vec<String>> {
    let mut command = Command::new(SSHD);
    command.arg("-T").arg("-f").arg(main).arg("-h").arg(key);
    if !connection.is_empty() {
        command.args(["-C", connection]);
    }
    let output = command.output().ok()?;
    let printed = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| printed.lines().map(str::to_owned).collect())
}

fn laid(files: &[SshdFile]) {
    for file in files {
        std::fs::create_dir_all(Path::new(&file.path).parent().unwrap()).unwrap();
        std::fs::write(&file.path, &file.text).unwrap();
    }
}

#[test]
fn sshd_itself_finds_the_wanted_value_and_no_other_change() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status();
    let plain = folder.path().join("plain");
    std::fs::write(&plain, "").unwrap();
    if !made.is_ok_and(|status| status.success()) || asked(&plain, &key, "").is_none() {
        assert!(std::env::var_os("CI").is_none(), "no sshd: run tests/run, which installs openssh-server");
        let _ = writeln!(
            std::io::stderr(),
            "#### LEFT OUT: no sshd here that this user can ask with `sshd -T`; edits of its files were not tried on it"
        );
        return;
    }
    let compared = std::cell::Cell::new(0);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 24,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let run = runner.run(&(text(), text(), text(), text()), |(one, two, three, four)| {
        let place = tempfile::tempdir().unwrap();
        let files = written(&place.path().display().to_string(), [&one, &two, &three, &four]);
        let main = place.path().join("sshd_config");
        let edit = set(&files, "MaxAuthTries", &["3"]).unwrap();
        let rest = |printed: &[String]| -> Vec<String> {
            printed.iter().filter(|line| !line.starts_with("maxauthtries ")).cloned().collect()
        };
        for connection in [
            "",
            "user=root,host=seat,addr=10.0.0.5,laddr=10.0.0.1,lport=22",
            "user=root,host=seat,addr=192.0.2.9,laddr=10.0.0.1,lport=22",
            "user=dave,host=seat,addr=10.0.0.9,laddr=10.0.0.1,lport=22",
        ] {
            laid(&files);
            let Some(before) = asked(&main, &key, connection) else { continue };
            laid(&edited(&files, &edit));
            let after = asked(&main, &key, connection).unwrap();
            prop_assert!(after.iter().any(|line| line == "maxauthtries 3"), "{connection}: {after:?}");
            prop_assert_eq!(rest(&before), rest(&after));
            compared.set(compared.get() + 1);
            let own = place.path().join("d/00-sitewarden.conf");
            let _ = std::fs::remove_file(own);
        }
        Ok(())
    });
    run.unwrap_or_else(|failed| panic!("{failed}"));
    assert!(compared.get() > 24, "sshd refused nearly all files: {}", compared.get());
}
