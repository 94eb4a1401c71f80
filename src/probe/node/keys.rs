//! Users who can log in, and what may open their doors: authorized keys, never their bodies or comments.

use super::answer::{self, Answer};
use super::frames::State;
use super::text;
use crate::evidence::{AuthorizedKey, Fact, Listing, LoginUser, Reason};
use std::collections::BTreeMap;

/// Reads the users with a login shell.
pub(super) fn users(answer: &mut Answer<'_>) -> Listing<LoginUser> {
    let got = answer.got("users");
    answer.note(&got, "users", "the users who can log in");
    let Some(record) = got.record() else { return Listing::default() };
    let (mut items, mut broken) = (Vec::new(), false);
    for line in record.lines() {
        let fields: Vec<String> = line.split(':').map(text::line).collect();
        match fields.as_slice() {
            [name, uid, _gid, home, shell] if !name.is_empty() && uid.parse::<i64>().is_ok() => items.push(LoginUser {
                name: name.clone(),
                uid: uid.parse().unwrap_or(-1),
                shell: shell.clone(),
                home: home.clone(),
            }),
            _ => broken = true,
        }
    }
    if broken {
        answer.gap("users", Reason::Malformed, "a line of the user list could not be understood");
    }
    Listing { items, complete: !broken && matches!(got, super::answer::Got::Here(_)) }
}

/// Reads the authorized keys of all login users.
pub(super) fn authorized(answer: &mut Answer<'_>) -> Listing<AuthorizedKey> {
    const PATH: &str = "authorized_keys";
    let mut complete = true;
    let source = answer.pairs("keys.source", PATH, "where authorized keys are looked for");
    match source.as_ref().map(|pairs| pairs.value("command")) {
        Some(Some("no")) => {}
        Some(Some("yes")) => {
            complete = false;
            answer.gap(
                PATH,
                Reason::NotVisible,
                "sshd also takes keys that stand in no file (AuthorizedKeysCommand, TrustedUserCAKeys), which are not seen here",
            );
        }
        Some(_) => {
            complete = false;
            answer.gap(PATH, Reason::NotVisible, "whether sshd also asks a command for keys is not known");
        }
        None => complete = false,
    }
    let got = answer.got("keys");
    // Without ssh-keygen the kinds are there, their sizes are not.
    let tool = !matches!(got, super::answer::Got::Missing(State::Unsupported));
    let record = match &got {
        super::answer::Got::Here(record) | super::answer::Got::Cut(record) => Some(*record),
        super::answer::Got::Missing(State::Unsupported) => answer.unsupported("keys"),
        _ => None,
    };
    if tool {
        answer.note(&got, PATH, "the authorized keys");
    }
    let Some(record) = record else { return Listing::default() };
    if !tool && record.flags.cut {
        answer.gap(PATH, Reason::TooLarge, "the authorized keys: longer than the bound");
    }
    complete &= !record.flags.cut && !matches!(got, super::answer::Got::Absent);
    let (mut items, mut times) = (Vec::new(), BTreeMap::new());
    for row in record.table() {
        let row: Vec<String> = row.iter().map(|field| text::whole(field)).collect();
        match row.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["file", "here" | "absent", _user, time, path] => {
                times.insert((*path).to_owned(), answer::time(time));
            }
            ["file", "here" | "absent", _user, _path] => {}
            ["file", state, _user, _path] | ["file", state, _user, _, _path] => {
                complete = false;
                answer.missing(State::from_word(state), PATH, "the authorized keys of a user");
            }
            ["key", user, line, kind, bits, fingerprint, options, path] if line.parse::<i64>().is_ok_and(|n| n > 0) => {
                items.push(key([user, line, kind, bits, fingerprint, options, path], tool));
            }
            _ => {
                complete = false;
                answer.gap(PATH, Reason::Malformed, "a line of the list of keys could not be understood");
            }
        }
    }
    for item in &mut items {
        item.file_modified = times.get(&item.file).cloned().unwrap_or_default();
    }
    Listing { items, complete }
}

