//! The collector's look at volumes, packages, firewalls and an sshd with a `Match LocalPort`, by the shells that nodes have.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod support;

use sitewarden::probe::node::collector::{packages, script};
use sitewarden::probe::node::frames::{Frames, State};
use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use support::{am_root, left_out, there};

const NONCE: &str = "0123456789abcdef0123456789abcdef";
const SHELLS: [&[&str]; 3] = [&["dash"], &["busybox", "sh"], &["bash", "--posix"]];

fn shells() -> Vec<Vec<&'static str>> {
    SHELLS.into_iter().filter(|words| there(words[0])).map(<[_]>::to_vec).collect()
}

fn answer(words: &[&str], stdin: &str) -> Frames {
    let mut command = Command::new(words[0]);
    let privilege = if am_root() { "root" } else { "none" };
    command.args(&words[1..]).args(["-s", "--", NONCE, privilege, "somebody", "7", ""]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let (mut pipe, bytes) = (child.stdin.take().unwrap(), stdin.to_owned());
    let writer = std::thread::spawn(move || {
        let _ = pipe.write_all(bytes.as_bytes());
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let frames = Frames::parse(&output.stdout, NONCE);
    assert!(frames.complete, "{words:?}: {:?}", frames.problem);
    frames
}

fn first() -> String {
    String::from_utf8(script(NONCE).unwrap().stdin).unwrap()
}

/// The devices of `tests/samples/sysfs` as a tree.
fn block_devices(at: &Path) {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/sysfs");
    for line in fs::read_to_string(samples.join("devices.tsv")).unwrap().lines() {
        let [number, uuid, below, _what] = line.split('\t').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let device = at.join("block").join(number);
        fs::create_dir_all(device.join("slaves")).unwrap();
        fs::write(device.join("dev"), format!("{number}\n")).unwrap();
        if uuid != "-" {
            fs::create_dir(device.join("dm")).unwrap();
            fs::write(device.join("dm/uuid"), format!("{uuid}\n")).unwrap();
        }
        for slave in below.split(' ').filter(|slave| *slave != "-") {
            symlink(at.join("block").join(slave), device.join("slaves").join(slave.replace(':', "_"))).unwrap();
        }
    }
    for name in ["mountinfo.txt", "swaps.txt"] {
        fs::copy(samples.join(name), at.join(name)).unwrap();
    }
}

#[test]
fn encryption_is_found_through_every_layer_and_claimed_only_for_all_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display().to_string();
    block_devices(folder.path());
    let text = first()
        .replace("/sys/dev/block", &format!("{at}/block"))
        .replace("/proc/self/mountinfo", &format!("{at}/mountinfo.txt"))
        .replace("/proc/swaps", &format!("{at}/swaps.txt"))
        .replace("CONTAINER=yes", "CONTAINER=");
    for words in shells() {
        let frames = answer(&words, &text);
        let mounts = frames.get("host.mounts").unwrap().table();
        let of = |path: &str| mounts.iter().find(|row| row[3] == path).map(|row| row[0].clone()).unwrap_or_default();
        assert_eq!(of("/"), "yes", "LVM on LUKS on md; {words:?}: {mounts:?}");
        assert_eq!(of("/var"), "no", "one half of the RAID is plain; {words:?}");
        assert_eq!(of("/boot"), "no", "verity encrypts nothing; {words:?}");
        assert_eq!(of("/home"), "?", "a loop has no end; {words:?}");
        assert_eq!(of("/etc"), "?", "overlay; {words:?}");
        assert_eq!(of("swap"), "yes", "{words:?}");
        assert_eq!(mounts.iter().filter(|row| row[3] == "swap").count(), 1, "zram is memory; {words:?}");
        let volumes = frames.get("host.volumes").unwrap().table();
        let root = volumes.iter().find(|row| row[0] == "root").unwrap();
        assert_eq!(root[1..], ["yes", "ext4", "/dev/mapper/vg-root", "/", "/"], "{words:?}");
        assert!(volumes.iter().any(|row| row[0] == "swap" && row[1] == "yes"), "{words:?}");
        // of two file systems over each other the upper one counts
        if let Some(etcd) = volumes.iter().find(|row| row[0] == "etcd" && row[5] == "/var/lib/etcd") {
            assert_eq!(etcd[1], "yes", "{words:?}");
        }
    }
}

#[test]
fn the_second_script_tells_what_waits_and_takes_no_lock() {
    let text = String::from_utf8(packages(NONCE).unwrap().stdin).unwrap();
    for words in shells() {
        let frames = answer(&words, &text);
        let pairs = frames.get("updates").unwrap().pairs();
        assert!(pairs.value("time").is_some(), "{words:?}");
        assert!(frames.get("mdatp").is_some() && frames.get("updates.list").is_some(), "{words:?}");
        if pairs.value("manager") != Some("apt") {
            left_out("pending updates of apt", "this machine has no apt");
            continue;
        }
        let list = frames.get("updates.list").unwrap();
        assert_eq!((list.state(), list.rc), (State::Here, 0), "{words:?}");
        let lines = list.lines();
        assert_eq!(lines.last().unwrap(), "# end", "{words:?}");
        assert!(lines.iter().all(|line| line.starts_with("Inst ") || line == "# end"), "{words:?}");
    }
    let runs: Vec<&str> = text.lines().filter(|line| line.contains("apt-get") || line.contains("dnf -C")).collect();
    assert!(runs.iter().all(|line| line.contains("lowly") || line.contains("command -v")), "{runs:?}");
}

fn touched(file: &Path, day: &str) {
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    assert!(Command::new("touch").arg("-d").arg(day).arg(file).status().unwrap().success());
}

#[test]
fn a_fetch_that_failed_makes_no_list_fresh() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a_dists_x-security_InRelease", "a_dists_x-security_main_binary-amd64_Packages"] {
        touched(&folder.path().join(name), "2025-01-02T00:00:00Z");
    }
    // as apt leaves the folders when no archive answers
    fs::create_dir(folder.path().join("partial")).unwrap();
    let at = folder.path().display().to_string();
    let text = String::from_utf8(packages(NONCE).unwrap().stdin).unwrap();
    let text = text.replace("/var/lib/apt/lists", &at).replace("/var/lib/apt/periodic", &format!("{at}/periodic"));
    let text = text.replace("\nmanager\n", "\nMANAGER=apt\n");
    for words in shells() {
        let frames = answer(&words, &text);
        let pairs = frames.get("updates").unwrap().pairs();
        assert_eq!(pairs.value("refreshed"), Some("1735776000"), "{words:?}");
    }
}

