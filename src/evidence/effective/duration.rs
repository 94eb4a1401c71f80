//! Durations as Go writes and reads them: `4h0m0s`, `90s`, `1.5h`.

const SECOND: i64 = 1_000_000_000;

/// Reads Go's text form (`time.ParseDuration`) to nanoseconds. None where it is not one, or too long for Go.
pub(super) fn parse(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let (whole, after) = digits(rest);
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => digits(after),
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let (scale, after) = unit(after)?;
        let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        total = total.checked_add(whole.checked_mul(scale)?)?;
        let mut place = scale;
        for digit in fraction.chars() {
            place /= 10;
            total = total.checked_add(i128::from(digit.to_digit(10)?) * place)?;
        }
        rest = after;
    }
    i64::try_from(if negative { -total } else { total }).ok()
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

fn unit(text: &str) -> Option<(i128, &str)> {
    const UNITS: [(&str, i128); 8] = [
        ("ns", 1),
        ("us", 1_000),
        ("µs", 1_000),
        ("μs", 1_000),
        ("ms", 1_000_000),
        ("s", SECOND as i128),
        ("m", 60 * SECOND as i128),
        ("h", 3600 * SECOND as i128),
    ];
    UNITS.iter().find_map(|(name, scale)| text.strip_prefix(name).map(|rest| (*scale, rest)))
}

/// Writes nanoseconds as Go does (`time.Duration.String`).
pub(super) fn format(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let amount = nanos.unsigned_abs();
    let second = SECOND.unsigned_abs();
    if amount == 0 {
        return "0s".to_owned();
    }
    if amount < second {
        let (scale, name) = match amount {
            0..1_000 => (1, "ns"),
            1_000..1_000_000 => (1_000, "µs"),
            _ => (1_000_000, "ms"),
        };
        return format!("{sign}{}{name}", with_fraction(amount, scale));
    }
    let (hours, minutes) = (amount / (3600 * second), amount / (60 * second) % 60);
    let seconds = with_fraction(amount % (60 * second), second);
    match (hours, minutes) {
        (0, 0) => format!("{sign}{seconds}s"),
        (0, _) => format!("{sign}{minutes}m{seconds}s"),
        _ => format!("{sign}{hours}h{minutes}m{seconds}s"),
    }
}

fn with_fraction(amount: u64, scale: u64) -> String {
    let (whole, rest) = (amount / scale, amount % scale);
    if rest == 0 {
        return whole.to_string();
    }
    let width = scale.ilog10() as usize;
    let fraction = format!("{rest:0width$}");
    format!("{whole}.{}", fraction.trim_end_matches('0'))
}

/// Whole seconds, rounded towards zero.
pub(super) fn seconds(nanos: i64) -> i64 {
    nanos / SECOND
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn equal_lengths_read_and_print_alike() {
        for (text, printed) in [
            ("4h", "4h0m0s"),
            ("4h0m0s", "4h0m0s"),
            ("240m", "4h0m0s"),
            ("0", "0s"),
            ("0s", "0s"),
            ("1.5h", "1h30m0s"),
            ("90s", "1m30s"),
            ("100ms", "100ms"),
            ("1500ms", "1.5s"),
            ("-5m", "-5m0s"),
        ] {
            assert_eq!(format(parse(text).unwrap()), printed, "{text}");
        }
    }

    #[test]
    fn what_go_refuses_is_refused() {
        for text in ["", "4", "h", "4 h", "4x", "-", ".s", "99999999999999999h", "4h!"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn printing_and_reading_agree(nanos in any::<i64>()) {
            prop_assume!(nanos != i64::MIN);
            prop_assert_eq!(parse(&format(nanos)), Some(nanos));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            let _ = parse(&text);
        }
    }
}
