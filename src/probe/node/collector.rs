//! The collector as it goes to a node: the command line for the login shell, and the script on standard input.

use super::gate::Marks;
use super::layouts::{LayoutError, Layouts};
use crate::channel::Script;

/// What every script begins and ends with: encoding, bounds, marks.
const FRAME: &str = include_str!("../../../assets/collector.sh");

/// The parts, by the name at which a line `#@ NAME` of the frame or of another part asks for them.
const PARTS: [(&str, &str); 13] = [
    ("node", include_str!("../../../assets/collector/node.sh")),
    ("packages", include_str!("../../../assets/collector/packages.sh")),
    ("host", include_str!("../../../assets/collector/host.sh")),
    ("volumes", include_str!("../../../assets/collector/volumes.sh")),
    ("processes", include_str!("../../../assets/collector/processes.sh")),
    ("sshd", include_str!("../../../assets/collector/sshd.sh")),
    ("keys", include_str!("../../../assets/collector/keys.sh")),
    ("paths", include_str!("../../../assets/collector/paths.sh")),
    ("components", include_str!("../../../assets/collector/components.sh")),
    ("manager", include_str!("../../../assets/collector/manager.sh")),
    ("defences", include_str!("../../../assets/collector/defences.sh")),
    ("firewall", include_str!("../../../assets/collector/firewall.sh")),
    ("layouts", ""),
];

/// The beginning of a line at which a part, the body or the layouts are put in: `#@ host`.
const PLACE: &str = "#@ ";

/// Runs in any login shell (bash, dash, ash, zsh, csh, fish) since all of them pass a single-quoted word on as it is: no
/// quote, backslash, exclamation mark or line feed may stand in it. As root it goes on as root; else through `sudo -n`
/// where that works without a question; else, where `$2` is `ask` and there is a sudo, it says so and whose password that
/// would want, and ends; else it goes on as the login is.
const BOOTSTRAP: &str = r#"u=$(id -un); i=$(id -u); if [ "$i" = 0 ]; then exec sh -s -- "$1" root "$u" "$i" "$SSH_CONNECTION"; fi; if e=$(LC_ALL=C sudo -n sh -c : 2>&1 </dev/null); then exec sudo -n sh -c "$3" sh "$1" sudo "$u" "$i" "$SSH_CONNECTION"; fi; if [ "$2" = ask ] && command -v sudo >/dev/null 2>&1; then echo "@ $1 SUDO $u"; echo "$e" >&2; exit 0; fi; exec sh -s -- "$1" none "$u" "$i" "$SSH_CONNECTION""#;

/// What `sudo -n` runs: `sh -c`, as everywhere here, so that a sudo rule need allow that alone.
const AS_ROOT: &str = r#"exec sh -s -- "$@""#;

/// Runs in any login shell, as [`BOOTSTRAP`]. sudo asks with a prompt made of `$1` and `$2`, on standard error, whether or
/// not it remembers an earlier password, and remembers none of this.
const WITH_PASSWORD: &str = r#"LC_ALL=C; export LC_ALL; exec sudo -k -S -p "[$1.$2] " sh -c "$4" sh "$1" "$2" "$3" "$(id -un)" "$(id -u)" "$SSH_CONNECTION""#;

/// What sudo runs when it took the password. It announces itself, throws away whatever comes before the line `$1`, and
/// only what follows is a script: a password that sudo did not read can never be run.
const BEHIND_GATE: &str = r#"[ "$(id -u)" = 0 ] || exit 1; echo "@$2.$1@"; while IFS= read -r l; do if [ "$l" = "$1" ]; then exec sh -s -- "$3" sudo "$4" "$5" "$6"; fi; done; exit 1"#;

/// Runs in any login shell as well. The second script reads nothing that only root may, so it goes on as the login is.
const PLAIN: &str = r#"u=$(id -un); i=$(id -u); p=none; if [ "$i" = 0 ]; then p=root; fi; exec sh -s -- "$1" "$p" "$u" "$i" "$SSH_CONNECTION""#;

/// The script of one run with the layouts that the program carries. `nonce`: fresh for every run, hexadecimal digits.
pub fn script(nonce: &str) -> Result<Script, LayoutError> {
    script_with(nonce, &Layouts::embedded()?)
}

/// The script of one run that looks for files where `layouts` says.
pub fn script_with(nonce: &str, layouts: &Layouts) -> Result<Script, LayoutError> {
    check(nonce)?;
    Ok(Script { command: command(nonce, false), stdin: stdin(layouts) })
}

/// The command line of one run. `ask`: where sudo wants a password, the node says so (see [`wants_password`]) instead of
/// going on without it.
pub(super) fn command(nonce: &str, ask: bool) -> String {
    let mode = if ask { "ask" } else { "plain" };
    format!("sh -c '{BOOTSTRAP}' sh {nonce} {mode} '{AS_ROOT}'")
}

/// The command line of one run by sudo with a password; its input is what [`super::gate::Gate`] says.
pub(super) fn command_with_password(nonce: &str, marks: &Marks) -> String {
    let Marks { one, other } = marks;
    format!("sh -c '{WITH_PASSWORD}' sh {one} {other} {nonce} '{BEHIND_GATE}'")
}

/// The user whose password sudo wants, where a run of [`command`] said so.
pub(super) fn wants_password(stdout: &[u8], nonce: &str) -> Option<String> {
    let mark = format!("@ {nonce} SUDO ");
    let line = stdout.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(mark.as_bytes()))?;
    let user = std::str::from_utf8(line).ok()?.trim_end();
    let plain = !user.is_empty() && user.len() <= 256 && !user.contains(char::is_control);
    plain.then(|| user.to_owned())
}

