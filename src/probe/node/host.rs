//! The machine: login, clock, operating system, firmware, security modules, file systems.

use super::answer::{self, Answer};
use super::frames::{Pair, Pairs};
use super::{reboot, text};
use crate::evidence::{
    Fact, Firmware, Identity, Kernel, Listing, Login, Lsm, Mount, NodeEvidence, OsRelease, Privilege, Tpm,
};

/// What stands in the `host` record.
const PATHS: [&str; 10] = [
    "clock",
    "identity",
    "kernel.running",
    "uptime_seconds",
    "architecture",
    "virtualization",
    "reboot",
    "firmware",
    "tpm",
    "lsm",
];

/// Fills in what the `login` and `host` records tell. Gives the host's values back for those that need the clock.
pub(super) fn fill(answer: &mut Answer<'_>, node: &mut NodeEvidence) -> Clock {
    node.login = login(answer);
    let got = answer.got("host");
    for path in PATHS {
        answer.note(&got, path, "what the machine tells of itself");
    }
    let pairs = got.record().map(super::frames::Record::pairs);
    let pairs = pairs.as_ref();
    node.clock = answer.fact(pairs, "time", "clock", "the node's clock", |v| answer::time(v).known().copied());
    node.identity = Identity {
        hostname: answer.fact(pairs, "hostname", "identity.hostname", "the host name", answer::word),
        machine_id: answer.fact(pairs, "machine_id", "identity.machine_id", "the machine id", answer::word),
    };
    node.os = os(answer);
    let running = answer.fact(pairs, "kernel", "kernel.running", "the running kernel", answer::word);
    node.kernel = Kernel { running, installed: kernels(answer) };
    node.uptime_seconds = answer.fact(pairs, "uptime", "uptime_seconds", "the time since boot", |v| {
        v.split('.').next().and_then(|whole| whole.parse().ok()).filter(|seconds: &i64| *seconds >= 0)
    });
    node.architecture = answer.fact(pairs, "arch", "architecture", "the architecture", answer::word);
    node.virtualization = answer.fact(pairs, "virt", "virtualization", "the kind of virtualization", answer::word);
    node.reboot = reboot::read(answer, pairs, &node.kernel, &node.virtualization);
    node.firmware = firmware(answer, pairs);
    node.tpm = Tpm {
        present: answer.fact(pairs, "tpm", "tpm.present", "the TPM", yes_no),
        version: answer.fact(pairs, "tpm_version", "tpm.version", "the TPM's version", answer::word),
    };
    node.lsm = lsm(answer, pairs);
    node.mounts = mounts(answer);
    Clock::of(pairs)
}

/// What turns ticks after boot into a time.
pub(super) struct Clock {
    boot: Option<jiff::Timestamp>,
    ticks: Option<i64>,
    /// Whether processes of others are hidden from this login. None: not known.
    pub(super) hidepid: Option<bool>,
    /// Whether the words of the kernel's tables begin with their highest byte.
    pub(super) big_endian: bool,
}

impl Clock {
    fn of(pairs: Option<&Pairs>) -> Self {
        let value = |name: &str| pairs.and_then(|pairs| pairs.value(name));
        Clock {
            boot: value("boot_time").and_then(|v| answer::time(v).known().copied()),
            ticks: value("clk_tck").and_then(|v| v.parse().ok()).filter(|ticks| (1..=1_000_000).contains(ticks)),
            hidepid: value("hidepid").and_then(yes_no),
            big_endian: matches!(value("arch"), Some("s390x" | "s390" | "ppc64" | "ppc")),
        }
    }

    /// When a process started that began so many ticks after boot.
    pub(super) fn started(&self, ticks: &str) -> Fact<jiff::Timestamp> {
        let at = || {
            let (boot, rate, ticks) = (self.boot?, self.ticks?, ticks.parse::<i64>().ok()?);
            let millis = i128::from(ticks).checked_mul(1000)?.checked_div(i128::from(rate))?;
            boot.checked_add(jiff::SignedDuration::from_millis(i64::try_from(millis).ok()?)).ok()
        };
        at().map_or(Fact::Unread, Fact::Known)
    }
}

pub(super) fn yes_no(value: &str) -> Option<bool> {
    match value {
        "yes" | "1" | "Y" => Some(true),
        "no" | "0" | "N" => Some(false),
        _ => None,
    }
}