#[test]
fn advisories_of_an_extra_source_do_not_speak_for_the_systems_own() {
    for (system, said) in
        [("baseos-11/repodata/primary.xml.gz", "no"), ("baseos-11/repodata/x-updateinfo.xml.gz", "yes")]
    {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "epel-22/repodata/repomd.xml",
            "epel-22/repodata/y-updateinfo.xml.gz",
            "baseos-11/repodata/repomd.xml",
            system,
        ] {
            touched(&folder.path().join(name), "2025-01-02T00:00:00Z");
        }
        let text = String::from_utf8(packages(NONCE).unwrap().stdin).unwrap();
        let text = text.replace("/var/cache/dnf", &folder.path().display().to_string());
        let text = text.replace("\nmanager\n", "\nMANAGER=dnf\n");
        for words in shells() {
            let frames = answer(&words, &text);
            let pairs = frames.get("updates").unwrap().pairs();
            assert_eq!(
                (pairs.value("lists_security"), pairs.value("refreshed")),
                (Some(said), Some("1735776000")),
                "{words:?}"
            );
        }
    }
}

#[test]
fn a_firewall_is_sent_whole() {
    if !am_root() || !there("unshare") || !there("nft") || !there("iptables-save") {
        return left_out("the firewall of a network namespace", "this test needs root, unshare, nft and iptables");
    }
    let rules = "nft 'add table inet own; add chain inet own in { type filter hook input priority 0; policy drop; }; \
        add rule inet own in ip saddr 10.0.0.0/8 tcp dport 22 accept' && iptables -P INPUT DROP && iptables -t nat -A PREROUTING -p tcp --dport 81 -j REDIRECT --to-ports 82";
    for words in shells() {
        let inside = format!("{rules} && exec \"$@\"");
        let mut call = vec!["unshare", "-n", "sh", "-c", inside.as_str(), "sh"];
        call.extend(&words);
        if !Command::new("unshare").args(["-n", "sh", "-c", rules]).status().unwrap().success() {
            return left_out("the firewall of a network namespace", "the kernel lets none be made here");
        }
        let frames = answer(&call, &first());
        let told = frames.get("firewall").unwrap().pairs();
        assert_eq!((told.value("nft"), told.value("nft_tables")), (Some("here"), Some("1")), "{words:?}");
        assert_eq!(told.value("ipv6"), Some("no"), "{words:?}");
        let saved = frames.get("fw.nft.ip").unwrap().text();
        assert!(saved.contains(":INPUT DROP") && saved.contains("# rc 0"), "{words:?}: {saved}");
        assert!(!saved.contains("REDIRECT"), "translations of addresses are long and decide nothing: {saved}");
        assert!(frames.get("fw.table.0").unwrap().text().contains("\"own\""), "{words:?}");
    }
}

