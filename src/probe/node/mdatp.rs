//! What `mdatp health --output json` says: one object, its names in snake case or camel case as the version likes, its
//! values plain, or within `{"value": ...}` where they can be managed, or within `{"$type": ...}`.

use super::answer::{Answer, Got};
use super::{text, yaml};
use crate::evidence::{Fact, Mdatp, Reason};
use jiff::Timestamp;
use serde_json::{Map, Value as Json};

/// Fills in that there is none: what does not exist has no health.
pub(super) fn absent(mdatp: &mut Mdatp) {
    *mdatp = Mdatp {
        present: Fact::Known(false),
        version: Fact::Absent,
        healthy: Fact::Absent,
        health_issues: Fact::Absent,
        licensed: Fact::Absent,
        org_present: Fact::Absent,
        real_time_protection_enabled: Fact::Absent,
        real_time_protection_available: Fact::Absent,
        passive_mode_enabled: Fact::Absent,
        cloud_enabled: Fact::Absent,
        automatic_definition_update_enabled: Fact::Absent,
        definitions_status: Fact::Absent,
        definitions_updated_minutes_ago: Fact::Absent,
        engine_load_status: Fact::Absent,
        behavior_monitoring: Fact::Absent,
        product_expiration: Fact::Absent,
        conflicting_applications: Fact::Absent,
    };
}

/// Reads the record. `present` stays as the first answer told it, unless only this one knows.
pub(super) fn read(answer: &mut Answer<'_>, mdatp: &mut Mdatp) {
    let got = answer.got("mdatp");
    let record = match &got {
        // The first answer saw its service.
        Got::Absent if mdatp.present == Fact::Known(true) => {
            return answer.gap(
                "mdatp",
                Reason::NotVisible,
                "Defender for Endpoint is there, and its command `mdatp` is not",
            );
        }
        Got::Absent => return absent(mdatp),
        Got::Here(record) => *record,
        got => return answer.note(got, "mdatp", "the health of Defender for Endpoint"),
    };
    mdatp.present = Fact::Known(true);
    let Ok(Json::Object(health)) = yaml::parse(&record.payload) else {
        let detail = "Defender for Endpoint is installed, and told nothing of its health; is its service running?";
        answer.gap("mdatp", Reason::Malformed, detail);
        return;
    };
    let found = Health(&health);
    mdatp.version = found.text("app_version");
    mdatp.healthy = found.truth("healthy");
    mdatp.health_issues = found.words("health_issues");
    mdatp.licensed = found.truth("licensed");
    mdatp.org_present = match found.get("org_id") {
        Some(Json::String(id)) => Fact::Known(!matches!(id.as_str(), "" | "unavailable")),
        Some(Json::Null) => Fact::Known(false),
        _ => Fact::Unread,
    };
    mdatp.real_time_protection_enabled = found.truth("real_time_protection_enabled");
    mdatp.real_time_protection_available = found.truth("real_time_protection_available");
    mdatp.passive_mode_enabled = found.truth("passive_mode_enabled");
    mdatp.cloud_enabled = found.truth("cloud_enabled");
    mdatp.automatic_definition_update_enabled = found.truth("automatic_definition_update_enabled");
    mdatp.definitions_status = match found.text("definitions_status") {
        Fact::Known(word) => Fact::Known(snake(&word)),
        other => other,
    };
    mdatp.definitions_updated_minutes_ago = found.number("definitions_updated_minutes_ago");
    mdatp.engine_load_status = found.text("engine_load_status");
    mdatp.behavior_monitoring = found.text("behavior_monitoring");
    mdatp.product_expiration = found.time("product_expiration");
    mdatp.conflicting_applications = found.words("conflicting_applications");
    answer.gap("mdatp", Reason::NotVisible, "this version of Defender for Endpoint does not tell it");
}

