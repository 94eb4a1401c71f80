//! Measured boot, cryptographic policy, audit, time, and the units behind them.

use super::answer::{self, Answer};
use super::frames::{Pair, Pairs, State};
use super::host::yes_no;
use super::{auto_updates, units};
use crate::evidence::{Audit, Fact, Fips, Listing, MeasuredBoot, NodeEvidence, Reason, TimeSync, Unit};

/// What stands in the `defences` record.
const PATHS: [&str; 5] = ["measured_boot", "fips.crypto_policy", "audit.rules", "time_sync", "mdatp.present"];

/// Units that keep a clock right.
const TIME: [&str; 7] = [
    "chronyd.service",
    "chrony.service",
    "systemd-timesyncd.service",
    "ntpd.service",
    "ntp.service",
    "ntpsec.service",
    "openntpd.service",
];

/// Fills in what the `defences`, `auto` and `units` records tell of these.
pub(super) fn fill(answer: &mut Answer<'_>, node: &mut NodeEvidence) {
    node.service_units = units::services(answer);
    let got = answer.got("defences");
    for path in PATHS {
        answer.note(&got, path, "what the machine tells of its defences");
    }
    let pairs = got.record().map(super::frames::Record::pairs);
    let pairs = pairs.as_ref();
    node.measured_boot = MeasuredBoot {
        pcr7: answer.fact(pairs, "pcr7", "measured_boot.pcr7", "the TPM's register 7", measured),
        event_log: answer.fact(pairs, "event_log", "measured_boot.event_log", "the firmware's event log", yes_no),
    };
    let host = answer.got("host");
    answer.note(&host, "fips.enabled", "what the machine tells of itself");
    let host = host.record().map(super::frames::Record::pairs);
    node.fips = Fips {
        enabled: answer.fact(host.as_ref(), "fips", "fips.enabled", "FIPS mode", yes_no),
        crypto_policy: answer
            .fact(pairs, "crypto_policy", "fips.crypto_policy", "the cryptographic policy", |v| answer::word(v.trim())),
    };
    node.audit = audit(answer, pairs, &node.service_units);
    node.time_sync = time_sync(answer, pairs, &node.service_units);
    node.mdatp.present = answer.fact(pairs, "mdatp", "mdatp.present", "whether Defender is installed", yes_no);
    node.auto_updates = auto_updates::read(answer, &node.service_units);
}

/// Whether a register holds a measurement: hexadecimal digits, not all of them 0 (nothing measured) or F (never reset).
fn measured(value: &str) -> Option<bool> {
    let sound = value.len() == 64 && value.chars().all(|c| c.is_ascii_hexdigit());
    let blank = ["0", "f", "F"].iter().any(|digit| value.chars().all(|c| digit.contains(c)));
    sound.then_some(!blank)
}

/// Whether a unit exists and whether it is active; unread where the units were not all told.
pub(super) fn unit_state(units: &Listing<Unit>, name: &str) -> (Fact<bool>, Fact<bool>) {
    match units.items.iter().find(|unit| unit.name == name) {
        Some(unit) => {
            let active = unit.active.known().map_or(Fact::Unread, |state| {
                Fact::Known(matches!(state.as_str(), "active" | "activating" | "reloading"))
            });
            (Fact::Known(true), active)
        }
        None if units.complete => (Fact::Known(false), Fact::Known(false)),
        None => (Fact::Unread, Fact::Unread),
    }
}

fn audit(answer: &mut Answer<'_>, pairs: Option<&Pairs>, units: &Listing<Unit>) -> Audit {
    let (installed, active) = unit_state(units, "auditd.service");
    if installed.is_unread() {
        units_missing(answer, &["audit.installed", "audit.active"]);
    }
    // Rules that nobody could list are not no rules.
    let rules = answer.fact(pairs, "audit_rules", "audit.rules", "the audit rules", |v| {
        v.parse().ok().filter(|count: &i64| *count >= 0)
    });
    Audit { installed, active, rules }
}

fn time_sync(answer: &mut Answer<'_>, pairs: Option<&Pairs>, units: &Listing<Unit>) -> TimeSync {
    let active: Vec<String> =
        TIME.into_iter().filter(|name| unit_state(units, name).1 == Fact::Known(true)).map(str::to_owned).collect();
    let services = if units.complete { Fact::Known(active) } else { Fact::Unread };
    if services.is_unread() {
        units_missing(answer, &["time_sync.services"]);
    }
    TimeSync {
        synchronized: answer.fact(
            pairs,
            "time_NTPSynchronized",
            "time_sync.synchronized",
            "whether the clock is synchronised",
            yes_no,
        ),
        enabled: answer.fact(pairs, "time_NTP", "time_sync.enabled", "whether a time service is switched on", yes_no),
        services,
    }
}