fn login(answer: &mut Answer<'_>) -> Fact<Login> {
    let pairs = answer.pairs("login", "login", "the login");
    let pairs = pairs.as_ref();
    let privilege = answer.fact(pairs, "privilege", "login", "the login's rights", |word| match word {
        "root" => Some(Privilege::Root),
        "sudo" => Some(Privilege::Sudo),
        "none" => Some(Privilege::None),
        _ => None,
    });
    let user = answer.fact(pairs, "user", "login", "the login's name", answer::word);
    let (Fact::Known(privilege), Fact::Known(user)) = (privilege, user) else { return Fact::Unread };
    let from = answer.fact(pairs, "ssh_connection", "login.from", "the address that the node sees", |value| {
        value.split_whitespace().next().and_then(answer::word)
    });
    Fact::Known(Login { user, privilege, from })
}

fn os(answer: &mut Answer<'_>) -> OsRelease {
    let got = answer.got("host.os-release");
    answer.note(&got, "os", "the operating system's name and version");
    if matches!(got, super::answer::Got::Absent) {
        answer.gap("os", crate::evidence::Reason::Unsupported, "the node has no os-release file");
    }
    let Some(record) = got.record() else { return OsRelease::default() };
    let missing = || if record.flags.cut { Fact::Unread } else { Fact::Absent };
    let body = record.text();
    let value = |name: &str| {
        let found = body.lines().rev().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='));
        let plain = found.map(|raw| shlex::split(raw).map_or_else(|| raw.to_owned(), |words| words.join(" ")));
        plain.map(|value| text::line(&value)).filter(|value| !value.is_empty())
    };
    OsRelease {
        id: value("ID").map_or_else(missing, Fact::Known),
        version_id: value("VERSION_ID").map_or_else(missing, Fact::Known),
        id_like: value("ID_LIKE").map_or_else(missing_list(record.flags.cut), |v| {
            Fact::Known(v.split_whitespace().map(str::to_owned).collect())
        }),
        pretty_name: value("PRETTY_NAME").map_or_else(missing, Fact::Known),
    }
}

fn missing_list(cut: bool) -> impl FnOnce() -> Fact<Vec<String>> {
    move || if cut { Fact::Unread } else { Fact::Absent }
}

fn kernels(answer: &mut Answer<'_>) -> Listing<String> {
    let listed = answer.table("host.modules", 1, "kernel.installed", "the installed kernels");
    let mut names: Vec<String> = listed.items.into_iter().flatten().filter(|name| !name.is_empty()).collect();
    names.sort_by(|a, b| text::by_version(a, b));
    Listing { items: names, complete: listed.complete }
}

fn firmware(answer: &mut Answer<'_>, pairs: Option<&Pairs>) -> Firmware {
    let uefi = answer.fact(pairs, "uefi", "firmware.uefi", "whether the node booted by UEFI", yes_no);
    if uefi == Fact::Known(false) {
        return Firmware { uefi, secure_boot: Fact::Absent, setup_mode: Fact::Absent };
    }
    let mut variable = |name: &str, path: &str, what: &str| {
        // Without UEFI known, that a variable does not exist says nothing.
        match (&uefi, pairs.and_then(|pairs| pairs.get(name))) {
            (Fact::Unread | Fact::Absent, Some(Pair::Missing(super::frames::State::Absent))) => Fact::Unread,
            _ => answer.fact(pairs, name, path, what, yes_no),
        }
    };
    let secure_boot = variable("secure_boot", "firmware.secure_boot", "the firmware's secure boot switch");
    let setup_mode = variable("setup_mode", "firmware.setup_mode", "the firmware's setup mode");
    Firmware { uefi, secure_boot, setup_mode }
}

fn lsm(answer: &mut Answer<'_>, pairs: Option<&Pairs>) -> Lsm {
    Lsm {
        active: answer.fact(pairs, "lsm", "lsm.active", "the active security modules", |value| {
            Some(value.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect())
        }),
        selinux_enforcing: answer.fact(pairs, "selinux", "lsm.selinux_enforcing", "SELinux", yes_no),
        apparmor: answer.fact(pairs, "apparmor", "lsm.apparmor", "AppArmor", yes_no),
        lockdown: answer.fact(pairs, "lockdown", "lsm.lockdown", "the kernel's lockdown", |value| {
            matches!(value, "none" | "integrity" | "confidentiality").then(|| value.to_owned())
        }),
    }
}

