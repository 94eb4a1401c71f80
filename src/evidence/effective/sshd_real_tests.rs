#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]
//! Random configurations, read by us and by the sshd of this machine: both must name the same line.

use super::super::super::{ConfigText, Fact};
use super::super::sshd_config::SshdConfig;
use super::super::{sshd_keywords, sshd_origin::Origins};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

const SSHD: &str = "/usr/sbin/sshd";

/// What a line of a random file is; values are numbered by line, so that a value tells its line.
#[derive(Debug, Clone)]
enum Line {
    Value,
    AllowUsers,
    Match(&'static str),
    Include,
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let matches = [
        "all",
        "User root",
        "User dave,!root",
        "Address 10.0.0.0/8",
        "Address *.0.0.?,!10.0.0.5",
        "LocalPort 22",
        "Host seat User r*",
        "Address 192.0.2.0/24 User dave",
    ];
    let line = prop_oneof![
        4 => Just(Line::Value),
        2 => Just(Line::AllowUsers),
        3 => proptest::sample::select(matches.to_vec()).prop_map(Line::Match),
        2 => Just(Line::Include),
    ];
    proptest::collection::vec(line, 0..8)
}

/// A file's text; `number` goes on counting over all files, `next` is the pattern that an Include names.
fn text(lines: &[Line], number: &mut usize, next: Option<&str>) -> String {
    let mut text = String::new();
    for line in lines {
        *number += 1;
        let written = match line {
            Line::Value => format!("maxAuthTries = {number} # comment"),
            Line::AllowUsers => format!("AllowUsers \"user{number}\""),
            Line::Match(criteria) => format!("Match {criteria}"),
            Line::Include => match next {
                Some(pattern) => format!("Include {pattern}"),
                None => String::new(),
            },
        };
        text.push_str(&written);
        text.push('\n');
    }
    text
}

fn sshd(main: &Path, key: &Path, connection: &BTreeMap<String, String>) -> Option<BTreeMap<String, Vec<String>>> {
    let mut command = Command::new(SSHD);
    command.arg("-T").arg("-f").arg(main).arg("-h").arg(key);
    if !connection.is_empty() {
        let pairs: Vec<String> = connection.iter().map(|(key, value)| format!("{key}={value}")).collect();
        command.arg("-C").arg(pairs.join(","));
    }
    let output = command.output().ok()?;
    if !output.status.success() {
        return None;
    }
    let mut printed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in String::from_utf8(output.stdout).ok()?.lines() {
        let (keyword, value) = line.split_once(' ').unwrap_or((line, ""));
        printed.entry(keyword.to_ascii_lowercase()).or_default().push(value.to_owned());
    }
    Some(printed)
}

fn connection(user: &str, addr: &str) -> BTreeMap<String, String> {
    [("user", user), ("host", "seat"), ("addr", addr), ("laddr", "10.0.0.1"), ("lport", "22")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

#[test]
fn sshd_itself_names_the_same_lines() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status();
    let main = folder.path().join("sshd_config");
    std::fs::write(&main, "").unwrap();
    if !made.is_ok_and(|status| status.success()) || sshd(&main, &key, &BTreeMap::new()).is_none() {
        assert!(std::env::var_os("CI").is_none(), "no sshd: run tests/run, which installs openssh-server");
        // Past the test runner, which keeps what a passing test prints to itself.
        let _ = writeln!(
            std::io::stderr(),
            "#### LEFT OUT: no sshd here that this user can ask with `sshd -T`; our reading of sshd_config was not compared with it"
        );
        return;
    }
    let parts = folder.path().join("d");
    std::fs::create_dir(&parts).unwrap();
    let pattern = parts.join("*.conf").display().to_string();
    let inner = folder.path().join("inner").display().to_string();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 24,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let run = runner.run(&(lines(), lines(), lines(), lines()), |(first, second, third, fourth)| {
        let mut number = 0;
        let files: Vec<ConfigText> = [
            (main.display().to_string(), text(&first, &mut number, Some(&pattern))),
            (parts.join("10-a.conf").display().to_string(), text(&second, &mut number, Some(&inner))),
            (parts.join("9-b.conf").display().to_string(), text(&third, &mut number, None)),
            (inner.clone(), text(&fourth, &mut number, None)),
        ]
        .map(|(path, text)| ConfigText { path, text: Fact::Known(text), modified: Fact::Unread, unread: None })
        .to_vec();
        for file in &files {
            std::fs::write(&file.path, file.text.known().unwrap()).unwrap();
        }
        let config = SshdConfig::parse(&main.display().to_string(), &files);
        prop_assert!(config.is_whole());
        let origins = Origins { config: &config, complete: true, default: "default of sshd".into() };
        let contexts = [
            BTreeMap::new(),
            connection("root", "10.0.0.5"),
            connection("root", "192.0.2.9"),
            connection("dave", "10.0.0.9"),
            connection("dave", "192.0.2.9"),
        ];
        for connection in contexts {
            let printed = sshd(&main, &key, &connection);
            // Without a connection OpenSSH 9.2 refuses to print anything where a Match asks for the local port.
            if printed.is_none() && connection.is_empty() {
                continue;
            }
            prop_assert!(printed.is_some(), "sshd refused {:?}", files);
            let printed = printed.unwrap_or_default();
            for keyword in ["maxauthtries", "allowusers"] {
                let values = printed.get(keyword).cloned().unwrap_or_default();
                let answers = config.answers(&connection);
                let origin = origins.of(sshd_keywords::find(keyword).unwrap(), &values, &answers);
                prop_assert!(&*origin != "sshd -T", "{keyword} {values:?} for {connection:?} in {files:?}");
                // A default only where sshd printed its own.
                let is_default = values.is_empty() || (keyword == "maxauthtries" && values == ["6"]);
                prop_assert!(is_default || &*origin != "default of sshd", "{keyword} {values:?} in {files:?}");
                if keyword == "allowusers" {
                    let named: usize = match &*origin {
                        "default of sshd" => 0,
                        origin => origin.split("; ").filter(|place| !place.starts_with("and ")).count(),
                    };
                    prop_assert_eq!(named, values.len().min(3), "{} for {:?} in {:?}", origin, connection, files);
                }
            }
        }
        Ok(())
    });
    run.unwrap();
}
