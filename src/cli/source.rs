//! What is assessed and by what: the catalog, the policy, saved evidence, the time.

use super::args::{Folders, Judge, Narrow};
use super::error::CliError;
use super::look::Look;
use super::site_file::SiteFile;
use crate::catalog::{Catalog, Control, Section};
use crate::evidence::{Evidence, EvidenceError, Lifecycle, Policy, Profile};
use jiff::{Timestamp, civil, tz::TimeZone};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Evidence of a made-up site.
const DEMO: &str = include_str!("../../assets/demo/evidence.json");
/// Largest evidence file that is read: a thousand nodes take about a tenth of it.
const LARGEST: u64 = 512 << 20;

/// The catalog: the program's own, and the folders that the person and the site file name.
pub(super) fn catalog(folders: &Folders, site: &SiteFile) -> Result<Catalog, CliError> {
    let folders: Vec<&Path> = site.catalog.iter().chain(&folders.catalog).map(AsRef::as_ref).collect();
    let loaded = if folders.is_empty() { Catalog::embedded() } else { Catalog::load(&folders) };
    loaded.map_err(CliError::Catalog)
}

/// Lifecycle data of this program.
pub(super) fn lifecycle() -> Result<Lifecycle, CliError> {
    Lifecycle::embedded().map_err(|error| CliError::Own("the lifecycle data", error.to_string()))
}

/// What the options decide, held against the catalog: a name that is not in it, or names that together ask nothing,
/// are errors, since a scan that asks nothing would look like one that finds nothing.
pub(super) fn policy(judge: &Judge, controls: &[Control]) -> Result<Policy, CliError> {
    sections(&judge.narrow)?;
    let mut named = Vec::new();
    for given in &judge.control {
        named.push(control(controls, given)?);
    }
    // A control that is named is asked, whichever profile it is of, unless the profile was named too.
    let profile =
        profile(&judge.narrow).unwrap_or_else(|| named.iter().map(|control| control.profile).max().unwrap_or_default());
    for control in named {
        let id = &control.id;
        if control.profile > profile {
            return Err(CliError::Nothing(format!(
                "control {id} is asked only with --profile cis; leave --profile out"
            )));
        }
        let section = control.section.as_str();
        if !judge.narrow.section.is_empty() && !judge.narrow.section.iter().any(|given| given == section) {
            return Err(CliError::Nothing(format!(
                "control {id} is of section {section}, which --section leaves out; name that section or leave --section out"
            )));
        }
    }
    Ok(Policy { profile, sections: judge.narrow.section.clone(), controls: judge.control.clone(), ..Policy::default() })
}

/// The profile that was named.
pub(super) fn profile(narrow: &Narrow) -> Option<Profile> {
    narrow.profile.as_deref().map(|word| if word == "cis" { Profile::Cis } else { Profile::Guide })
}

/// Checks the sections' names.
pub(super) fn sections(narrow: &Narrow) -> Result<(), CliError> {
    let known = Section::ALL.map(Section::as_str);
    match narrow.section.iter().find(|given| !known.contains(&given.as_str())) {
        None => Ok(()),
        Some(given) => Err(CliError::unknown(
            "section",
            given,
            known.into_iter(),
            format!("The sections are {}.", known.join(", ")),
        )),
    }
}

/// One control by its name.
pub(super) fn control<'a>(controls: &'a [Control], given: &str) -> Result<&'a Control, CliError> {
    controls.iter().find(|control| control.id == given).ok_or_else(|| {
        let known = controls.iter().map(|control| control.id.as_str());
        CliError::unknown("control", given, known, "`sitewarden controls` lists them all.")
    })
}

/// The evidence that was named, if any; with it nothing is looked at, so options that name or reach
/// clusters and nodes are refused.
pub(super) fn evidence(judge: &Judge, look: &Look) -> Result<Option<Evidence>, CliError> {
    let one = match (&judge.evidence, judge.demo) {
        (None, false) => return Ok(None),
        (Some(_), true) => {
            return Err(CliError::Conflict { one: "--evidence", other: "--demo", why: "each is evidence; name one" });
        }
        (Some(_), false) => "--evidence",
        (None, true) => "--demo",
    };
    // A site file still brings its catalog.
    if let Some(other) = look.given().into_iter().find(|option| *option != "--site") {
        let why = "with saved evidence nothing is looked at; leave one of them out";
        return Err(CliError::Conflict { one, other, why });
    }
    match &judge.evidence {
        Some(file) => read(file).map(Some),
        None => {
            Evidence::from_json(DEMO).map(Some).map_err(|error| CliError::Own("the demo evidence", error.to_string()))
        }
    }
}

