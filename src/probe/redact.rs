//! Taking secrets out of command lines, environment files and configuration documents before they become evidence.
//!
//! A value goes where its name says that it is one, or where it looks like one whatever its name. Paths, switches and
//! times whose name speaks of tokens or keys stay: they decide verdicts and open nothing.

use serde_json::Value as Json;

/// What stands in a secret's place.
pub(super) const REDACTED: &str = "[redacted]";

/// Letters of a run that is taken for a key or a token: as many as 30 random bytes have in base64.
const LONG: usize = 40;

/// Depth to which a document is gone through; parsing bounds it lower.
const DEPTH: usize = 128;

/// Takes the secrets out of a command line.
pub(super) fn args(args: &[String]) -> Vec<String> {
    let mut next_is_secret = false;
    args.iter()
        .map(|arg| {
            if std::mem::take(&mut next_is_secret) && !arg.starts_with("--") {
                return REDACTED.to_owned();
            }
            next_is_secret = announces(arg);
            line(arg)
        })
        .collect()
}

/// Takes the secrets out of a text with `NAME=VALUE` lines, flags or settings.
pub(super) fn text(text: &str) -> String {
    let mut inside_pem = false;
    let mut kept = Vec::new();
    for one in text.split('\n') {
        if inside_pem {
            inside_pem = !one.contains("-----END");
        } else if one.contains("-----BEGIN") {
            let end = one.split_once("-----BEGIN").is_some_and(|(_, rest)| rest.contains("-----END"));
            inside_pem = !end;
            kept.push(format!("{}{REDACTED}", one.split_once("-----BEGIN").map_or("", |(before, _)| before)));
        } else {
            kept.push(assignment(one));
        }
    }
    kept.join("\n")
}

/// One `NAME=VALUE` line, where it is one; else a line with words.
fn assignment(one: &str) -> String {
    let name = one.split_once('=').map(|(name, _)| name.trim().trim_start_matches("export ").trim());
    match (name, one.split_once('=')) {
        (Some(name), Some((left, value))) if plain_name(name) => {
            if secret(name, value) {
                format!("{left}={REDACTED}")
            } else {
                format!("{left}={}", line(value))
            }
        }
        _ => line(one),
    }
}

fn plain_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
}

/// One line with words: flags, addresses, anything.
pub(super) fn line(line: &str) -> String {
    if let Some((before, _)) = line.split_once("-----BEGIN") {
        return format!("{before}{REDACTED}");
    }
    let mut next_is_secret = false;
    line.split_inclusive(char::is_whitespace)
        .map(|piece| {
            let word = piece.trim_end_matches(char::is_whitespace);
            let blank = piece.get(word.len()..).unwrap_or_default();
            if word.is_empty() {
                return piece.to_owned();
            }
            if std::mem::take(&mut next_is_secret) && !word.starts_with("--") {
                let quote: String = word.chars().rev().take_while(|c| matches!(c, '"' | '\'')).collect();
                // `Authorization: Bearer TOKEN`: the word after the scheme is the secret.
                next_is_secret = scheme(word);
                return if next_is_secret { piece.to_owned() } else { format!("{REDACTED}{quote}{blank}") };
            }
            next_is_secret = announces(word) || scheme(word);
            format!("{}{blank}", one_word(word))
        })
        .collect()
}

/// Whether the next word is a secret since this one is its name: `--token`, `password:`.
fn announces(word: &str) -> bool {
    let bare = word.trim_start_matches(['"', '\'']);
    let flag = bare.starts_with('-') && !bare.contains('=');
    let key = bare.ends_with(':') && !bare.contains("://");
    let name = bare.trim_end_matches([':', '"', '\'']);
    (flag || key)
        && plain_name(name.trim_start_matches('-'))
        && (secret(name, "x") || name.eq_ignore_ascii_case("authorization"))
}

/// Whether a word is an authorization scheme, which a credential follows.
fn scheme(word: &str) -> bool {
    let bare = word.rsplit(['"', '\'', '=', ':']).next().unwrap_or(word);
    bare.eq_ignore_ascii_case("bearer") || bare.eq_ignore_ascii_case("basic")
}

