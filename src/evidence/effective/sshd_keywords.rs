//! The keywords of sshd_config(5), and how `sshd -T` prints each: up to OpenSSH 10.x, with Debian's and Red Hat's own.

use super::shape::Shape;
use std::borrow::Cow;

/// How a keyword's value is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// One word in lower case: `yes`, `no`, `prohibit-password`.
    Word,
    /// A text as it stands.
    Text,
    /// A whole number; a word (`none`) where the keyword allows one.
    Int,
    /// A length of time, in seconds; a word (`none`) where the keyword allows one.
    Seconds,
    /// Algorithm names, split at commas.
    Algorithms,
    /// Words of all lines: a list.
    Words,
    /// One text a line: a list.
    Lines,
    /// Whole numbers, one a line: a list.
    Ports,
    /// `start:rate:full`.
    Startups,
}

/// A keyword.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keyword {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// Whether every line adds to it, instead of the first one winning.
    pub(super) accumulates: bool,
}

const fn one(name: &'static str, kind: Kind) -> Keyword {
    Keyword { name, kind, accumulates: false }
}

const fn many(name: &'static str, kind: Kind) -> Keyword {
    Keyword { name, kind, accumulates: true }
}

/// Every keyword but Include and Match, in the order of the names.
#[rustfmt::skip]
pub(super) static KEYWORDS: [Keyword; 112] = [
    many("acceptenv", Kind::Words),
    one("addressfamily", Kind::Word),
    one("allowagentforwarding", Kind::Word),
    many("allowgroups", Kind::Words),
    one("allowstreamlocalforwarding", Kind::Word),
    one("allowtcpforwarding", Kind::Word),
    many("allowusers", Kind::Words),
    one("authenticationmethods", Kind::Words),
    one("authorizedkeyscommand", Kind::Text),
    one("authorizedkeyscommanduser", Kind::Text),
    one("authorizedkeysfile", Kind::Words),
    one("authorizedprincipalscommand", Kind::Text),
    one("authorizedprincipalscommanduser", Kind::Text),
    one("authorizedprincipalsfile", Kind::Text),
    one("banner", Kind::Text),
    one("casignaturealgorithms", Kind::Algorithms),
    one("channeltimeout", Kind::Words),
    one("chrootdirectory", Kind::Text),
    one("ciphers", Kind::Algorithms),
    one("clientalivecountmax", Kind::Int),
    one("clientaliveinterval", Kind::Seconds),
    one("compression", Kind::Word),
    one("debianbanner", Kind::Word),
    many("denygroups", Kind::Words),
    many("denyusers", Kind::Words),
    one("disableforwarding", Kind::Word),
    one("exposeauthinfo", Kind::Word),
    one("fingerprinthash", Kind::Text),
    one("forcecommand", Kind::Text),
    one("gatewayports", Kind::Word),
    one("gssapiauthentication", Kind::Word),
    one("gssapicleanupcredentials", Kind::Word),
    one("gssapidelegatecredentials", Kind::Word),
    one("gssapienablek5users", Kind::Word),
    one("gssapiindicators", Kind::Text),
    one("gssapikexalgorithms", Kind::Algorithms),
    one("gssapikeyexchange", Kind::Word),
    one("gssapistorecredentialsonrekey", Kind::Word),
    one("gssapistrictacceptorcheck", Kind::Word),
    one("hostbasedacceptedalgorithms", Kind::Algorithms),
    one("hostbasedauthentication", Kind::Word),
    one("hostbasedusesnamefrompacketonly", Kind::Word),
    many("hostcertificate", Kind::Lines),
    many("hostkey", Kind::Lines),
    one("hostkeyagent", Kind::Text),
    one("hostkeyalgorithms", Kind::Algorithms),
    one("ignorerhosts", Kind::Word),
    one("ignoreuserknownhosts", Kind::Word),
    one("ipqos", Kind::Text),
    one("kbdinteractiveauthentication", Kind::Word),
    one("kerberosauthentication", Kind::Word),
    one("kerberosgetafstoken", Kind::Word),
    one("kerberosorlocalpasswd", Kind::Word),
    one("kerberosticketcleanup", Kind::Word),
    one("kerberosuniqueccache", Kind::Word),
    one("kerberosusekuserok", Kind::Word),
    one("kexalgorithms", Kind::Algorithms),
    many("listenaddress", Kind::Lines),
    one("logingracetime", Kind::Seconds),
    one("loglevel", Kind::Text),
    one("logverbose", Kind::Text),
    one("macs", Kind::Algorithms),
    one("maxauthtries", Kind::Int),
    one("maxsessions", Kind::Int),
    one("maxstartups", Kind::Startups),
    one("modulifile", Kind::Text),
    one("passwordauthentication", Kind::Word),
    one("permitemptypasswords", Kind::Word),
    one("permitlisten", Kind::Words),
    one("permitopen", Kind::Words),
    one("permitrootlogin", Kind::Word),
    one("permittty", Kind::Word),
    one("permittunnel", Kind::Word),
    one("permituserenvironment", Kind::Text),
    one("permituserrc", Kind::Word),
    one("persourcemaxstartups", Kind::Int),
    one("persourcenetblocksize", Kind::Text),
    one("persourcepenalties", Kind::Words),
    one("persourcepenaltyexemptlist", Kind::Text),
    one("pidfile", Kind::Text),
    many("port", Kind::Ports),
    one("printlastlog", Kind::Word),
    one("printmotd", Kind::Word),
    one("protocol", Kind::Text),
    one("pubkeyacceptedalgorithms", Kind::Algorithms),
    one("pubkeyauthentication", Kind::Word),
    one("pubkeyauthoptions", Kind::Text),
    one("rdomain", Kind::Text),
    one("refuseconnection", Kind::Word),
    one("rekeylimit", Kind::Text),
    one("requiredrsasize", Kind::Int),
    one("revokedkeys", Kind::Text),
    one("securitykeyprovider", Kind::Text),
    many("setenv", Kind::Lines),
    one("sshdauthpath", Kind::Text),
    one("sshdsessionpath", Kind::Text),
    one("streamlocalbindmask", Kind::Text),
    one("streamlocalbindunlink", Kind::Word),
    one("strictmodes", Kind::Word),
    many("subsystem", Kind::Lines),
    one("syslogfacility", Kind::Text),
    one("tcpkeepalive", Kind::Word),
    one("trustedusercakeys", Kind::Text),
    one("unusedconnectiontimeout", Kind::Seconds),
    one("usedns", Kind::Word),
    one("usepam", Kind::Word),
    one("useprivilegeseparation", Kind::Word),
    one("versionaddendum", Kind::Text),
    one("x11displayoffset", Kind::Int),
    one("x11forwarding", Kind::Word),
    one("x11uselocalhost", Kind::Word),
    one("xauthlocation", Kind::Text),
];

