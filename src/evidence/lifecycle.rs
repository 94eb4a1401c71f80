//! Release and end-of-life dates, from `assets/lifecycle.json` (data of endoflife.date, MIT).

use serde::Deserialize;
use std::collections::BTreeMap;

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

impl Lifecycle {
    /// The table that this program was built with.
    pub fn embedded() -> Result<Self, serde_json::Error> {
        serde_json::from_str(include_str!("../../assets/lifecycle.json"))
    }
}
