//! What the OpenSSL binding does not tell of a certificate: whether it may sign others, and whether an extension that could
//! not be understood is there at all.

/// OID 2.5.29.19, basic constraints.
const BASIC_CONSTRAINTS: [u8; 3] = [0x55, 0x1d, 0x13];

/// OID 2.5.29.17, subject alternative names.
pub(super) const ALTERNATIVE_NAMES: [u8; 3] = [0x55, 0x1d, 0x11];

const BOOLEAN: u8 = 0x01;
const OCTET_STRING: u8 = 0x04;
const OID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
const EXTENSIONS: u8 = 0xa3;

/// Reads the basic constraints of a certificate in DER. Without them it may not sign. None where it is not understood.
pub(super) fn is_ca(der: &[u8]) -> Option<bool> {
    let Some(mut value) = extension(der, &BASIC_CONSTRAINTS)? else { return Some(false) };
    if let Some((_critical, after)) = expect(value, BOOLEAN) {
        value = after;
    }
    let (octets, _) = expect(value, OCTET_STRING)?;
    let (constraints, _) = expect(octets, SEQUENCE)?;
    Some(expect(constraints, BOOLEAN).is_some_and(|(flag, _)| flag.first().is_some_and(|byte| *byte != 0)))
}

/// Whether a certificate in DER has an extension. None where it is not understood.
pub(super) fn has(der: &[u8], oid: &[u8]) -> Option<bool> {
    extension(der, oid).map(|found| found.is_some())
}

/// What follows the OID of an extension; none within where the certificate has no such extension.
fn extension<'d>(der: &'d [u8], wanted: &[u8]) -> Option<Option<&'d [u8]>> {
    let (certificate, _) = expect(der, SEQUENCE)?;
    let (mut fields, _) = expect(certificate, SEQUENCE)?;
    let mut extensions: &[u8] = &[];
    while !fields.is_empty() {
        let (tag, inner, rest) = element(fields)?;
        if tag == EXTENSIONS {
            extensions = expect(inner, SEQUENCE)?.0;
        }
        fields = rest;
    }
    while !extensions.is_empty() {
        let (extension, rest) = expect(extensions, SEQUENCE)?;
        let (oid, value) = expect(extension, OID)?;
        if oid == wanted {
            return Some(Some(value));
        }
        extensions = rest;
    }
    Some(None)
}

/// The contents of an element with this tag, and what follows it.
fn expect(bytes: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (tag, inner, rest) = element(bytes)?;
    (tag == wanted).then_some((inner, rest))
}

/// Tag, contents and what follows.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(*first & 0x7f))?;
        if digits.is_empty() || digits.len() > 4 {
            return None;
        }
        (digits.iter().fold(0usize, |length, byte| length << 8 | usize::from(*byte)), rest)
    };
    let (inner, rest) = rest.split_at_checked(length)?;
    Some((*tag, inner, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = (is_ca(&bytes), has(&bytes, &ALTERNATIVE_NAMES));
        }
    }
}
