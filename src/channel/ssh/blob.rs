//! Public keys as SSH sends them: length-prefixed strings, their type first.

use openssl::base64;

/// Bytes of a text in base64. None where it is anything else, or empty.
pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    // OpenSSL's decoder forgives spaces; a key has none.
    let body = text.trim_end_matches('=');
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    if body.is_empty() || text.len() - body.len() > 2 || !text.len().is_multiple_of(4) || !body.bytes().all(plain) {
        return None;
    }
    base64::decode_block(text).ok()
}

/// Takes the next length-prefixed string off a blob.
pub(super) fn take_string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (string, after) = after.split_at_checked(length)?;
    *rest = after;
    Some(string)
}

/// The type of a key: `ssh-ed25519`.
pub(super) fn kind(key: &[u8]) -> Option<&str> {
    let mut rest = key;
    let name = std::str::from_utf8(take_string(&mut rest)?).ok()?;
    let plain = !name.is_empty() && name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_graphic());
    plain.then_some(name)
}

/// The fingerprint as OpenSSH prints it: `SHA256:` and base64 without padding.
pub(super) fn fingerprint(key: &[u8]) -> String {
    let digest = base64::encode_block(&openssl::sha::sha256(key));
    format!("SHA256:{}", digest.trim_end_matches('='))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const KEY: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

    #[test]
    fn fingerprint_is_the_one_that_openssh_prints() {
        // github.com's published Ed25519 key and fingerprint.
        let key = from_base64(KEY).unwrap();
        assert_eq!(kind(&key), Some("ssh-ed25519"));
        assert_eq!(fingerprint(&key), "SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU");
    }

    #[test]
    fn base64_is_strict() {
        for bad in ["", "=", "====", "A", "AAA", "AAAAA", "A A=", "AA==AA==", "AAAA\n", "AA=A", "A===", "Ä4=="] {
            assert_eq!(from_base64(bad), None, "{bad:?}");
        }
        assert_eq!(from_base64("AA=="), Some(vec![0]));
    }

    #[test]
    fn a_blob_that_lies_about_its_length_has_no_type() {
        assert_eq!(kind(&[0xff, 0xff, 0xff, 0xff, b'x']), None);
        assert_eq!(kind(&[0, 0, 0]), None);
        assert_eq!(kind(&[0, 0, 0, 2, b'a', 0x1b]), None);
    }
}
