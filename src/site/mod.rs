//! The site: what a person says about it (site file, command line) and which targets follow from that.

mod target;

pub use target::{NodeTarget, TargetError, Way};