/// Says of facts that they stand on units that were not all read. The reason is that of the units themselves.
pub(super) fn units_missing(answer: &mut Answer<'_>, paths: &[&str]) {
    if !answer.complete() {
        return;
    }
    let known = answer.unread.iter().find(|gap| gap.path == "service_units");
    let (reason, detail) = known
        .map_or((Reason::NotVisible, "the units of the node were not read".to_owned()), |gap| {
            (gap.reason, gap.detail.clone())
        });
    for path in paths {
        answer.gap(path, reason, &detail);
    }
}

/// A pair's value; None where it was read as not being there; the gap is noted at `path` where it was not read.
pub(super) fn setting(
    answer: &mut Answer<'_>,
    pairs: &Pairs,
    name: &str,
    path: &str,
    what: &str,
) -> Result<Option<String>, ()> {
    match pairs.get(name) {
        Some(Pair::Value(value)) => Ok(Some(super::text::line(value))),
        None | Some(Pair::Missing(State::Absent)) => Ok(None),
        Some(Pair::Missing(state)) => {
            answer.missing(*state, path, what);
            Err(())
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::testing::{assembled, record};
    use super::*;

    const UNITS: &str = "Id=auditd.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n\n\
        Id=chrony.service\nLoadState=loaded\nActiveState=active\nUnitFileState=enabled\n\n\
        Id=systemd-timesyncd.service\nLoadState=not-found\nActiveState=inactive\nUnitFileState=\n";

    #[test]
    fn a_register_is_measured_or_blank() {
        assert_eq!(measured(&"0".repeat(64)), Some(false));
        assert_eq!(measured(&"F".repeat(64)), Some(false));
        assert_eq!(measured("65CAF8DD1E0EA7A6347B635D2B379C93B9A1351EDC2AFC3ECDA700E234EB3068"), Some(true));
        for bad in ["", "0", "not a register", &"0".repeat(40)] {
            assert_eq!(measured(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_whole_answer_is_told_and_what_is_closed_has_its_reason() {
        let body = "pcr7!absent\nevent_log!forbidden\ncrypto_policy=FIPS\naudit_rules!forbidden\ntime_NTP=no\ntime_NTPSynchronized=yes\nmdatp=no\n";
        let node =
            assembled(&[record("host", "-", "fips=1\n"), record("units", "-", UNITS), record("defences", "-", body)]);
        assert_eq!((&node.measured_boot.pcr7, &node.measured_boot.event_log), (&Fact::Absent, &Fact::Unread));
        assert_eq!((node.fips.enabled, node.fips.crypto_policy), (Fact::Known(true), Fact::Known("FIPS".into())));
        assert_eq!((&node.audit.installed, &node.audit.active), (&Fact::Known(true), &Fact::Known(true)));
        assert_eq!(node.audit.rules, Fact::Unread);
        assert_eq!((&node.time_sync.synchronized, &node.time_sync.enabled), (&Fact::Known(true), &Fact::Known(false)));
        assert_eq!(node.time_sync.services, Fact::Known(vec!["chrony.service".to_owned()]));
        assert_eq!((&node.mdatp.present, &node.mdatp.healthy), (&Fact::Known(false), &Fact::Absent));
        let reason = |path: &str| node.unread.iter().find(|gap| gap.path == path).map(|gap| gap.reason);
        assert_eq!(reason("audit.rules"), Some(Reason::Forbidden));
        assert_eq!(reason("measured_boot.event_log"), Some(Reason::Forbidden));
    }

    #[test]
    fn without_systemd_nothing_is_said_of_its_units() {
        let node = assembled(&[record("units", "u", ""), record("defences", "-", "audit_rules=0\n")]);
        assert_eq!((&node.audit.installed, &node.audit.rules), (&Fact::Unread, &Fact::Known(0)));
        assert_eq!(node.time_sync.services, Fact::Unread);
        for path in ["audit.installed", "time_sync.services", "service_units"] {
            let gap = node.unread.iter().find(|gap| gap.path == path).unwrap_or_else(|| panic!("{path}"));
            assert_eq!(gap.reason, Reason::Unsupported, "{path}");
        }
    }
}
