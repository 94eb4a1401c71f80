//! Address ranges as a person writes them.

use std::net::IpAddr;

/// What is wrong with an address range (`10.20.0.0/24`, `fd00:20::/64`), as a clause that says what to write. None:
/// nothing.
pub fn network_problem(text: &str) -> Option<String> {
    let Some((address, prefix)) = text.split_once('/') else {
        return Some(match text.parse::<IpAddr>() {
            Ok(address) => format!("is one address: write {address}/{}", bits(&address)),
            Err(_) => "is no address range: write it as 10.20.0.0/24".to_owned(),
        });
    };
    let Ok(address) = address.parse::<IpAddr>() else {
        return Some("is no address range: write it as 10.20.0.0/24".to_owned());
    };
    let digits = !prefix.is_empty() && prefix.bytes().all(|byte| byte.is_ascii_digit());
    let length = prefix.parse::<u32>().ok().filter(|length| digits && *length <= bits(&address));
    let Some(length) = length else {
        return Some(format!("has a wrong length after the slash: write a number from 0 to {}", bits(&address)));
    };
    let first = first_of(&address, length);
    (first != address).then(|| format!("starts in the middle of its range: write {first}/{length}"))
}

fn bits(address: &IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The first address of the range of this length that an address is in.
fn first_of(address: &IpAddr, length: u32) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
            IpAddr::V4((v4.to_bits() & mask).into())
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
            IpAddr::V6((v6.to_bits() & mask).into())
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ranges_that_are_right() {
        for good in ["10.20.0.0/24", "10.20.0.4/32", "0.0.0.0/0", "fd00:20::/64", "::/0", "fd00::4/128"] {
            assert_eq!(network_problem(good), None, "{good}");
        }
    }

    #[test]
    fn what_to_write_instead_is_told() {
        let cases = [
            ("10.20.0.4", "10.20.0.4/32"),
            ("fd00::4", "fd00::4/128"),
            ("10.20.0.4/24", "10.20.0.0/24"),
            ("fd00:20::4/64", "fd00:20::/64"),
            ("10.20.0.0/33", "0 to 32"),
            ("10.20.0.0/+8", "0 to 32"),
            ("10.20.0.0/", "0 to 32"),
            ("10.20.0.0/255.255.255.0", "0 to 32"),
            ("office", "10.20.0.0/24"),
            ("", "10.20.0.0/24"),
        ];
        for (bad, words) in cases {
            assert!(network_problem(bad).unwrap().contains(words), "{bad}");
        }
    }
}
