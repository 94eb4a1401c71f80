//! CertificateSigningRequests.

use super::Item;
use super::parts::{Filled, Many, Meta, Text};
use crate::evidence::cluster::SigningRequest;
use serde::Deserialize;

/// A CertificateSigningRequest. The request and the certificate themselves are not kept.
#[derive(Debug, Deserialize)]
pub(in crate::probe::cluster) struct Request {
    metadata: Meta,
    spec: Spec,
    status: Option<Status>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    signer_name: Text,
    username: Option<Text>,
}

#[derive(Debug, Default, Deserialize)]
struct Status {
    #[serde(default)]
    conditions: Many<Condition, 256>,
    #[serde(default)]
    certificate: Filled,
}

#[derive(Debug, Deserialize)]
struct Condition {
    #[serde(rename = "type")]
    kind: Text,
}

impl Item for Request {
    type Evidence = SigningRequest;

    fn evidence(self) -> Option<SigningRequest> {
        let (_, name) = self.metadata.split()?;
        let status = self.status.unwrap_or_default();
        let has = |kind: &str| status.conditions.0.iter().any(|condition| condition.kind.0 == kind);
        let state = match () {
            () if has("Denied") => "denied",
            () if has("Failed") => "failed",
            () if has("Approved") => "approved",
            () => "pending",
        };
        Some(SigningRequest {
            name,
            signer: self.spec.signer_name.0,
            requestor: self.spec.username.unwrap_or_default().0,
            created: self.metadata.creation_timestamp.0,
            state: state.to_owned(),
            issued: status.certificate.0,
        })
    }
}