fn read(file: &Path) -> Result<Evidence, CliError> {
    let wrong = |error| CliError::Read { what: "the evidence", file: file.to_owned(), error };
    let mut text = Vec::new();
    if file == Path::new("-") {
        io::stdin().lock().take(LARGEST + 1).read_to_end(&mut text).map_err(wrong)?;
    } else {
        File::open(file).and_then(|open| open.take(LARGEST + 1).read_to_end(&mut text)).map_err(wrong)?;
    }
    if text.len() as u64 > LARGEST {
        return Err(wrong(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it is larger than {} MiB", LARGEST >> 20),
        )));
    }
    let text = String::from_utf8(text).map_err(|_| {
        wrong(io::Error::new(io::ErrorKind::InvalidData, "it is no text in UTF-8, so no evidence document"))
    })?;
    Evidence::from_json(&text).map_err(|error: EvidenceError| CliError::Evidence { file: file.to_owned(), error })
}

/// The time to assess for, where it is not simply now: `--as-of`, else the time of the demo's evidence.
pub(super) fn as_of(judge: &Judge, evidence: Option<&Evidence>) -> Result<Option<Timestamp>, CliError> {
    match &judge.as_of {
        Some(given) => parse_time(given).map(Some).ok_or_else(|| CliError::AsOf(given.clone())),
        None if judge.demo => Ok(evidence.map(|evidence| evidence.finished)),
        None => Ok(None),
    }
}

/// A date (its first moment in UTC) or a date and time with its offset.
fn parse_time(given: &str) -> Option<Timestamp> {
    if let Ok(time) = given.parse::<Timestamp>() {
        return Some(time);
    }
    // `civil::Date` also reads the date out of a longer text; only a bare date is meant.
    let date: civil::Date = given.parse().ok().filter(|_| given.len() == "2026-08-22".len())?;
    date.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;
    use crate::catalog::{EmptyMeans, References, Scope, Severity, Who};

    fn made(id: &str, section: Section, profile: Profile) -> Control {
        Control {
            id: id.to_owned(),
            section,
            profile,
            title: String::new(),
            severity: Severity::Low,
            scope: Scope::Node,
            who: Who::Technician,
            minutes: 1,
            when: None,
            otherwise: None,
            each: None,
            where_: None,
            empty: EmptyMeans::NotApplicable,
            expect: None,
            shows: Vec::new(),
            why: String::new(),
            fix: String::new(),
            ask: None,
            references: References::default(),
            remedy: None,
        }
    }

    fn asked(controls: &[&str], sections: &[&str], profile: Option<&str>) -> Result<Policy, CliError> {
        let known =
            [made("of-guide", Section::NodeAccess, Profile::Guide), made("of-cis", Section::Patches, Profile::Cis)];
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let narrow = Narrow { section: own(sections), profile: profile.map(str::to_owned) };
        policy(&Judge { narrow, control: own(controls), ..Judge::default() }, &known)
    }

    #[test]
    fn a_selection_that_asks_nothing_is_an_error() {
        assert!(matches!(asked(&["of-gide"], &[], None), Err(CliError::Unknown { near, .. }) if near[0] == "of-guide"));
        assert!(matches!(asked(&[], &["patch"], None), Err(CliError::Unknown { near, .. }) if near[0] == "patches"));
        assert!(matches!(asked(&["of-guide"], &["patches"], None), Err(CliError::Nothing(_))));
        assert!(matches!(asked(&["of-cis"], &[], Some("guide")), Err(CliError::Nothing(_))));
    }

    #[test]
    fn a_control_that_is_named_is_asked_whatever_its_profile() {
        assert_eq!(asked(&["of-cis"], &[], None).unwrap().profile, Profile::Cis);
        assert_eq!(asked(&["of-guide"], &[], None).unwrap().profile, Profile::Guide);
    }

    #[test]
    fn a_time_is_a_date_or_a_moment_with_its_offset() {
        assert_eq!(parse_time("2026-08-22").unwrap().to_string(), "2026-08-22T00:00:00Z");
        assert_eq!(parse_time("2026-08-22T10:00:00+02:00").unwrap().to_string(), "2026-08-22T08:00:00Z");
        for wrong in ["yesterday", "2026-13-01", "2026-08-22T10:00", "2026-08", ""] {
            assert!(parse_time(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn the_demo_is_evidence() {
        let evidence = evidence(&Judge { demo: true, ..Judge::default() }, &Look::default()).unwrap().unwrap();
        assert!(!evidence.nodes.is_empty());
    }
}