fn mounts(answer: &mut Answer<'_>) -> Listing<Mount> {
    let listed = answer.table("host.mounts", 4, "mounts", "the mounted file systems");
    let mut hidden = false;
    let mut items = Vec::new();
    for row in &listed.items {
        let [encrypted, fstype, source, path] = row.as_slice() else { continue };
        let encrypted = yes_no(encrypted).map_or(Fact::Unread, Fact::Known);
        hidden |= encrypted.is_unread();
        let named = |value: &str| answer::column(value).map_or(Fact::Unread, |v| Fact::Known(unescape(v)));
        items.push(Mount { path: unescape(path), source: named(source), fstype: named(fstype), encrypted });
    }
    if hidden {
        let detail = "the device below the file system cannot be seen from inside this node";
        answer.gap("mounts", crate::evidence::Reason::NotVisible, detail);
    }
    Listing { items, complete: listed.complete }
}

/// `\040` and its like, as the kernel writes blanks in paths.
pub(super) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let code = after.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok()).filter(u8::is_ascii_graphic);
        let blank = after.starts_with("040").then_some(b' ');
        match code.or(blank) {
            Some(byte) => {
                out.push(char::from(byte));
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                out.push('\\');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::testing::{assembled, record};
    use super::*;
    use crate::evidence::Reason;

    #[test]
    fn bios_boot_has_no_secure_boot_and_a_container_shows_none() {
        let node = assembled(&[record("host", "-", "uefi=no\nsecure_boot!absent\n")]);
        assert_eq!(node.firmware.secure_boot, Fact::Absent);
        let node =
            assembled(&[record("host", "-", "uefi!not-visible\nsecure_boot!not-visible\nsetup_mode!not-visible\n")]);
        assert_eq!(node.firmware, Firmware::default());
        let gap = node.unread.iter().find(|gap| gap.path == "firmware.secure_boot").unwrap();
        assert_eq!(gap.reason, Reason::NotVisible);
    }

    #[test]
    fn os_release_is_read_with_quotes_and_what_it_lacks_is_absent() {
        let body = "ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 \x1b[31m(bookworm)\"\nID_LIKE='rhel fedora'\n";
        let node = assembled(&[record("host.os-release", "-", body)]);
        assert_eq!(node.os.id, Fact::Known("debian".into()));
        assert_eq!(node.os.pretty_name, Fact::Known("Debian GNU/Linux 12 [31m(bookworm)".into()));
        assert_eq!(node.os.id_like, Fact::Known(vec!["rhel".into(), "fedora".into()]));
        assert_eq!(node.os.version_id, Fact::Absent);
        let cut = assembled(&[record("host.os-release", "c", body)]);
        assert_eq!(cut.os.version_id, Fact::Unread);
    }

    #[test]
    fn mounts_say_what_cannot_be_seen() {
        let body = "?\text4\t/dev/sda1\t/\nyes\txfs\t/dev/mapper/x\t/var/lib/my\\040disk\nbroken line\n";
        let node = assembled(&[record("host.mounts", "-", body)]);
        assert_eq!(node.mounts.items[0].encrypted, Fact::Unread);
        assert_eq!(
            (node.mounts.items[1].path.as_str(), &node.mounts.items[1].encrypted),
            ("/var/lib/my disk", &Fact::Known(true))
        );
        assert!(!node.mounts.complete);
    }

    #[test]
    fn ticks_after_boot_become_a_time() {
        let pairs = super::super::frames::Record {
            key: "host".into(),
            rc: 0,
            flags: Default::default(),
            payload: b"boot_time=1000\nclk_tck=100\n".to_vec(),
        };
        let clock = Clock::of(Some(&pairs.pairs()));
        assert_eq!(clock.started("250"), Fact::Known(jiff::Timestamp::from_millisecond(1_002_500).unwrap()));
        assert_eq!(clock.started("99999999999999999999"), Fact::Unread);
        assert_eq!(clock.started(&i64::MAX.to_string()), Fact::Unread);
    }
}
