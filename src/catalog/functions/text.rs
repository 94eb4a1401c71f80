//! Functions of texts: file modes, case, parts.

use super::{Answer, malformed, text_of, truth, two};
use cel::common::types::{CelList, CelString};
use cel::common::value::{CowVal, Val};

/// Permission bits from octal text: `600`, `0644`, `1777`.
fn mode(text: &str) -> Option<u32> {
    let octal = (1..=5).contains(&text.len()) && text.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
    octal.then(|| u32::from_str_radix(text, 8).ok()).flatten().filter(|bits| *bits <= 0o7777)
}

/// `mode_within(mode, max)`.
pub(super) fn mode_within<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let (actual, max) = two(&args)?;
    let (actual, max) = (text_of(actual, "mode_within")?, text_of(max, "mode_within")?);
    match (mode(actual), mode(max)) {
        (Some(actual), Some(max)) => truth(actual & !max == 0),
        _ => Err(malformed("mode_within was given a mode that is not octal")),
    }
}

/// `lower(text)`.
pub(super) fn lower<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    match args.first() {
        Some(text) => Ok(CowVal::owned(CelString::from(text_of(text.as_ref(), "lower")?.to_lowercase()))),
        None => Err(malformed("lower wants a text")),
    }
}

/// `split(text, separator)`.
pub(super) fn split<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let (text, separator) = two(&args)?;
    let (text, separator) = (text_of(text, "split")?, text_of(separator, "split")?);
    if separator.is_empty() {
        return Err(malformed("split was given an empty separator"));
    }
    let parts: Vec<Box<dyn Val + 'v>> = text
        .split(separator)
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(|part| Box::new(CelString::from(part.to_owned())) as Box<dyn Val + 'v>)
        .collect();
    Ok(CowVal::owned(CelList::from(parts)))
}

#[cfg(test)]
mod tests {
    use super::mode;

    #[test]
    fn modes() {
        assert_eq!(mode("600"), Some(0o600));
        assert_eq!(mode("0644"), Some(0o644));
        assert_eq!(mode("4755"), Some(0o4755));
        for bad in ["", "8", "rw-", "-600", "+600", "777777", "70000", " 600", "0x1"] {
            assert_eq!(mode(bad), None, "{bad:?}");
        }
    }
}
