//! What k3s and RKE2 do in a way of their own, which is left to a person: what to do, in their words.

use super::rancher::Which;
use crate::catalog::RemedySpec;

impl Which {
    /// What k3s and RKE2 do in a way of their own, which is no flag: what to do there, a sentence. None for everything else.
    pub(super) fn own_way(self, spec: &RemedySpec) -> Option<String> {
        let sentence = match (spec, self) {
            // k3s-io/k3s pull request 13370, in the releases of 2026; before, and with the flag alone, each of several servers
            // makes a key of its own (issue 7195 there).
            (RemedySpec::EncryptionAtRest {}, Which::K3s) => {
                "k3s keeps the keys itself and has steps of its own, which need the newest release of its minor version and a backup. On \
                 one server `k3s secrets-encrypt enable`; then put `secrets-encryption: true` into /etc/rancher/k3s/config.yaml of each \
                 server and restart k3s, one server at a time; then on one server `k3s secrets-encrypt rotate-keys`; once `k3s \
                 secrets-encrypt status` says reencrypt_finished, restart k3s on each again. Never begin with the file: several servers \
                 that run already would each make a key of its own"
            }
            (RemedySpec::EncryptionAtRest {}, Which::Rke2) => {
                "RKE2 encrypts by itself with a key of its own: `rke2 secrets-encrypt status` tells how it stands"
            }
            _ => return None,
        };
        Some(sentence.to_owned())
    }

    /// What to do for a setting of the kubelet that no flag sets: a sentence.
    pub(super) fn no_flag(self, path: &str) -> String {
        let (called, main) = (self.called(), self.main());
        let file = match self {
            // docs.k3s.io, installation/configuration, "Kubelet Configuration Files".
            Which::K3s => {
                "Put a file of the kubelet's own configuration into /var/lib/rancher/k3s/agent/etc/kubelet.conf.d, which k3s reads from \
                 1.32 on, with a name that ends in .conf and comes after 00-k3s-defaults.conf, then restart it"
                    .to_owned()
            }
            Which::Rke2 => format!(
                "Put a file of the kubelet's own configuration into a folder and name that with `kubelet-arg: [\"config-dir=FOLDER\"]` \
                 in {main} by hand (see the documents of your version), then restart it"
            ),
        };
        format!("{called} starts the kubelet with flags, and no flag sets {path} alone. {file}")
    }
}