/// `realTimeProtectionEnabled` as `real_time_protection_enabled`.
fn snake(word: &str) -> String {
    let mut out = String::with_capacity(word.len() + 4);
    for c in word.chars() {
        if c.is_ascii_uppercase() && !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

struct Health<'a>(&'a Map<String, Json>);

impl<'a> Health<'a> {
    /// The value of a field, by either spelling, out of what it may be wrapped in.
    fn get(&self, name: &str) -> Option<&'a Json> {
        let value = self.0.iter().find(|(key, _)| snake(key) == name).map(|(_, value)| value)?;
        match value {
            Json::Object(inner) => inner.get("value").or_else(|| inner.get("$type")),
            plain => Some(plain),
        }
    }

    fn truth(&self, name: &str) -> Fact<bool> {
        match self.get(name) {
            Some(Json::Bool(truth)) => Fact::Known(*truth),
            Some(Json::String(word)) => match word.as_str() {
                "true" | "enabled" => Fact::Known(true),
                "false" | "disabled" => Fact::Known(false),
                _ => Fact::Unread,
            },
            _ => Fact::Unread,
        }
    }

    fn text(&self, name: &str) -> Fact<String> {
        match self.get(name) {
            Some(Json::String(word)) => Fact::Known(text::line(word)),
            _ => Fact::Unread,
        }
    }

    fn number(&self, name: &str) -> Fact<i64> {
        match self.get(name) {
            Some(Json::Number(number)) => number.as_i64().map_or(Fact::Unread, Fact::Known),
            Some(Json::String(digits)) => super::answer::number(digits),
            _ => Fact::Unread,
        }
    }

    /// Words between commas or in a list; an empty text and null are none.
    fn words(&self, name: &str) -> Fact<Vec<String>> {
        let split = |text: &str| {
            let inner = text.trim().trim_start_matches('[').trim_end_matches(']');
            let words = inner.split(',').map(|word| text::line(word.trim().trim_matches('"')));
            words.filter(|word| !word.is_empty()).collect()
        };
        match self.get(name) {
            Some(Json::Array(items)) => {
                let words: Option<Vec<String>> = items.iter().map(|item| item.as_str().map(text::line)).collect();
                words.map_or(Fact::Unread, Fact::Known)
            }
            Some(Json::String(text)) => Fact::Known(split(text)),
            Some(Json::Null) => Fact::Known(Vec::new()),
            _ => Fact::Unread,
        }
    }

    /// Seconds or milliseconds since the epoch, or a date as in RFC 3339 or as the program writes it for people.
    fn time(&self, name: &str) -> Fact<Timestamp> {
        let number = |value: i64| {
            if value.abs() > 100_000_000_000 {
                Timestamp::from_millisecond(value)
            } else {
                Timestamp::from_second(value)
            }
        };
        let time = match self.get(name) {
            Some(Json::Number(count)) => count.as_i64().and_then(|count| number(count).ok()),
            Some(Json::String(word)) => match word.parse::<i64>() {
                Ok(count) => number(count).ok(),
                Err(_) => word.parse().ok().or_else(|| written(word)),
            },
            _ => None,
        };
        time.map_or(Fact::Unread, Fact::Known)
    }
}

/// `Nov 23, 2026 at 06:41:11 PM`, which it prints in the time of the node; a day more or less does not matter here.
fn written(word: &str) -> Option<Timestamp> {
    let time = jiff::civil::DateTime::strptime("%b %d, %Y at %I:%M:%S %p", word).ok()?;
    time.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::testing::{blank, frames, record};
    use super::super::updates;
    use super::*;
    use crate::evidence::NodeEvidence;

    fn told(flags: &str, health: &str) -> NodeEvidence {
        let mut node = blank(true);
        updates::fill(&frames(&[record("mdatp", flags, health)]), &mut node);
        node
    }

    #[test]
    fn both_spellings_say_the_same() {
        let plain = told("-", include_str!("../../../tests/samples/mdatp/snake-case.json")).mdatp;
        let camel = told("-", include_str!("../../../tests/samples/mdatp/camel-case.json")).mdatp;
        assert_eq!(plain, camel);
        assert_eq!(
            (&plain.present, &plain.healthy, &plain.licensed),
            (&Fact::Known(true), &Fact::Known(true), &Fact::Known(true))
        );
        assert_eq!((&plain.org_present, &plain.passive_mode_enabled), (&Fact::Known(true), &Fact::Known(false)));
        assert_eq!(plain.real_time_protection_enabled, Fact::Known(true));
        assert_eq!(
            (plain.definitions_status, plain.definitions_updated_minutes_ago),
            (Fact::Known("up_to_date".into()), Fact::Known(52))
        );
        assert_eq!(
            (plain.health_issues, plain.conflicting_applications),
            (Fact::Known(Vec::new()), Fact::Known(Vec::new()))
        );
        assert_eq!(plain.behavior_monitoring, Fact::Known("enabled".into()));
        assert!(plain.product_expiration.known().is_some());
    }

    #[test]
    fn what_it_does_not_tell_is_unread_with_a_reason() {
        let node = told(
            "-",
            r#"{"healthy": false, "healthIssues": ["no active event provider"], "orgId": "unavailable", "licensed": 7}"#,
        );
        assert_eq!((&node.mdatp.healthy, &node.mdatp.org_present), (&Fact::Known(false), &Fact::Known(false)));
        assert_eq!(node.mdatp.health_issues, Fact::Known(vec!["no active event provider".to_owned()]));
        assert_eq!((&node.mdatp.licensed, &node.mdatp.cloud_enabled), (&Fact::Unread, &Fact::Unread));
        assert!(node.unread.iter().any(|gap| gap.path == "mdatp"));
    }

    #[test]
    fn none_is_absent_and_a_silent_one_is_not() {
        let none = told("a", "").mdatp;
        assert_eq!((none.present, none.healthy), (Fact::Known(false), Fact::Absent));
        for (flags, body) in [("-", "Could not connect to the daemon"), ("-", ""), ("t", ""), ("r", ""), ("-", "[1]")] {
            let node = told(flags, body);
            assert_eq!(node.mdatp.healthy, Fact::Unread, "{body}");
            assert!(node.unread.iter().any(|gap| gap.path == "mdatp"), "{body}");
        }
    }
}
