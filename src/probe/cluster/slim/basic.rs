//! Service accounts, and objects of which nothing is asked but that they are there.

use super::Item;
use super::parts::{Meta, Nothing, fact, full_name};
use crate::evidence::cluster::ServiceAccount;
use serde::Deserialize;

/// A ServiceAccount.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::probe::cluster) struct Account {
    metadata: Meta,
    automount_service_account_token: Option<bool>,
}

impl Item for Account {
    type Evidence = ServiceAccount;

    fn evidence(self) -> Option<ServiceAccount> {
        let (namespace, account) = self.metadata.split()?;
        Some(ServiceAccount {
            name: full_name(&namespace, &account),
            namespace,
            account,
            automount_token: fact(self.automount_service_account_token),
        })
    }
}

/// An object that exists; nothing of it is kept.
#[derive(Debug, Deserialize)]
pub(in crate::probe::cluster) struct Exists {
    #[serde(rename = "metadata")]
    _metadata: Nothing,
}
