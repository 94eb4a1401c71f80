//! Small things that every part of a remedy needs.

use openssl::sha::Sha256;
use similar::TextDiff;
use std::fmt::Write as _;

/// SHA-256, lower-case hex.
pub(super) fn sha256(bytes: &[u8]) -> String {
    let mut sha = Sha256::new();
    sha.update(bytes);
    sha.finish().iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Permission bits as `chmod` takes them: `0600`.
pub(super) fn octal(mode: u32) -> String {
    format!("{mode:04o}")
}

/// A word as a POSIX shell takes it. What a shell cannot take (a zero byte) is cut there.
pub(super) fn quoted(word: &str) -> String {
    let word = word.split('\0').next().unwrap_or_default();
    shlex::try_quote(word).map_or_else(|_| String::new(), std::borrow::Cow::into_owned)
}

/// The unified diff of two texts, fit for a screen. What changes is shown as it is; what only stands around it may hold a
/// secret that nobody asked for.
pub(super) fn unified(was: &str, new: &str, from: &str, to: &str) -> String {
    let diff = TextDiff::from_lines(was, new).unified_diff().context_radius(3).header(from, to).to_string();
    let clean = |c: char| if c == '\t' { ' ' } else { c };
    let diff: String = diff.chars().map(clean).filter(|c| *c == '\n' || !c.is_control()).collect();
    let variables = has_variables(was) || has_variables(new);
    let around = |line: &str| match line.strip_prefix(' ') {
        // Its name, maybe on the line before, would tell what it is.
        Some(words) if variables && value_at(words).is_some() => {
            format!(" {} (not shown)\n", value_at(words).and_then(|at| words.get(..at)).unwrap_or_default())
        }
        Some(words) => format!(" {}\n", crate::probe::without_secrets(words)),
        None => format!("{line}\n"),
    };
    diff.lines().map(around).collect()
}

/// Whether a text has a list of variables, as manifests do, in YAML or JSON.
pub(super) fn has_variables(text: &str) -> bool {
    key_at(text, "env").is_some()
}

/// Where the value of a variable begins in a line: behind its key and the colon.
pub(super) fn value_at(line: &str) -> Option<usize> {
    key_at(line, "value")
}

/// Where what follows a key begins.
fn key_at(text: &str, key: &str) -> Option<usize> {
    let part_of_a_word = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    text.match_indices(key).find_map(|(at, _)| {
        let before = text.get(..at)?.chars().next_back();
        let rest = text.get(at + key.len()..)?;
        let behind = rest.trim_start_matches(['"', '\'']).trim_start();
        let colon = behind.starts_with(':') && !before.is_some_and(part_of_a_word);
        colon.then(|| text.len() - behind.len() + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_variables_stay_off_the_screen_however_they_are_written() {
        let manifests = [
            "    env:\n    - name: DB\n      value: hidden-word\n    image: a\n",
            "    env: [{name: DB, value: hidden-word}]\n    image: a\n",
            "  \"env\": [{\"name\": \"DB\", \"value\": \"hidden-word\"}],\n    image: a\n",
            "    'env' :\n    - {'value' : hidden-word}\n    image: a\n",
        ];
        for text in manifests {
            let shown = unified(text, &text.replace("image: a", "image: b"), "x", "y");
            assert!(shown.contains("+    image: b") && !shown.contains("hidden-word"), "{shown}");
            assert!(has_variables(text), "{text}");
        }
        let flags = "extraEnvs: []\n- name: profiling\n  value: \"true\"\na: 1\n";
        assert!(unified(flags, &flags.replace("a: 1", "a: 2"), "x", "y").contains("value: \"true\""));
    }
}
