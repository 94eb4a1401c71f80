//! Release and end-of-life dates, from `assets/lifecycle.json` (data of endoflife.date, MIT).

use super::{Gap, Missing, Reading, Reason, Value};
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use serde::Deserialize;
use std::collections::BTreeMap;

/// `ID` of `/etc/os-release` -> product in the data.
const PRODUCTS: [(&str, &str); 17] = [
    ("almalinux", "almalinux"),
    ("alpine", "alpine-linux"),
    ("amzn", "amazon-linux"),
    ("centos", "centos-stream"),
    ("cos", "cos"),
    ("debian", "debian"),
    ("nixos", "nixos"),
    ("ol", "oracle-linux"),
    ("opensuse-leap", "opensuse"),
    ("photon", "vmware-photon"),
    ("rhel", "rhel"),
    ("rocky", "rocky-linux"),
    ("sl-micro", "suse-linux-micro"),
    ("sle-micro", "suse-linux-micro"),
    ("sles", "sles"),
    ("suse-microos", "suse-linux-micro"),
    ("ubuntu", "ubuntu"),
];

/// Products whose extended support costs nothing and comes through the same archive, so that every node gets it: Debian
/// LTS. That of the others needs a contract, which no probe can see.
const EXTENDED_FOR_ALL: [&str; 1] = ["debian"];

/// `ID` of systems of which the data has nothing, with their names for the person.
const NOT_IN_DATA: [(&str, &str); 6] = [
    ("azurelinux", "Azure Linux"),
    ("bottlerocket", "Bottlerocket"),
    ("fedora", "Fedora"),
    ("flatcar", "Flatcar"),
    ("mariner", "CBL-Mariner"),
    ("talos", "Talos"),
];

/// The whole table, with the date of the data.
#[derive(Debug, Clone, Deserialize)]
pub struct Lifecycle {
    /// When the data was taken, RFC 3339.
    pub snapshot_date: String,
    /// Product (`debian`, `ubuntu`, `kubernetes`) -> its cycles.
    pub products: BTreeMap<String, Product>,
}

/// One product.
#[derive(Debug, Clone, Deserialize)]
pub struct Product {
    /// For screens: `Debian`.
    pub title: String,
    /// Newest first.
    pub cycles: Vec<Cycle>,
}

/// One release line.
#[derive(Debug, Clone, Deserialize)]
pub struct Cycle {
    /// `12`, `24.04`, `1.36`.
    pub cycle: String,
    /// End of regular security support.
    #[serde(default)]
    pub eol: Option<EndDate>,
    /// End of extended security support, where there is one.
    #[serde(default)]
    pub extended_security_end: Option<EndDate>,
    /// Newest version of the line at the date of the data.
    #[serde(default)]
    pub latest: Option<String>,
}

/// An end date as the data gives it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum EndDate {
    /// `true`: already ended; `false`: no date announced.
    Ended(bool),
    /// `2028-08-09`.
    Date(String),
}

impl EndDate {
    /// The moment that a text names: a time (RFC 3339) as it is, a date alone as its end in UTC. None for anything else.
    pub fn moment(text: &str) -> Option<Timestamp> {
        if let Ok(time) = text.parse::<Timestamp>() {
            return Some(time);
        }
        // A date alone, and nothing that merely begins with one.
        let date: Date = (text.len() == 10).then(|| text.parse().ok()).flatten()?;
        let next = date.checked_add(1.day()).ok()?;
        Some(next.to_zoned(TimeZone::UTC).ok()?.timestamp())
    }
}

