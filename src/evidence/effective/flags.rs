//! A command line as Go's pflag reads it: `--a=b`, `--a b`, bare booleans, repeats; or as Go's own flag package does,
//! for which `-a` is `--a`.

use std::collections::BTreeMap;

/// What a flag takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// Nothing: bare means true, a value only by `=`.
    Bool,
    /// A value, by `=` or as the next argument, whatever that begins with.
    Value,
    /// Not known here: the next argument is its value where that is no flag itself.
    Unknown,
}

/// Which package reads the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `github.com/spf13/pflag`, as Kubernetes has it: `-a` is a short flag, and `_` in a name stands for `-`.
    Pflag,
    /// `flag`, as etcd has it.
    Go,
}

/// The flags of one command line, in the order in which they stood.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Flags {
    given: BTreeMap<String, Vec<String>>,
}

impl Flags {
    /// Reads a command line, argv[0] and leading words included. `takes` knows the program's flags.
    pub(super) fn parse(args: &[String], takes: impl Fn(&str) -> Takes) -> Self {
        Flags::parse_as(Dialect::Pflag, args, takes)
    }

    /// The same for a program of either dialect.
    pub(super) fn parse_as(dialect: Dialect, args: &[String], takes: impl Fn(&str) -> Takes) -> Self {
        let mut flags = Flags::default();
        let mut rest = args.iter().map(String::as_str).peekable();
        while let Some(arg) = rest.next() {
            if arg == "--" {
                break;
            }
            let (text, long) = match (arg.strip_prefix("--"), arg.strip_prefix('-')) {
                (Some(text), _) => (text, true),
                (None, Some(text)) if !text.is_empty() => (text, false),
                _ => continue,
            };
            let long = long || dialect == Dialect::Go;
            let (name, value) = if long { split_long(text) } else { split_short(text) };
            if name.is_empty() {
                continue;
            }
            let name = match dialect {
                // Kubernetes components read `_` in a flag's name as `-`.
                Dialect::Pflag => name.replace('_', "-"),
                Dialect::Go => name.to_owned(),
            };
            let value = match value {
                Some(value) => value.to_owned(),
                None => match takes(&name) {
                    Takes::Bool => "true".to_owned(),
                    Takes::Value => rest.next().unwrap_or_default().to_owned(),
                    Takes::Unknown => match rest.next_if(|next| !next.starts_with('-')) {
                        Some(next) => next.to_owned(),
                        None => "true".to_owned(),
                    },
                },
            };
            flags.given.entry(name).or_default().push(value);
        }
        flags
    }

    /// The value that counts for a flag with one value: the last.
    pub(super) fn last(&self, name: &str) -> Option<&str> {
        self.given.get(name).and_then(|values| values.last()).map(String::as_str)
    }

    /// Every value given, in order.
    pub(super) fn all(&self, name: &str) -> &[String] {
        self.given.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// Every flag given, by name.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &[String])> {
        self.given.iter().map(|(name, values)| (name.as_str(), values.as_slice()))
    }
}

fn split_long(text: &str) -> (&str, Option<&str>) {
    match text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    }
}

fn split_short(text: &str) -> (&str, Option<&str>) {
    let end = text.chars().next().map_or(0, char::len_utf8);
    let (name, rest) = text.split_at(end);
    match rest {
        "" => (name, None),
        rest => (name, Some(rest.strip_prefix('=').unwrap_or(rest))),
    }
}

