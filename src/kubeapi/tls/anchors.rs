//! Which CAs are trusted: those that the kubeconfig names and no others, or those of this machine.

use super::super::error::ApiError;
use super::super::kubeconfig::PEM_LIMIT;
use super::pem;
use crate::evidence::Reason;
use openssl::error::ErrorStack;
use openssl::x509::X509;
use openssl::x509::store::{X509Store, X509StoreBuilder};
use openssl::x509::verify::X509VerifyFlags;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// Most files of a folder of trusted CAs.
const MOST_FILES: usize = 4096;

/// What a server's certificate is checked against.
#[derive(Clone)]
pub(in crate::kubeapi) enum Anchors {
    /// These alone.
    Named(Vec<X509>),
    /// The CAs that this machine trusts.
    Machine,
    /// Anybody: the kubeconfig says `insecure-skip-tls-verify`.
    Anybody,
}

impl Anchors {
    /// A store with them. Built by us in every case: OpenSSL's own default would add what `SSL_CERT_FILE` names to a CA
    /// that is meant to stand alone, and a vendored OpenSSL finds none of the machine's.
    pub(super) fn store(&self) -> Result<X509Store, ApiError> {
        let own = |_: ErrorStack| ApiError::new(Reason::Unsupported, "OpenSSL refuses the trusted CAs. Name others");
        let mut store = X509StoreBuilder::new().map_err(own)?;
        // As Go's verifier: whatever certificate is named is trusted, also one that is no CA or no root.
        store.set_flags(X509VerifyFlags::PARTIAL_CHAIN).map_err(own)?;
        match self {
            Anchors::Named(certificates) => {
                for certificate in certificates {
                    store.add_cert(certificate.clone()).map_err(own)?;
                }
            }
            Anchors::Machine => {
                let found = openssl_probe::probe();
                if fill(&mut store, found.cert_file.as_deref(), &found.cert_dir) == 0 {
                    return Err(ApiError::new(
                        Reason::Unreachable,
                        "the kubeconfig names no certificate-authority, and this machine has no list of trusted CAs. Install ca-certificates, or name the cluster's CA in the kubeconfig",
                    ));
                }
            }
            Anchors::Anybody => {}
        }
        Ok(store.build())
    }
}

/// Fills a store from a bundle, else from folders. How many there were.
fn fill(store: &mut X509StoreBuilder, file: Option<&Path>, folders: &[PathBuf]) -> usize {
    let mut count = 0;
    let mut add = |path: &Path| {
        let mut text = Vec::new();
        let most = u64::try_from(PEM_LIMIT).unwrap_or(u64::MAX);
        if path.is_file() && File::open(path).and_then(|file| file.take(most).read_to_end(&mut text)).is_ok() {
            count += pem::readable(&text).filter(|certificate| store.add_cert(certificate.clone()).is_ok()).count();
        }
    };
    file.into_iter().for_each(&mut add);
    if file.is_none() {
        for folder in folders {
            let entries = std::fs::read_dir(folder).into_iter().flatten().take(MOST_FILES);
            entries.filter_map(Result::ok).for_each(|entry| add(&entry.path()));
        }
    }
    count
}