fn one_word(word: &str) -> String {
    let open = word.len() - word.trim_start_matches(['"', '\'']).len();
    let (quotes, bare) = word.split_at_checked(open).unwrap_or(("", word));
    if let Some((name, value)) = bare.split_once('=')
        && plain_name(name)
    {
        let close: String = value.chars().rev().take_while(|c| matches!(c, '"' | '\'')).collect();
        // The value of a variable may itself be a flag: `ARGS=--token=abc`.
        let value = if secret(name, value.trim_matches(['"', '\''])) {
            format!("{REDACTED}{close}")
        } else if value.contains('=') {
            // `--feature-gates=A=true,B=false`: each of them has a name of its own.
            value.split(',').map(one_word).collect::<Vec<_>>().join(",")
        } else {
            looks(value)
        };
        return format!("{quotes}{name}={value}");
    }
    looks(word)
}

/// Masks what looks like a secret in a value, whatever its name: user names in addresses, tokens, long random runs.
fn looks(value: &str) -> String {
    let value = address(value);
    let separator =
        |c: char| matches!(c, ',' | ';' | '"' | '\'' | '(' | ')' | '=' | '|' | '&' | '?' | '[' | ']' | '{' | '}');
    let mut out = String::with_capacity(value.len());
    for piece in value.split_inclusive(separator) {
        let run = piece.trim_end_matches(separator);
        out.push_str(if random(run) { REDACTED } else { run });
        out.push_str(piece.get(run.len()..).unwrap_or_default());
    }
    out
}

/// `https://user:password@host` without the user.
fn address(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, after)) = rest.split_once("://") {
        out.push_str(before);
        out.push_str("://");
        let end = after.find(['/', '?', '#', ',', ' ', '"', '\'']).unwrap_or(after.len());
        let (authority, tail) = after.split_at_checked(end).unwrap_or((after, ""));
        match authority.rsplit_once('@') {
            Some((_, host)) => {
                out.push_str(REDACTED);
                out.push('@');
                out.push_str(host);
            }
            // A password may hold a slash: then the `@` stands behind it, before any blank or comma.
            None => match tail.split([',', ' ']).next().and_then(|near| near.rsplit_once('@')) {
                Some((taken, _)) if authority.contains(':') && !host_and_port(authority) => {
                    out.push_str(REDACTED);
                    rest = tail.get(taken.len()..).unwrap_or_default();
                    continue;
                }
                _ => out.push_str(authority),
            },
        }
        // What a query asks with may be what opens: `?sig=...`, `?token=...`.
        let near = tail.find([',', ' ', '"', '\'']).unwrap_or(tail.len());
        let (near, far) = tail.split_at_checked(near).unwrap_or((tail, ""));
        match near.split_once('?') {
            Some((path, query)) if !query.is_empty() => {
                out.push_str(path);
                out.push('?');
                out.push_str(REDACTED);
                rest = far;
            }
            _ => rest = tail,
        }
    }
    out.push_str(rest);
    out
}

fn host_and_port(authority: &str) -> bool {
    authority.rsplit_once(':').is_some_and(|(_, port)| !port.is_empty() && port.chars().all(|c| c.is_ascii_digit()))
        || authority.ends_with(']')
}

/// Whether a run of letters is a token: a JWT, a bootstrap token, or as long and mixed as only random bytes are.
fn random(run: &str) -> bool {
    if run.starts_with("eyJ") && run.len() >= 20 && run.contains('.') {
        return true;
    }
    if let Some((id, rest)) = run.split_once('.')
        && (id.len(), rest.len()) == (6, 16)
        && [id, rest].iter().all(|part| part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()))
        && rest.chars().any(|c| c.is_ascii_digit())
    {
        return true;
    }
    let (mut upper, mut lower, mut digit) = (false, false, false);
    for c in run.chars() {
        match c {
            'A'..='Z' => upper = true,
            'a'..='z' => lower = true,
            '0'..='9' => digit = true,
            '+' | '/' | '-' | '_' => {}
            _ => return false,
        }
    }
    let path = run.starts_with('/') && run.matches('/').count() >= 2 && run.split('/').all(|part| part.len() < LONG);
    run.len() >= LONG && upper && lower && digit && !path
}

