//! Whether a reboot is pending: sign files of the package manager, or a newer kernel than the running one.

use super::answer::Answer;
use super::frames::Pairs;
use super::text::by_version;
use crate::evidence::{Fact, Kernel, Reason, Reboot};
use std::cmp::Ordering;

/// Kinds of virtualization whose guests run the host's kernel.
const CONTAINERS: [&str; 14] = [
    "systemd-nspawn",
    "lxc",
    "lxc-libvirt",
    "docker",
    "podman",
    "rkt",
    "wsl",
    "proot",
    "pouch",
    "openvz",
    "container-other",
    "container",
    "vserver",
    "containerd",
];

/// Reads the signs. `required` is known to be false only where both ways of telling were open.
pub(super) fn read(answer: &mut Answer<'_>, pairs: Option<&Pairs>, kernel: &Kernel, virt: &Fact<String>) -> Reboot {
    let Some(pairs) = pairs else { return Reboot::default() };
    let mut signs: Vec<String> = pairs.values("reboot_file").into_iter().map(super::text::line).collect();
    let looked = pairs.value("reboot_files").and_then(|count| count.parse::<u32>().ok()).is_some_and(|count| count > 0);
    let container = virt.known().is_some_and(|kind| CONTAINERS.contains(&kind.as_str()));
    let newer = if container { Newer::CannotTell("a container runs the kernel of its host") } else { newer(kernel) };
    if matches!(newer, Newer::Yes) {
        signs.push("newer kernel installed".to_owned());
    }
    if !signs.is_empty() {
        return Reboot { required: Fact::Known(true), signs: Fact::Known(signs) };
    }
    let why = match newer {
        Newer::No if looked => return Reboot { required: Fact::Known(false), signs: Fact::Known(signs) },
        Newer::CannotTell(why) => why,
        _ => "the files that ask for a reboot were not looked for",
    };
    if answer.complete() {
        answer.gap("reboot", Reason::NotVisible, why);
    }
    Reboot::default()
}

