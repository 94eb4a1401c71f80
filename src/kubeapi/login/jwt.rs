//! Until when a token of our own holds, where it says so (RFC 7519). Nothing of it is shown but that.

use jiff::Timestamp;
use openssl::base64::decode_block;
use serde::Deserialize;
use zeroize::Zeroizing;

/// The value of `Authorization` may hold a JWT; its `exp`.
pub(super) fn expiry(header: &http::HeaderValue) -> Option<Timestamp> {
    #[derive(Deserialize)]
    struct Claims {
        exp: f64,
    }
    let token = header.to_str().ok()?.strip_prefix("Bearer ")?;
    let mut parts = token.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    let mut claims = Zeroizing::new(claims.replace('-', "+").replace('_', "/"));
    while claims.len() % 4 != 0 {
        claims.push('=');
    }
    let json = Zeroizing::new(decode_block(&claims).ok()?);
    let claims: Claims = serde_json::from_slice(&json).ok()?;
    // Truncated on purpose: a moment is told to the minute.
    (claims.exp.is_finite() && claims.exp.abs() < 1e11)
        .then(|| Timestamp::from_second(claims.exp as i64).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_end_of_a_token() {
        let claims = openssl::base64::encode_block(br#"{"sub":"x","exp":1700000000}"#);
        let claims = claims.trim_end_matches('=').replace('+', "-").replace('/', "_");
        let header = |text: String| http::HeaderValue::try_from(text).unwrap();
        assert_eq!(expiry(&header(format!("Bearer h.{claims}.s"))).unwrap().as_second(), 1_700_000_000);
        for other in ["Bearer opaque", "Bearer a.b.c", "Basic eDp5", "Bearer ..", ""] {
            assert_eq!(expiry(&header(other.to_owned())), None);
        }
    }
}