/// The keyword with this name (today's, in lower case).
pub(super) fn find(name: &str) -> Option<Keyword> {
    let place = KEYWORDS.binary_search_by_key(&name, |keyword| keyword.name).ok()?;
    KEYWORDS.get(place).copied()
}

/// Whether every line with this keyword (today's name, in lower case) adds to it, instead of the first one winning.
/// None: no keyword that is known.
pub(crate) fn accumulates(name: &str) -> Option<bool> {
    find(name).map(|keyword| keyword.accumulates)
}

/// A keyword in lower case; sshd prints it so.
pub(super) fn lower_case(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) { name.to_ascii_lowercase().into() } else { name.into() }
}

/// Today's name of a keyword in lower case.
pub(crate) fn canonical(name: &str) -> &str {
    match name {
        "challengeresponseauthentication" | "skeyauthentication" => "kbdinteractiveauthentication",
        "pubkeyacceptedkeytypes" => "pubkeyacceptedalgorithms",
        "hostbasedacceptedkeytypes" => "hostbasedacceptedalgorithms",
        "dsaauthentication" => "pubkeyauthentication",
        "hostdsakey" => "hostkey",
        "keepalive" => "tcpkeepalive",
        other => other,
    }
}

/// Seconds of a length of time as sshd reads it: `120`, `2m`, `1h30m`. None where it is not one.
pub(super) fn seconds(text: &str) -> Option<i64> {
    let mut total: i64 = 0;
    let mut number: Option<i64> = None;
    for c in text.chars() {
        if let Some(digit) = c.to_digit(10) {
            number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(i64::from(digit))?);
            continue;
        }
        let unit = match c.to_ascii_lowercase() {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return None,
        };
        total = total.checked_add(number.take()?.checked_mul(unit)?)?;
    }
    match number {
        Some(rest) => total.checked_add(rest),
        None if text.is_empty() => None,
        None => Some(total),
    }
}

/// Shape of a context's `settings`.
pub(super) fn shape() -> Shape {
    let mut shape = Shape::map([(
        "maxstartups_parts",
        Shape::map([("start", Shape::Leaf), ("rate", Shape::Leaf), ("full", Shape::Leaf)]),
    )]);
    for keyword in KEYWORDS {
        let leaf = match keyword.kind {
            Kind::Algorithms | Kind::Words | Kind::Lines | Kind::Ports => Shape::List(Box::new(Shape::Leaf)),
            Kind::Word | Kind::Text | Kind::Int | Kind::Seconds | Kind::Startups => Shape::Leaf,
        };
        shape.put(&[keyword.name], leaf);
    }
    shape
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn times_read_as_sshd_reads_them() {
        for (text, want) in [
            ("120", Some(120)),
            ("2m", Some(120)),
            ("1h30m", Some(5400)),
            ("1M30", Some(90)),
            ("0", Some(0)),
            ("", None),
            ("m", None),
            ("none", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(seconds(text), want, "{text}");
        }
    }

    #[test]
    fn keywords_are_in_order_and_none_stands_twice() {
        for pair in KEYWORDS.windows(2) {
            assert!(pair[0].name < pair[1].name, "{}", pair[1].name);
        }
    }
}