enum Newer {
    Yes,
    No,
    CannotTell(&'static str),
}

/// Compares the running kernel with the installed ones of its own flavour.
fn newer(kernel: &Kernel) -> Newer {
    let Some(running) = kernel.running.known() else { return Newer::CannotTell("the running kernel is not known") };
    let newer: Vec<&String> =
        kernel.installed.items.iter().filter(|name| by_version(name, running) == Ordering::Greater).collect();
    if newer.iter().any(|name| flavour(name) == flavour(running)) {
        return Newer::Yes;
    }
    if !kernel.installed.complete {
        Newer::CannotTell("the installed kernels could not all be listed")
    } else if !kernel.installed.items.contains(running) {
        Newer::CannotTell("the running kernel is not among the installed ones")
    } else if newer.iter().any(|name| base(name) != base(running)) {
        Newer::CannotTell("a newer kernel of another flavour is installed, and which one starts next cannot be seen")
    } else {
        Newer::No
    }
}

/// The version without the flavour: `6.1.0-18` of `6.1.0-18-cloud-amd64`, `5.14.0-427.el9.x86_64` of the same with `+rt`.
fn base(name: &str) -> String {
    let name = match name.split_once('+') {
        Some((before, after)) if !after.starts_with("deb") && !after.starts_with("bpo") => before,
        _ => name,
    };
    name.split('-').take_while(|part| part.starts_with(|c: char| c.is_ascii_digit())).collect::<Vec<_>>().join("-")
}

/// What tells kernels apart that are not each other's successors: `cloud-amd64` of `6.1.0-18-cloud-amd64`, `el-x` of
/// `5.14.0-427.el9.x86_64`, `el-x-rt` of the same with `+rt`.
fn flavour(name: &str) -> String {
    let mut kinds = Vec::new();
    for part in name.split('-') {
        if !part.starts_with(|c: char| c.is_ascii_digit()) && !part.starts_with("rc") {
            kinds.push(part.to_owned());
            continue;
        }
        for piece in part.split(['.', '+']).filter(|piece| piece.starts_with(|c: char| c.is_ascii_alphabetic())) {
            let letters: String = piece.chars().filter(char::is_ascii_alphabetic).collect();
            if !matches!(letters.as_str(), "deb" | "bpo" | "rc") {
                kinds.push(letters);
            }
        }
    }
    kinds.join("-")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::testing::{assembled, record};
    use super::*;

    fn required(host: &str, modules: Option<&str>) -> Fact<bool> {
        let mut records = vec![record("host", "-", host)];
        records.extend(modules.map(|list| record("host.modules", "-", list)));
        assembled(&records).reboot.required
    }

    #[test]
    fn newer_kernels_of_the_same_flavour_ask_for_a_reboot() {
        for (running, installed, expected) in [
            ("6.1.0-18-amd64", "6.1.0-18-amd64\n6.1.0-21-amd64", Fact::Known(true)),
            ("6.1.0-21-amd64", "6.1.0-18-amd64\n6.1.0-21-amd64", Fact::Known(false)),
            ("6.1.0-21-amd64", "6.1.0-21-cloud-amd64\n6.1.0-21-amd64", Fact::Known(false)),
            ("6.1.0-18-amd64", "6.1.0-21-cloud-amd64\n6.1.0-18-amd64", Fact::Unread),
            ("6.1.0-18-amd64", "6.1.0-18-amd64\n6.12.9+deb12-amd64", Fact::Known(true)),
            ("5.15.0-91-generic", "5.15.0-91-generic\n5.15.0-101-lowlatency", Fact::Unread),
            ("5.15.0-91-generic", "5.15.0-91-generic\n5.15.0-101-generic", Fact::Known(true)),
            ("6.6.51.1-5.azl3", "6.6.51.1-5.azl3\n6.6.57.1-7.azl3", Fact::Known(true)),
            ("6.6.57.1-7.azl3", "6.6.51.1-5.azl3\n6.6.57.1-7.azl3", Fact::Known(false)),
            ("5.14.0-427.el9.x86_64", "5.14.0-427.el9.x86_64\n5.14.0-503.11.1.el9_5.x86_64", Fact::Known(true)),
            ("5.14.0-427.el9.x86_64", "5.14.0-427.el9.x86_64\n5.14.0-427.el9.x86_64+rt", Fact::Known(false)),
            ("5.14.0-427.el9.x86_64", "5.14.0-427.el9.x86_64\n5.15.0-200.el9uek.x86_64", Fact::Unread),
            ("6.4.0-150600.21-default", "6.4.0-150600.23-default\n6.4.0-150600.21-default", Fact::Known(true)),
            ("6.1.0-18-amd64", "6.1.0-9-amd64", Fact::Unread),
        ] {
            let host = format!("kernel={running}\nvirt=kvm\nreboot_files=3\n");
            assert_eq!(required(&host, Some(installed)), expected, "{running}: {installed}");
        }
    }

    #[test]
    fn only_what_was_looked_at_is_denied() {
        let kernel = "kernel=6.1.0-18-amd64\nvirt=none\n";
        let same = Some("6.1.0-18-amd64");
        assert_eq!(required(&format!("{kernel}reboot_files=3\n"), same), Fact::Known(false));
        assert_eq!(required(kernel, same), Fact::Unread);
        assert_eq!(required(&format!("{kernel}reboot_files=3\n"), None), Fact::Unread);
        assert_eq!(
            required(&format!("{kernel}reboot_files=3\nreboot_file=/run/reboot-required\n"), None),
            Fact::Known(true)
        );
        let container = "kernel=6.1.0-18-amd64\nvirt=systemd-nspawn\nreboot_files=3\n";
        assert_eq!(required(container, Some("6.1.0-18-amd64\n6.1.0-30-amd64")), Fact::Unread);
    }
}
