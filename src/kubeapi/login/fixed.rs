//! Credentials that stand in the kubeconfig or in files that it names.

use super::super::error::{ApiError, shown};
use super::super::kubeconfig::{Placed, kept, read_bounded, set};
use super::super::tls::{self, Identity};
use super::credentials::{basic, bearer};
use crate::evidence::Reason;
use http::HeaderValue;
use kube::config::AuthInfo;
use openssl::base64::decode_block;
use std::path::Path;
use zeroize::Zeroizing;

/// Refuses what kubectl refuses (client-go `clientcmd/validation.go`), and plugins that no longer exist.
pub(super) fn check(user: &AuthInfo, place: &str) -> Result<(), ApiError> {
    let wrong = |text: &str| Err(ApiError::new(Reason::Malformed, format!("{place}: {text}")));
    let has = |text: &Option<String>| set(text.as_ref()).is_some();
    let password = has(&user.username) || kept(user.password.as_ref()).is_some();
    if kept(user.token.as_ref()).is_some() && password {
        return wrong("it has both a token and a password. Remove one of them");
    }
    if user.exec.is_some() && user.auth_provider.is_some() {
        return wrong("it has both `exec` and `auth-provider`. Remove `auth-provider`");
    }
    let certificate = has(&user.client_certificate) || has(&user.client_certificate_data);
    let key = has(&user.client_key) || kept(user.client_key_data.as_ref()).is_some();
    if certificate && !key {
        return wrong(
            "it has a client certificate without a key. Add client-key or client-key-data, or fetch the file again",
        );
    }
    if key && !certificate {
        return wrong(
            "it has a client key without a certificate. Add client-certificate or client-certificate-data, or fetch the file again",
        );
    }
    Ok(())
}

/// The header that stands in the kubeconfig itself, and what it is called.
pub(super) fn header(user: &AuthInfo, place: &str) -> Result<Option<(&'static str, HeaderValue)>, ApiError> {
    if let Some(token) = kept(user.token.as_ref()) {
        return Ok(Some(("token", bearer(token, place)?)));
    }
    let name = user.username.as_deref().unwrap_or_default();
    let password = kept(user.password.as_ref()).unwrap_or_default();
    if !name.is_empty() || !password.is_empty() {
        return Ok(Some(("password", basic(name, password, place)?)));
    }
    let Some(provider) = &user.auth_provider else { return Ok(None) };
    let what = match provider.name.as_str() {
        // kubectl still has this one; what it wrote down is good until it expires.
        "oidc" => {
            match set(provider.config.get("id-token")) {
                Some(token) => return Ok(Some(("token of oidc", bearer(token, place)?))),
                None => "it logs in by the auth-provider oidc, which has no id-token. Log in by kubectl first, or use an exec plugin (kubectl oidc-login)".to_owned(),
            }
        }
        "azure" => "it logs in by the auth-provider azure, which no longer exists. Convert the file: kubelogin convert-kubeconfig -l azurecli".to_owned(),
        "gcp" => "it logs in by the auth-provider gcp, which no longer exists. Install gke-gcloud-auth-plugin and fetch the file again: gcloud container clusters get-credentials NAME".to_owned(),
        other => format!("it logs in by the auth-provider {:?}, which no longer exists. Fetch a kubeconfig that uses exec, a token or a certificate", shown(other)),
    };
    Err(ApiError::new(Reason::Unsupported, format!("{place}: {what}")))
}

/// The token in a file.
pub(super) fn token_of_file(path: &Path, place: &str) -> Result<HeaderValue, ApiError> {
    let bytes = Zeroizing::new(read_bounded(path, "token file", place)?);
    let name = shown(&path.display().to_string());
    let wrong = |what: &str| ApiError::new(Reason::Malformed, format!("token file {name}: it {what}. Fetch it again"));
    let text = std::str::from_utf8(&bytes).map_err(|_| wrong("is not text"))?.trim();
    if text.is_empty() {
        return Err(wrong("is empty"));
    }
    bearer(text, &format!("token file {name}"))
}

/// The client certificate and its key.
pub(super) fn identity(user: &Placed<AuthInfo>, place: &str) -> Result<Option<Identity>, ApiError> {
    let said = &user.value;
    let (data, file) = (set(said.client_certificate_data.as_ref()), set(said.client_certificate.as_ref()));
    if data.is_none() && file.is_none() {
        return Ok(None);
    }
    let what = format!("client certificate of {place}");
    let text = pem(data, file.map(|path| user.path(path)).as_deref(), "client certificate", place)?;
    let chain = tls::certificates(&text, &what)?;
    let file = set(said.client_key.as_ref()).map(|path| user.path(path));
    let text = pem(kept(said.client_key_data.as_ref()), file.as_deref(), "client key", place)?;
    let key = tls::key(&text, &format!("client key of {place}"))?;
    Identity::new(chain, key, what).map(Some)
}

/// Data in base64, else a file. As with kubectl the data go before the file.
pub(in crate::kubeapi) fn pem(
    data: Option<&str>,
    file: Option<&Path>,
    what: &str,
    place: &str,
) -> Result<Zeroizing<Vec<u8>>, ApiError> {
    let wrong = |text: &str| ApiError::new(Reason::Malformed, format!("{what} of {place}: {text}"));
    match (data, file) {
        (Some(data), _) => {
            let plain: Zeroizing<String> = Zeroizing::new(data.chars().filter(|c| !c.is_whitespace()).collect());
            let bytes = decode_block(&plain).map(Zeroizing::new);
            bytes.map_err(|_| wrong("its data are no base64. Fetch the kubeconfig again"))
        }
        (None, Some(file)) => read_bounded(file, what, place).map(Zeroizing::new),
        (None, None) => Err(wrong("it is missing. Fetch the kubeconfig again")),
    }
}