impl Lifecycle {
    /// What the data says of the support of an operating system. `os` is the node's `os`, as evidence. A map with
    /// `product`, `cycle`, `title`; the dates `eol` (end of regular security support; absent where none is announced),
    /// `extended_end` (absent where there is none) and `support_end` (until when every node gets security updates: `eol`,
    /// for Debian the end of its LTS, which is free); and `ended`, whether that was over at `now` (unread while an
    /// extension goes on that takes a contract).
    ///
    /// Unread where the system's name or version was not read, and with [`Reason::NotVisible`] where the data knows
    /// nothing of it: an unknown system is never taken for a supported one.
    pub fn support(&self, os: &Reading, now: Timestamp) -> Reading {
        let id = match os.child("id").value {
            Value::Text(id) => id,
            Value::Unread(gap) => return Reading::new(Value::Unread(gap)),
            _ => return Reading::unread(Reason::Unsupported, "the node does not say which operating system it runs"),
        };
        let Some((key, product)) = PRODUCTS
            .iter()
            .find(|(known, _)| *known == &*id)
            .and_then(|(_, key)| self.products.get(*key).map(|product| (*key, product)))
        else {
            let name = NOT_IN_DATA.iter().find(|(known, _)| *known == &*id).map_or("this system", |(_, name)| *name);
            return Reading::unread(
                Reason::NotVisible,
                format!("no lifecycle data for {name} in this version: ask its vendor until when it is supported"),
            );
        };
        let version = match os.child("version_id").value {
            Value::Text(version) => version,
            Value::Unread(gap) => return Reading::new(Value::Unread(gap)),
            _ => {
                return Reading::unread(
                    Reason::NotVisible,
                    format!(
                        "a rolling release of {} has no version whose end of support could be known",
                        product.title
                    ),
                );
            }
        };
        let found = product
            .cycles
            .iter()
            .filter(|cycle| {
                let name = cycle.cycle.strip_prefix("cos-").unwrap_or(&cycle.cycle);
                version.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
            .max_by_key(|cycle| cycle.cycle.len());
        let Some(cycle) = found else {
            return Reading::unread(
                Reason::NotVisible,
                format!(
                    "the lifecycle data of {} does not know this release of {}: take a newer version of this program",
                    self.day(),
                    product.title
                ),
            );
        };
        self.reading(key, product, cycle, now)
    }

    /// What the data says of one release line of a product.
    pub(super) fn reading(&self, key: &str, product: &Product, cycle: &Cycle, now: Timestamp) -> Reading {
        let origin = format!("lifecycle data of {} (endoflife.date)", self.day());
        let from = |value: Value| Reading::with_origin(value, origin.as_str());
        let malformed = || Value::Unread(Gap::new(Reason::Malformed, "the lifecycle data holds no usable date for it"));
        let date = |end: &Option<EndDate>| match end {
            Some(EndDate::Date(date)) if EndDate::moment(date).is_some() => Value::Text(date.as_str().into()),
            Some(EndDate::Date(_)) => malformed(),
            Some(EndDate::Ended(_)) | None => Value::Absent,
        };
        let eol = if cycle.eol.is_some() { date(&cycle.eol) } else { malformed() };
        let extended = date(&cycle.extended_security_end);
        let for_all = EXTENDED_FOR_ALL.contains(&key) && matches!(extended, Value::Text(_));
        let end = if for_all { extended.clone() } else { eol.clone() };
        let ended = match (&end, &cycle.eol) {
            (Value::Text(date), _) => match EndDate::moment(date) {
                Some(end) if end <= now && !for_all => over(&extended, now),
                Some(end) => Value::Bool(end <= now),
                None => malformed(),
            },
            (_, Some(EndDate::Ended(ended))) => Value::Bool(*ended),
            _ => malformed(),
        };
        let entries = [
            ("product", Value::Text(key.into())),
            ("cycle", Value::Text(cycle.cycle.as_str().into())),
            ("title", Value::Text(product.title.as_str().into())),
            ("eol", eol),
            ("extended_end", extended),
            ("support_end", end),
            ("ended", ended),
        ];
        let entries = entries.into_iter().map(|(name, value)| (name.into(), from(value))).collect();
        from(Value::Map { entries: std::sync::Arc::new(entries), missing: Missing::Absent })
    }

    /// The day of the data.
    pub(super) fn day(&self) -> &str {
        self.snapshot_date.split('T').next().unwrap_or_default()
    }

    /// The table that this program was built with.
    pub fn embedded() -> Result<Self, serde_json::Error> {
        serde_json::from_str(include_str!("../../assets/lifecycle.json"))
    }
}

/// Whether support is over once its regular end has passed, where there may be an extension that takes a contract: such
/// a contract cannot be seen.
fn over(extended: &Value, now: Timestamp) -> Value {
    match extended {
        Value::Text(end) if EndDate::moment(end).is_some_and(|end| end > now) => Value::Unread(Gap::new(
            Reason::NotVisible,
            format!(
                "regular support is over; extended support until {end} takes a contract, which cannot be seen from here: \
                 ask who runs it"
            ),
        )),
        _ => Value::Bool(true),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    fn support(id: &str, version: Option<&str>, now: &str) -> Reading {
        let mut os = BTreeMap::from([("id".to_owned(), Reading::text(id))]);
        let version = version.map_or(Reading::new(Value::Absent), Reading::text);
        os.insert("version_id".to_owned(), version);
        Lifecycle::embedded().unwrap().support(&Reading::map(os), now.parse().unwrap())
    }

    fn ended(id: &str, version: &str, now: &str) -> Value {
        support(id, Some(version), now).child("ended").value
    }

    #[test]
    fn support_ends_with_the_end_of_the_last_day() {
        assert_eq!(ended("rocky", "8.10", "2029-05-31T23:59:59Z"), Value::Bool(false));
        assert_eq!(ended("rocky", "8.10", "2029-06-01T00:00:00Z"), Value::Bool(true));
    }

    #[test]
    fn extended_support_counts_only_where_every_node_gets_it() {
        let debian = support("debian", Some("12"), "2026-11-23T00:00:00Z");
        assert_eq!(debian.child("eol").value, Value::Text("2026-07-11".into()));
        assert_eq!(debian.child("support_end").value, Value::Text("2028-06-30".into()));
        assert_eq!(debian.child("ended").value, Value::Bool(false));
        assert_eq!(ended("debian", "12", "2028-07-01T00:00:00Z"), Value::Bool(true));
        let sles = support("sles", Some("15.6"), "2026-11-23T00:00:00Z");
        assert_eq!(sles.child("extended_end").value, Value::Text("2028-12-31".into()));
        assert_eq!(sles.child("support_end").value, Value::Text("2025-12-31".into()));
        assert!(matches!(sles.child("ended").value, Value::Unread(_)), "a contract cannot be seen on the node");
        assert_eq!(ended("sles", "15.6", "2029-01-01T00:00:00Z"), Value::Bool(true));
    }

    #[test]
    fn the_longest_release_that_fits_counts() {
        let cycle = |id: &str, version: &str| support(id, Some(version), "2026-01-01T00:00:00Z").child("cycle").value;
        assert_eq!(cycle("rocky", "9.4"), Value::Text("9".into()));
        assert_eq!(cycle("ubuntu", "24.04"), Value::Text("24.04".into()));
        assert_eq!(cycle("alpine", "3.22.1"), Value::Text("3.22".into()));
        assert_eq!(cycle("cos", "121"), Value::Text("cos-121".into()));
        assert_eq!(cycle("amzn", "2023"), Value::Text("2023".into()));
        assert!(matches!(cycle("debian", "1"), Value::Unread(_)), "1 is no prefix of 12");
        assert!(matches!(cycle("debian", "120"), Value::Unread(_)));
    }

    #[test]
    fn what_is_not_known_is_unread_with_what_to_do() {
        for (id, version) in
            [("azurelinux", Some("3.0")), ("debian", None), ("debian", Some("99")), ("x\u{1b}[2J", None)]
        {
            match support(id, version, "2026-01-01T00:00:00Z").value {
                Value::Unread(gap) => {
                    assert_eq!(gap.reason, Reason::NotVisible);
                    assert!(!gap.detail.contains('\u{1b}'));
                }
                other => panic!("{id}: {other:?}"),
            }
        }
        let oracle = support("ol", Some("10.0"), "2026-01-01T00:00:00Z");
        assert_eq!((oracle.child("eol").value, oracle.child("ended").value), (Value::Absent, Value::Bool(false)));
    }

    #[test]
    fn every_product_that_is_named_is_in_the_data() {
        let data = Lifecycle::embedded().unwrap();
        for (id, product) in PRODUCTS {
            assert!(data.products.contains_key(product), "{id} -> {product}");
        }
    }
}
