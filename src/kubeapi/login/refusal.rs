//! What to say when the API server answers 401.

use super::credentials::Credentials;
use super::jwt;
use jiff::Timestamp;

/// The login by a program.
pub(super) fn of_plugin(program: &str, context: &str) -> String {
    format!(
        "the API server does not accept what {program} gives for the context {context:?}. Log in anew with its own login command (az login, kubelogin ...), or ask an administrator whether your account may use the cluster"
    )
}

/// The login by a file with a token.
pub(super) fn of_token(credentials: &Credentials, place: &str, now: Timestamp) -> String {
    match expired(credentials, now) {
        Some(day) => format!("the token of {place} expired on {day}. Fetch a new one"),
        None => format!("the API server does not accept the token of {place}. Fetch a new one"),
    }
}

/// What stands in the kubeconfig.
pub(super) fn of_fixed(credentials: &Credentials, name: &str, context: &str, now: Timestamp) -> String {
    let again = "fetch the kubeconfig again (kubeadm: kubeadm certs renew admin.conf; k3s and RKE2: restart the service; AKS on Azure Local: az aksarc get-credentials)";
    if let Some(identity) = &credentials.identity {
        let place = &identity.place;
        return match identity.until.filter(|until| *until < now) {
            Some(until) => {
                format!("the {place} expired on {}. Have it renewed and {again}", until.strftime("%F %R UTC"))
            }
            None => format!(
                "the API server does not accept the {place}: it is of another cluster, or the cluster's CA was renewed. Please {again}"
            ),
        };
    }
    if credentials.header.is_some() {
        return match expired(credentials, now) {
            Some(day) => format!("the {name} of the context {context:?} expired on {day}. Log in again, or {again}"),
            None => format!(
                "the API server does not accept the {name} of the context {context:?}: it expired, was revoked or is of another cluster. Log in again, or {again}"
            ),
        };
    }
    format!("the API server wants a login, and the context {context:?} has no credentials. Please {again}")
}

fn expired(credentials: &Credentials, now: Timestamp) -> Option<String> {
    let until = jwt::expiry(credentials.header.as_ref()?)?;
    (until < now).then(|| until.strftime("%F %R UTC").to_string())
}
