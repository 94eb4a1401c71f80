//! Which operating system a node runs, from the text that its kubelet reports (`nodeInfo.osImage`): on Linux the
//! `PRETTY_NAME` of `/etc/os-release`, which most systems build the same way in every release.

use std::borrow::Cow;

/// What the text says for certain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OsImage<'t> {
    /// `ID` of `/etc/os-release`.
    pub(super) id: &'static str,
    /// `VERSION_ID`. None where the text does not tell it.
    pub(super) version: Option<Cow<'t, str>>,
}

/// How a system writes its version after its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// The whole word: `9.4`, `3.0`, `15.5`.
    Word,
    /// Major and minor of the word: `24.04` of `24.04.1`.
    MajorMinor,
    /// What stands before the first dot: `2023` of `2023.5.20240624`.
    Major,
    /// With its service pack: `15.5` of `15 SP5`.
    ServicePack,
    /// Not there, or not as `VERSION_ID` has it.
    None,
}

/// Beginnings of the text, the longer before the shorter, with the id and the form of the version that follows.
const SYSTEMS: [(&str, &str, Form); 24] = [
    ("Debian GNU/Linux ", "debian", Form::Word),
    ("Ubuntu Core ", "ubuntu-core", Form::Word),
    ("Ubuntu ", "ubuntu", Form::MajorMinor),
    ("Microsoft Azure Linux ", "azurelinux", Form::Word),
    ("CBL-Mariner/Linux", "mariner", Form::None),
    ("Red Hat Enterprise Linux CoreOS ", "rhcos", Form::None),
    ("Red Hat Enterprise Linux ", "rhel", Form::Word),
    ("Rocky Linux ", "rocky", Form::Word),
    ("AlmaLinux ", "almalinux", Form::Word),
    ("CentOS Stream ", "centos", Form::Word),
    ("Oracle Linux Server ", "ol", Form::Word),
    ("openSUSE Leap ", "opensuse-leap", Form::Word),
    ("SUSE Linux Enterprise Server ", "sles", Form::ServicePack),
    ("SUSE Linux Enterprise Micro ", "sle-micro", Form::Word),
    ("SUSE Linux Micro ", "sl-micro", Form::Word),
    ("Flatcar Container Linux by Kinvolk ", "flatcar", Form::Word),
    ("Bottlerocket OS ", "bottlerocket", Form::Word),
    ("Amazon Linux ", "amzn", Form::Major),
    ("Fedora CoreOS ", "fedora", Form::Major),
    ("Fedora Linux ", "fedora", Form::Word),
    ("VMware Photon OS/Linux", "photon", Form::None),
    ("Container-Optimized OS from Google", "cos", Form::None),
    ("Alpine Linux v", "alpine", Form::None),
    ("Talos (", "talos", Form::None),
];

/// Reads the text. None where it is of no system that is known here.
pub(super) fn read(text: &str) -> Option<OsImage<'_>> {
    let (rest, id, form) =
        SYSTEMS.iter().find_map(|(start, id, form)| Some((text.strip_prefix(start)?, *id, *form)))?;
    let mut words = rest.split_whitespace();
    let word = words.next().filter(|word| is_version(word));
    let pack = words.next().and_then(|pack| pack.strip_prefix("SP")).filter(|pack| is_version(pack));
    let version = word.and_then(|word| match form {
        Form::None => None,
        Form::Word => Some(Cow::Borrowed(word)),
        Form::Major => word.split('.').next().map(Cow::Borrowed),
        Form::MajorMinor => {
            word.get(..word.match_indices('.').nth(1).map_or(word.len(), |(end, _)| end)).map(Cow::Borrowed)
        }
        Form::ServicePack => Some(pack.map_or(Cow::Borrowed(word), |pack| format!("{word}.{pack}").into())),
    });
    Some(OsImage { id, version })
}

/// Digits with single dots between them.
fn is_version(word: &str) -> bool {
    word.len() <= 32 && word.split('.').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn systems_are_told_from_what_their_kubelets_report() {
        for (text, id, version) in [
            ("Debian GNU/Linux 12 (bookworm)", "debian", Some("12")),
            ("Debian GNU/Linux trixie/sid", "debian", None),
            ("Ubuntu 24.04.1 LTS", "ubuntu", Some("24.04")),
            ("Ubuntu 25.10", "ubuntu", Some("25.10")),
            ("Ubuntu Core 22", "ubuntu-core", Some("22")),
            ("Microsoft Azure Linux 3.0", "azurelinux", Some("3.0")),
            ("CBL-Mariner/Linux", "mariner", None),
            ("Red Hat Enterprise Linux 9.4 (Plow)", "rhel", Some("9.4")),
            ("Red Hat Enterprise Linux CoreOS 415.92.202402201450-0 (Plow)", "rhcos", None),
            ("SUSE Linux Enterprise Server 15 SP5", "sles", Some("15.5")),
            ("SUSE Linux Enterprise Server 16.0", "sles", Some("16.0")),
            ("SUSE Linux Enterprise Micro 5.5", "sle-micro", Some("5.5")),
            ("Amazon Linux 2", "amzn", Some("2")),
            ("Amazon Linux 2023.5.20240624", "amzn", Some("2023")),
            ("Talos (v1.9.5)", "talos", None),
        ] {
            assert_eq!(read(text), Some(OsImage { id, version: version.map(Cow::Borrowed) }), "{text}");
        }
        for text in ["", "Debian", "Windows Server 2022 Datacenter", "ubuntu 24.04", "My own Debian GNU/Linux 12"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(rest in "\\PC{0,20}", start in prop::sample::select(&SYSTEMS[..])) {
            let text = format!("{}{rest}", start.0);
            let found = read(&text).unwrap();
            prop_assert!(found.version.is_none_or(|version| is_version(&version)));
        }
    }
}