/// A truth value as Go's `strconv.ParseBool` reads it.
pub(super) fn truth(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// An integer as Go's `strconv.ParseInt` with base 0 reads it.
pub(super) fn integer(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let (digits, radix) = match (lower.get(..2), lower.get(2..)) {
        (Some("0x"), Some(rest)) => (rest, 16),
        (Some("0o"), Some(rest)) => (rest, 8),
        (Some("0b"), Some(rest)) => (rest, 2),
        _ if lower.len() > 1 && lower.starts_with('0') => (lower.as_str(), 8),
        _ => (lower.as_str(), 10),
    };
    if digits.starts_with(['+', '-']) {
        return None;
    }
    i64::from_str_radix(digits, radix).ok().map(|value| value * sign)
}

/// The gates of `--feature-gates`: the last of each name, None where its value is no truth value. What stands before a
/// colon names the component since 1.31 (`kube:AllBeta=true`).
pub(super) fn gates(values: &[String]) -> BTreeMap<&str, Option<bool>> {
    let pairs = list(values).into_iter().map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.map(|(name, value)| (name.rsplit(':').next().unwrap_or(name).trim(), truth(value.trim()))).collect()
}

/// The items of a list flag: comma-separated, repeats append.
pub(super) fn list(values: &[String]) -> Vec<&str> {
    values.iter().flat_map(|value| value.split(',')).map(str::trim).filter(|item| !item.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    fn parse(args: &[&str]) -> Flags {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        Flags::parse(&args, |name| match name {
            "anonymous-auth" => Takes::Bool,
            "config" => Takes::Value,
            _ => Takes::Unknown,
        })
    }

    #[test]
    fn every_form_of_a_flag_is_read() {
        let flags =
            parse(&["/usr/bin/kubelet", "--config", "/etc/k.yaml", "--anonymous-auth", "--v=2", "--read_only_port=0"]);
        assert_eq!(flags.last("config"), Some("/etc/k.yaml"));
        assert_eq!(flags.last("anonymous-auth"), Some("true"));
        assert_eq!(flags.last("v"), Some("2"));
        assert_eq!(flags.last("read-only-port"), Some("0"));
        assert_eq!(flags.last("tls-cert-file"), None);
    }

    #[test]
    fn the_last_of_repeated_flags_counts_and_lists_append() {
        let flags = parse(&["kubelet", "--anonymous-auth=true", "--anonymous-auth=false", "--s=a,b", "--s", "c"]);
        assert_eq!(flags.last("anonymous-auth"), Some("false"));
        assert_eq!(list(flags.all("s")), ["a", "b", "c"]);
    }

    #[test]
    fn a_value_is_taken_even_where_it_looks_like_a_flag() {
        assert_eq!(parse(&["kubelet", "--config", "--anonymous-auth=false"]).last("anonymous-auth"), None);
    }

    #[test]
    fn nothing_counts_after_a_double_dash() {
        assert_eq!(parse(&["kubelet", "--", "--anonymous-auth=false"]).last("anonymous-auth"), None);
    }

    #[test]
    fn one_hyphen_is_as_good_as_two_for_the_flag_package() {
        let args = ["etcd", "-cert-file", "/a.crt", "--auto-tls", "-peer-auto-tls=false", "-key_file=/b"];
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let takes = |name: &str| if name.ends_with("auto-tls") { Takes::Bool } else { Takes::Value };
        let flags = Flags::parse_as(Dialect::Go, &args, takes);
        assert_eq!(flags.last("cert-file"), Some("/a.crt"));
        assert_eq!((flags.last("auto-tls"), flags.last("peer-auto-tls")), (Some("true"), Some("false")));
        assert_eq!(flags.last("key-file"), None);
    }

    #[test]
    fn gates_are_read_one_by_one() {
        let values = ["A=true,kube:B=false".to_owned(), "A=false,C=maybe".to_owned()];
        let expected = BTreeMap::from([("A", Some(false)), ("B", Some(false)), ("C", None)]);
        assert_eq!(gates(&values), expected);
    }

    #[test]
    fn integers_read_as_go_reads_them() {
        for (text, value) in
            [("0", Some(0)), ("-1", Some(-1)), ("0x10", Some(16)), ("010", Some(8)), ("x", None), ("", None)]
        {
            assert_eq!(integer(text), value, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_command_line_is_read(args in proptest::collection::vec(".{0,12}", 0..12)) {
            let flags = Flags::parse(&args, |_| Takes::Unknown);
            for (_, values) in flags.iter() {
                for value in values {
                    let _ = (integer(value), truth(value), list(values));
                }
            }
        }
    }
}
