//! The first line of what a server says: an HTTP status, the greeting of SSH. Nothing else of it is looked at or kept.

/// Most bytes that are read in wait for the end of a line.
pub(super) const MOST: usize = 8 * 1024;

/// Most lines that may stand before the greeting of SSH, as RFC 4253 allows some.
const BEFORE_GREETING: usize = 32;

/// A harmless request, in HTTP/1.1.
pub(super) fn request(path: &str, host: &str, port: u16) -> String {
    let host =
        if host.contains(':') { format!("[{}]", host.split('%').next().unwrap_or(host)) } else { host.to_owned() };
    let agent = concat!("sitewarden/", env!("CARGO_PKG_VERSION"));
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUser-Agent: {agent}\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    )
}

/// What the beginning of an answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said<T> {
    /// Nothing yet: more is needed.
    More,
    /// This.
    This(T),
    /// Something that is not understood.
    Other,
}

/// The status of an HTTP answer.
pub(super) fn status(bytes: &[u8]) -> Said<u16> {
    const BEGINNING: &[u8] = b"HTTP/1.";
    if !bytes.starts_with(BEGINNING) {
        return if BEGINNING.starts_with(bytes) { Said::More } else { Said::Other };
    }
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else {
        return if bytes.len() < MOST { Said::More } else { Said::Other };
    };
    let line = std::str::from_utf8(bytes.get(..end).unwrap_or_default()).unwrap_or_default();
    let code = line.split_ascii_whitespace().nth(1).filter(|code| code.len() == 3);
    match code.and_then(|code| code.parse::<u16>().ok()) {
        Some(status) if (100..=599).contains(&status) => Said::This(status),
        _ => Said::Other,
    }
}

/// Whether the greeting of SSH came.
pub(super) fn greeting(bytes: &[u8]) -> Said<()> {
    let mut lines = bytes.split_inclusive(|byte| *byte == b'\n').enumerate();
    let found = lines.find_map(|(number, line)| match line {
        line if line.starts_with(b"SSH-") => Some(Said::This(())),
        _ if number >= BEFORE_GREETING => Some(Said::Other),
        line if line.ends_with(b"\n") || b"SSH-".starts_with(line) => None,
        _ => Some(Said::More),
    });
    match found {
        Some(Said::More) | None if bytes.len() >= MOST => Said::Other,
        Some(said) => said,
        None => Said::More,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_status_is_read_from_the_first_line_alone() {
        assert_eq!(status(b"HTTP/1.1 401 Unauthorized\r\nX: 200"), Said::This(401));
        assert_eq!(status(b"HTTP/1.0 200\n"), Said::This(200));
        assert_eq!(status(b"HTTP/1.1 200 OK"), Said::More);
        assert_eq!(status(b"HT"), Said::More);
        for other in [&b"HTTP/2 200\r\n"[..], b"<html>", b"HTTP/1.1 20 x\n", b"HTTP/1.1 999 x\n", b"HTTP/1.1\n"] {
            assert_eq!(status(other), Said::Other, "{}", String::from_utf8_lossy(other));
        }
        assert_eq!(status(&[&b"HTTP/1.1 "[..], &[b'2'; MOST]].concat()), Said::Other);
    }

    #[test]
    fn a_greeting_may_follow_other_lines_but_not_for_ever() {
        assert_eq!(greeting(b"SSH-2.0-OpenSSH_9.2\r\n"), Said::This(()));
        assert_eq!(greeting(b"Welcome\r\nto us\r\nSSH-2.0-x"), Said::This(()));
        for more in [&b""[..], b"SS", b"Welcome", b"Welcome\n", b"Welcome\nSS"] {
            assert_eq!(greeting(more), Said::More, "{}", String::from_utf8_lossy(more));
        }
        assert_eq!(greeting("no\n".repeat(40).as_bytes()), Said::Other);
        assert_eq!(greeting(&[b'x'; MOST]), Said::Other);
    }

    #[test]
    fn an_ipv6_address_stands_in_brackets() {
        assert!(request("/pods", "fe80::1%eth0", 10250).starts_with("GET /pods HTTP/1.1\r\nHost: [fe80::1]:10250\r\n"));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let (_, _) = (status(&bytes), greeting(&bytes));
        }
    }
}
