//! What the process's surroundings say about clusters: variables, the home folder, the pod that it may run in.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// Where a pod finds its service account. Source: kubernetes.io, "Accessing the Kubernetes API from a Pod".
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Gives a variable's value.
type Variable = dyn Fn(&str) -> Option<OsString> + Send + Sync;

/// Variables, home and pod; other ones in tests, since a test must not set variables of its own process.
#[derive(Clone)]
pub(in crate::kubeapi) struct Surroundings {
    variable: Arc<Variable>,
    /// The person's home folder.
    pub(in crate::kubeapi) home: Option<PathBuf>,
    /// Folder with `token` and `ca.crt` of a pod's service account.
    pub(in crate::kubeapi) service_account: PathBuf,
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Surroundings")
    }
}

impl Surroundings {
    /// Those of this process.
    pub(in crate::kubeapi) fn real() -> Self {
        Surroundings {
            variable: Arc::new(|name| std::env::var_os(name)),
            home: dirs::home_dir(),
            service_account: PathBuf::from(SERVICE_ACCOUNT),
        }
    }

    /// Some of one's own.
    #[cfg(test)]
    pub(in crate::kubeapi) fn of(variables: &[(&str, &str)], home: &std::path::Path) -> Self {
        let own: Vec<(String, OsString)> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), OsString::from(value))).collect();
        Surroundings {
            variable: Arc::new(move |name| own.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone())),
            home: Some(home.to_owned()),
            service_account: home.join("serviceaccount"),
        }
    }

    /// A variable that is set to something.
    pub(in crate::kubeapi) fn variable(&self, name: &str) -> Option<OsString> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }

    /// The first of several variables that is set to something, as text.
    pub(in crate::kubeapi) fn text(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.variable(name)).and_then(|value| value.into_string().ok())
    }

    /// Host and port of the API server, where this process runs in a pod that may speak to it.
    pub(super) fn pod(&self) -> Option<(String, String)> {
        let host = self.text(&["KUBERNETES_SERVICE_HOST"])?;
        let port = self.text(&["KUBERNETES_SERVICE_PORT"])?;
        self.service_account.join("token").exists().then_some((host, port))
    }
}