#[test]
fn an_sshd_whose_match_asks_for_a_port_is_still_told_for_every_connection() {
    let sshd = Path::new("/usr/sbin/sshd");
    if !am_root() || !there("ssh-keygen") || !sshd.exists() {
        return left_out("an sshd with Match LocalPort", "this test does not run as root, or there is no sshd");
    }
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().display().to_string();
    let key = format!("{at}/host");
    assert!(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", &key]).status().unwrap().success());
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {key}\nPidFile {at}/pid\nUsePAM no\nPermitRootLogin no\nMatch LocalPort 2222\n  PermitRootLogin yes\n"
    );
    fs::write(folder.path().join("sshd_config"), config).unwrap();
    fs::create_dir_all("/run/sshd").unwrap();
    assert!(Command::new(sshd).arg("-f").arg(folder.path().join("sshd_config")).status().unwrap().success());
    let pid = (0..500).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        fs::read_to_string(folder.path().join("pid")).ok()
    });
    let pid = pid.expect("sshd does not start");
    let told: Vec<Frames> = shells().iter().map(|words| answer(words, &first())).collect();
    let _ = Command::new("kill").arg(pid.trim()).status();
    for frames in told {
        let config = format!("{at}/sshd_config");
        let number = (0..8)
            .find(|n| frames.get(&format!("sshd.{n}")).is_some_and(|r| r.pairs().value("config") == Some(&config)))
            .unwrap();
        let dumps = frames.under(&format!("sshd.{number}.dump."));
        let of = |kind: &str| dumps.iter().map(|(_, dump)| *dump).find(|dump| dump.text().starts_with(kind)).unwrap();
        // some versions say nothing of themselves without a connection: then that alone is open
        let global = of("global");
        assert!(global.rc == 0 || global.state() == State::NotVisible, "{}", global.text());
        assert!(of("root\t").text().contains("permitrootlogin no\n"), "{}", of("root\t").text());
        assert!(of("match").text().contains("permitrootlogin yes\n"), "{}", of("match").text());
        let keys = frames.get(&format!("sshd.{number}.hostkeys")).unwrap().table();
        assert_eq!((keys[0][3].as_str(), keys.len()), ("ED25519", 1));
    }
}
