//! Objects of which the name alone is kept: CustomResourceDefinitions, CSIDrivers.

use super::Item;
use super::parts::Meta;
use serde::Deserialize;

/// An object's name; also what the API sends of an object that was asked for by its metadata alone.
#[derive(Debug, Deserialize)]
pub(in crate::probe::cluster) struct Named {
    metadata: Meta,
}

impl Item for Named {
    type Evidence = String;

    fn evidence(self) -> Option<String> {
        self.metadata.split().map(|(_, name)| name)
    }
}
