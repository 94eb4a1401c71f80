//! The collector as it goes to a node: the command line for the login shell, and the script on standard input.

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
/// where that works without a question; else as the login is.
const BOOTSTRAP: &str = r#"u=$(id -un); i=$(id -u); if [ "$i" = 0 ]; then exec sh -s -- "$1" root "$u" "$i" "$SSH_CONNECTION"; fi; if sudo -n sh -c : </dev/null >/dev/null 2>&1; then exec sudo -n sh -s -- "$1" sudo "$u" "$i" "$SSH_CONNECTION"; fi; exec sh -s -- "$1" none "$u" "$i" "$SSH_CONNECTION""#;

/// Runs in any login shell as well. The second script reads nothing that only root may, so it goes on as the login is.
const PLAIN: &str = r#"u=$(id -un); i=$(id -u); p=none; if [ "$i" = 0 ]; then p=root; fi; exec sh -s -- "$1" "$p" "$u" "$i" "$SSH_CONNECTION""#;

/// The script of one run with the layouts that the program carries. `nonce`: fresh for every run, hexadecimal digits.
pub fn script(nonce: &str) -> Result<Script, LayoutError> {
    script_with(nonce, &Layouts::embedded()?)
}

/// The script of one run that looks for files where `layouts` says.
pub fn script_with(nonce: &str, layouts: &Layouts) -> Result<Script, LayoutError> {
    check(nonce)?;
    Ok(Script { command: format!("sh -c '{BOOTSTRAP}' sh {nonce}"), stdin: stripped(&text(layouts)) })
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
        for command in [BOOTSTRAP, PLAIN] {
            assert!(!command.contains(['\'', '\\', '!', '\n']), "{command}");
        }
        let script = script(&nonce().unwrap()).unwrap();
        assert_eq!(script.command.matches('\'').count(), 2);
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
