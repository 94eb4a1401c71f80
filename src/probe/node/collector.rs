//! The collector as it goes to a node: the command line for the login shell, and the script on standard input.

use super::layouts::{LayoutError, Layouts};
use crate::channel::Script;

/// The frame of the script: encoding, bounds, marks, and the order of what is done.
const COLLECTOR: &str = include_str!("../../../assets/collector.sh");

/// Its parts, by the name at which the frame asks for them.
const PARTS: [(&str, &str); 6] = [
    ("host", include_str!("../../../assets/collector/host.sh")),
    ("processes", include_str!("../../../assets/collector/processes.sh")),
    ("sshd", include_str!("../../../assets/collector/sshd.sh")),
    ("keys", include_str!("../../../assets/collector/keys.sh")),
    ("paths", include_str!("../../../assets/collector/paths.sh")),
    ("components", include_str!("../../../assets/collector/components.sh")),
];

/// The beginning of a line at which a part or the layouts are put in: `#@ host`.
const PLACE: &str = "#@ ";

/// Runs in any login shell (bash, dash, ash, zsh, csh, fish) since all of them pass a single-quoted word on as it is: no
/// quote, backslash, exclamation mark or line feed may stand in it. As root it goes on as root; else through `sudo -n`
/// where that works without a question; else as the login is.
const BOOTSTRAP: &str = r#"u=$(id -un); i=$(id -u); if [ "$i" = 0 ]; then exec sh -s -- "$1" root "$u" "$i" "$SSH_CONNECTION"; fi; if sudo -n sh -c : </dev/null >/dev/null 2>&1; then exec sudo -n sh -s -- "$1" sudo "$u" "$i" "$SSH_CONNECTION"; fi; exec sh -s -- "$1" none "$u" "$i" "$SSH_CONNECTION""#;

/// The script of one run with the layouts that the program carries. `nonce`: fresh for every run, hexadecimal digits.
pub fn script(nonce: &str) -> Result<Script, LayoutError> {
    script_with(nonce, &Layouts::embedded()?)
}

/// The script of one run that looks for files where `layouts` says.
pub fn script_with(nonce: &str, layouts: &Layouts) -> Result<Script, LayoutError> {
    if nonce.is_empty() || !nonce.chars().all(|c| c.is_ascii_hexdigit()) {
        return Err(LayoutError::Unfit(nonce.to_owned()));
    }
    let whole = text(layouts);
    let mut stdin = String::with_capacity(whole.len());
    // Comments and indentation stay at home: the link may be slow.
    for line in whole.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        stdin.push_str(line);
        stdin.push('\n');
    }
    Ok(Script { command: format!("sh -c '{BOOTSTRAP}' sh {nonce}"), stdin: stdin.into_bytes() })
}

/// The whole script for people: with its comments, the parts and the layouts in their places.
pub fn text(layouts: &Layouts) -> String {
    let mut whole = String::new();
    for line in COLLECTOR.lines() {
        match line.strip_prefix(PLACE).and_then(|name| PARTS.iter().find(|(part, _)| *part == name)) {
            Some((_, part)) => part.lines().for_each(|line| match line.trim() {
                "#@ layouts" => whole.push_str(&layouts.script()),
                _ => {
                    whole.push_str(line);
                    whole.push('\n');
                }
            }),
            None => {
                whole.push_str(line);
                whole.push('\n');
            }
        }
    }
    whole
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
        assert!(!BOOTSTRAP.contains(['\'', '\\', '!', '\n']), "{BOOTSTRAP}");
        let script = script(&nonce().unwrap()).unwrap();
        assert_eq!(script.command.matches('\'').count(), 2);
    }

    #[test]
    fn the_script_is_one_group_with_the_layouts_in_it() {
        let script = script("00ff").unwrap();
        let text = String::from_utf8(script.stdin).unwrap();
        assert!(text.starts_with("{\n") && text.ends_with("exit\n}\n"));
        assert!(text.contains("look etcd-data /var/lib/etcd\n") && !text.contains(PLACE), "a place was left");
        assert!(super::script("x; id").is_err());
    }

    #[test]
    fn nonces_are_fresh() {
        let (one, two) = (nonce().unwrap(), nonce().unwrap());
        assert_eq!(one.len(), 32);
        assert_ne!(one, two);
    }
}