fn key([user, line, kind, bits, fingerprint, options, path]: [&str; 7], tool: bool) -> AuthorizedKey {
    let known = answer::column(kind).is_some();
    let unread = match (known, answer::column(bits), answer::column(fingerprint)) {
        (false, _, _) => Some(Reason::Malformed),
        (true, Some(_), Some(_)) => None,
        _ if tool => Some(Reason::Malformed),
        _ => Some(Reason::Unsupported),
    };
    let fact = |value: &str| answer::column(value).map_or(Fact::Unread, |v| Fact::Known(text::line(v)));
    AuthorizedKey {
        name: format!("{user}, line {line} of {path}"),
        user: user.to_owned(),
        file: path.to_owned(),
        line: line.parse().unwrap_or(0),
        file_modified: Fact::Unread,
        kind: fact(kind),
        bits: answer::number(bits),
        fingerprint: fact(fingerprint),
        options: split_options(options),
        unread,
    }
}

/// Options between commas; a comma within quotes belongs to its value.
fn split_options(options: &str) -> Vec<String> {
    let mut found = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for c in options.chars() {
        if c == ',' && !quoted {
            found.push(String::new());
            continue;
        }
        if c == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = c == '\\' && !escaped;
        if let Some(last) = found.last_mut() {
            last.push(c);
        }
    }
    found.retain(|option| !matches!(option.trim(), "" | "-"));
    found.iter().map(|option| kept(option.trim())).collect()
}

/// Only two options say by their value who may come; of the others the name is enough, and `environment=` may hold secrets.
fn kept(option: &str) -> String {
    let (name, value) = option.split_once('=').unwrap_or((option, ""));
    let name = name.to_ascii_lowercase();
    if matches!(name.as_str(), "from" | "expiry-time") && !value.is_empty() { format!("{name}={value}") } else { name }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::testing::{Made, assembled, record};
    use super::*;

    const ROOT: &str = "file\there\troot\t1700000000\t/root/.ssh/authorized_keys\n";
    const KEY: &str = "key\troot\t2\tssh-ed25519\t256\tSHA256:abc\tfrom=\"10.0.0.0/8,::1\",command=\"x y\",no-pty\t/root/.ssh/authorized_keys\n";

    fn source() -> Made {
        record("keys.source", "-", "pattern=.ssh/authorized_keys\nfrom=sshd -T\ncommand=no\n")
    }

    #[test]
    fn a_key_keeps_who_may_use_it_and_nothing_secret() {
        let keys = assembled(&[source(), record("keys", "-", &format!("{ROOT}{KEY}"))]).authorized_keys;
        assert!(keys.complete);
        let key = &keys.items[0];
        assert_eq!(key.name, "root, line 2 of /root/.ssh/authorized_keys");
        assert_eq!(key.options, ["from=\"10.0.0.0/8,::1\"", "command", "no-pty"]);
        assert_eq!((&key.bits, key.unread), (&Fact::Known(256), None));
        assert_eq!(key.file_modified, Fact::Known(jiff::Timestamp::from_second(1_700_000_000).unwrap()));
    }

    #[test]
    fn what_may_not_be_read_leaves_the_list_open() {
        let forbidden = format!("{ROOT}file\tforbidden\tops\t?\t/home/ops/.ssh/authorized_keys\n");
        let node = assembled(&[source(), record("keys", "-", &forbidden)]);
        assert!(!node.authorized_keys.complete);
        assert!(node.unread.iter().any(|gap| gap.path == "authorized_keys" && gap.reason == Reason::Forbidden));
        let asked = record("keys.source", "-", "command=yes\n");
        assert!(!assembled(&[asked, record("keys", "-", ROOT)]).authorized_keys.complete);
        assert!(!assembled(&[record("keys", "-", ROOT)]).authorized_keys.complete);
    }

    #[test]
    fn without_ssh_keygen_the_kind_stays() {
        let line = "key\troot\t1\tssh-rsa\t?\t?\t-\t/root/.ssh/authorized_keys\n";
        let keys = assembled(&[source(), record("keys", "u", &format!("{ROOT}{line}"))]).authorized_keys;
        assert_eq!(keys.items[0].unread, Some(Reason::Unsupported));
        assert_eq!(keys.items[0].kind, Fact::Known("ssh-rsa".into()));
        assert_eq!(keys.items[0].bits, Fact::Unread);
    }

    #[test]
    fn users_with_a_shell() {
        let users =
            assembled(&[record("users", "-", "root:0:0:/root:/bin/bash\nops:1000:1000:/home/ops:/bin/sh\n")]).users;
        assert!(users.complete);
        assert_eq!((users.items[1].name.as_str(), users.items[1].uid), ("ops", 1000));
        assert!(!assembled(&[record("users", "-", "root:zero:0:/root:/bin/bash\n")]).users.complete);
    }
}
