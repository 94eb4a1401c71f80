//! Days from the time of the assessment.

use super::{Answer, malformed, text_of, two};
use cel::common::types::CelInt;
use cel::common::value::CowVal;

/// Whole days from `now` (seconds since 1970) until a time, rounded down; a date alone means its end in UTC. None where
/// the text is neither.
fn days(text: &str, now: i64) -> Option<i64> {
    let seconds = crate::evidence::EndDate::moment(text)?.as_second().checked_sub(now)?;
    Some(seconds.div_euclid(86_400))
}

/// `days_until(time)`; the second argument is put there when the condition is compiled.
pub(super) fn days_until<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Answer<'b, 'v> {
    let (time, now) = two(&args)?;
    let time = text_of(time, "days_until")?;
    let now = now.downcast_ref::<CelInt>().map(|now| *now.inner());
    match now.and_then(|now| days(time, now)) {
        Some(days) => Ok(CowVal::owned(CelInt::from(days))),
        None => Err(malformed("days_until was given a text that is neither a time (RFC 3339) nor a date")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::days;

    #[test]
    fn days_are_whole_and_negative_when_past() {
        let now = "2026-08-01T12:00:00Z".parse::<jiff::Timestamp>().unwrap().as_second();
        assert_eq!(days("2026-08-02T12:00:00Z", now), Some(1));
        assert_eq!(days("2026-08-02T11:59:59Z", now), Some(0));
        assert_eq!(days("2026-08-01T11:59:59Z", now), Some(-1));
        assert_eq!(days("2026-08-01", now), Some(0), "a date lasts until its end");
        assert_eq!(days("2026-07-31", now), Some(-1));
        assert_eq!(days("soon", now), None);
        assert_eq!(days("2026-13-01", now), None);
    }
}