/// The words of a name: `client-key-data`, `clientKeyData` and `CLIENT_KEY_DATA` have the same.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut last_lower = false;
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() {
            words.push(String::new());
        } else {
            if c.is_ascii_uppercase() && last_lower {
                words.push(String::new());
            }
            if let Some(word) = words.last_mut() {
                word.push(c.to_ascii_lowercase());
            }
        }
        last_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether the value under this name is a secret.
pub(super) fn secret(name: &str, value: &str) -> bool {
    let words = words(name);
    let Some(last) = words.last() else { return false };
    let joined = words.join("-");
    let secret_word = |word: &str| {
        matches!(
            word,
            "token"
                | "tokens"
                | "password"
                | "passwords"
                | "passwd"
                | "pass"
                | "passphrase"
                | "pwd"
                | "pw"
                | "secret"
                | "secrets"
                | "bearer"
                | "credential"
                | "credentials"
                | "apikey"
                | "authorization"
                | "cookie"
                | "pat"
        ) || ["password", "passwd", "passphrase", "secret", "apikey"].iter().any(|part| word.contains(part))
            || (word.len() > 5 && word.ends_with("token"))
    };
    let pair = [
        "client-key-data",
        "api-key",
        "access-key",
        "account-key",
        "private-key",
        "shared-key",
        "auth-key",
        "encryption-key",
        "url-header",
        "sas",
    ]
    .iter()
    .any(|pair| joined == *pair || joined.ends_with(&format!("-{pair}")) || joined.contains(&format!("{pair}-data")));
    if pair || secret_word(last) {
        // A switch opens nothing: `enableToken: true`.
        return !matches!(value, "true" | "false" | "");
    }
    if !words.iter().any(|word| secret_word(word)) {
        return false;
    }
    let about = [
        "file",
        "files",
        "path",
        "paths",
        "dir",
        "directory",
        "ttl",
        "webhook",
        "config",
        "kubeconfig",
        "expiration",
        "seconds",
        "auth",
        "provider",
        "bin",
        "url",
        "name",
        "version",
        "audiences",
        "audience",
        "issuer",
        "jwks",
        "rotation",
        "hash",
        "length",
        "cache",
        "mode",
        "request",
        "requests",
        "controller",
        "cleaner",
        "tracking",
        "manager",
        "bound",
        "timeout",
        "enabled",
        "authentication",
        "policy",
        "strategy",
        "kind",
        "type",
        "allowlist",
        "images",
        "period",
        "syncs",
        "up",
    ];
    !about.contains(&last.as_str()) && !harmless(value)
}

/// Values that are no secret under a name that only speaks of one: a switch, a number, a time, a path.
fn harmless(value: &str) -> bool {
    matches!(value, "" | "true" | "false") || (value.starts_with('/') && !random(value)) || measure(value)
}

/// A number or a duration: `300`, `8760h0m0s`.
fn measure(value: &str) -> bool {
    value.len() < 16
        && value.starts_with(|c: char| c.is_ascii_digit())
        && value.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'h' | 'm' | 's' | 'u' | 'n'))
}

/// Takes the secrets out of a document.
pub(super) fn document(json: &mut Json) {
    below(json, false, 0);
}

fn below(json: &mut Json, hidden: bool, depth: usize) {
    if depth > DEPTH {
        *json = Json::String(REDACTED.to_owned());
        return;
    }
    match json {
        Json::String(text) if hidden => REDACTED.clone_into(text),
        Json::Number(_) if hidden => *json = Json::String(REDACTED.to_owned()),
        Json::String(text) => *text = self::text(text),
        Json::Array(items) => items.iter_mut().for_each(|item| below(item, hidden, depth + 1)),
        Json::Object(map) => {
            for (key, value) in map.iter_mut() {
                let as_text = value.as_str().map(str::to_owned).unwrap_or_else(|| value.to_string());
                let hidden = hidden
                    || (secret(key, &as_text) && !matches!(value, Json::Object(_))
                        || key.to_ascii_lowercase().ends_with("urlheader"));
                below(value, hidden, depth + 1);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
#[path = "redact_tests.rs"]
mod tests;