/// What the node's shell reads: the collector with the places to look at.
pub(super) fn stdin(layouts: &Layouts) -> Vec<u8> {
    stripped(&text(layouts))
}

/// The second script of one run: pending updates and Defender's health, which take seconds. `nonce` as in [`script`].
pub fn packages(nonce: &str) -> Result<Script, LayoutError> {
    check(nonce)?;
    Ok(Script { command: format!("sh -c '{PLAIN}' sh {nonce}"), stdin: stripped(&packages_text()) })
}

/// The whole first script for people: with its comments, the parts and the layouts in their places.
pub fn text(layouts: &Layouts) -> String {
    let mut whole = String::new();
    fill(FRAME, "node", &layouts.script(), 0, &mut whole);
    whole
}

/// The whole second script for people.
pub fn packages_text() -> String {
    let mut whole = String::new();
    fill(FRAME, "packages", "", 0, &mut whole);
    whole
}

fn check(nonce: &str) -> Result<(), LayoutError> {
    let sound = !nonce.is_empty() && nonce.chars().all(|c| c.is_ascii_hexdigit());
    if sound { Ok(()) } else { Err(LayoutError::Unfit(nonce.to_owned())) }
}

/// Writes a part with the parts that it asks for. They lie three deep at most.
fn fill(part: &str, body: &str, layouts: &str, depth: u8, whole: &mut String) {
    for line in part.lines() {
        let name = line.trim().strip_prefix(PLACE).map(|name| if name == "body" { body } else { name });
        match name.and_then(|name| PARTS.iter().find(|(part, _)| *part == name)) {
            Some(("layouts", _)) => whole.push_str(layouts),
            Some((_, inner)) if depth < 3 => fill(inner, body, layouts, depth + 1, whole),
            _ => {
                whole.push_str(line);
                whole.push('\n');
            }
        }
    }
}

/// The script without comments and indentation, which stay at home: the link may be slow.
fn stripped(whole: &str) -> Vec<u8> {
    let mut stdin = String::with_capacity(whole.len());
    for line in whole.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        stdin.push_str(line);
        stdin.push('\n');
    }
    stdin.into_bytes()
}

/// A fresh nonce: 16 random bytes in hexadecimal digits.
pub fn nonce() -> Result<String, openssl::error::ErrorStack> {
    let mut bytes = [0u8; 16];
    openssl::rand::rand_bytes(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn the_command_passes_every_login_shell_as_it_is() {
        for word in [BOOTSTRAP, AS_ROOT, WITH_PASSWORD, BEHIND_GATE, PLAIN] {
            assert!(!word.contains(['\'', '\\', '!', '\n']), "{word}");
        }
        let script = script(&nonce().unwrap()).unwrap();
        assert_eq!(script.command.matches('\'').count(), 4);
    }

    #[test]
    fn the_shell_of_root_runs_nothing_that_comes_before_the_mark() {
        use std::io::Write as _;
        use std::process::{Command, Stdio};
        let script = BEHIND_GATE.replace("$(id -u)", "0");
        let mut shells = 0;
        for shell in [&["sh"][..], &["dash"], &["bash", "--posix"], &["busybox", "sh"]] {
            let started = Command::new(shell[0])
                .args(&shell[1..])
                .args(["-c", &script, "sh", "aa11", "bb22", "00ff", "ana", "1000", ""])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn();
            let Ok(mut child) = started else { continue };
            let input = b"echo password\n aa11\naa11 \necho $(id)\\\n\naa11\necho \"$1 $2 $3 $4\"\n";
            child.stdin.take().unwrap().write_all(input).unwrap();
            let done = child.wait_with_output().unwrap();
            assert_eq!(String::from_utf8_lossy(&done.stdout), "@bb22.aa11@\n00ff sudo ana 1000\n", "{shell:?}");
            shells += 1;
        }
        assert!(shells > 0);
    }

    #[test]
    fn a_node_whose_sudo_wants_a_password_says_whose() {
        let said = |stdout: &str| wants_password(stdout.as_bytes(), "00ff");
        assert_eq!(said("motd\n@ 00ff SUDO ana\n").as_deref(), Some("ana"));
        assert_eq!(said("@ 00fe SUDO ana\n"), None);
        assert_eq!(said("@ 00ff SUDO \x1b[2J\n"), None);
        assert_eq!(said(&command("00ff", true)), None, "an echo of the command is no answer");
    }

    #[test]
    fn the_script_is_one_group_with_the_layouts_in_it() {
        let script = script("00ff").unwrap();
        let text = String::from_utf8(script.stdin).unwrap();
        let second = String::from_utf8(packages("00ff").unwrap().stdin).unwrap();
        assert!(second.starts_with("{\n") && second.ends_with("exit\n}\n"));
        assert!(second.contains("apt-get -s") && !second.contains("sudo") && !text.contains("apt-get -s"));
        assert!(text.starts_with("{\n") && text.ends_with("exit\n}\n"));
        assert!(text.contains("look etcd-data /var/lib/etcd\n"));
        for whole in [super::text(&Layouts::embedded().unwrap()), packages_text()] {
            assert!(!whole.contains(PLACE), "a place was left");
        }
        assert!(super::script("x; id").is_err());
    }

    #[test]
    fn nonces_are_fresh() {
        let (one, two) = (nonce().unwrap(), nonce().unwrap());
        assert_eq!(one.len(), 32);
        assert_ne!(one, two);
    }
}
