//! Updates by the real dnf and the real zypper, from a source that lies on the node: packages made by rpmbuild, an advisory
//! as Red Hat and SUSE publish theirs. Only the package manager is real: the node is Debian's in all else, and its os-release
//! says which distribution it plays.

use crate::node::{Node, choices, plan, run};
use sitewarden::assess::Verdict;
use sitewarden::catalog::RemedySpec;
use sitewarden::channel::NobodyToAsk;
use sitewarden::evidence::Fact;
use sitewarden::remedy::{Prepared, Refusal, prepare};
use sitewarden::store::{Outcome, Store};
use std::cell::RefCell;

const CONTROL: &str = "node-security-updates-applied";

/// What lies about in folders that everybody may write to.
const TEMPORARY: &str = "find /tmp /var/tmp -not -path '*systemd-private*' | sort";

/// Which package manager a node lives by.
#[derive(Clone, Copy, PartialEq)]
enum Plays {
    Dnf,
    Zypper,
}

/// A node that plays one until this goes out of scope.
struct Rpm {
    node: Node,
    plays: Plays,
}

impl std::ops::Deref for Rpm {
    type Target = Node;

    fn deref(&self) -> &Node {
        &self.node
    }
}

/// The node with a hole: `bed-hole` in version 1, and an advisory for version 2, which asks for a restart as kernels do. What
/// version 2 does when it is installed is `after`, in shell.
const HOLE: &str = r#"
umask 022; rm -rf /root/rpm /srv/updates /etc/yum.repos.d/* /etc/zypp/repos.d/* /var/cache/dnf/* /var/cache/zypp/* /var/log/dnf*
mkdir -p /root/rpm /srv/updates; cd /root/rpm
made() { printf 'Name: %s\nVersion: %s\nRelease: 1.bed\nEpoch: 1\nSummary: for the bed\nLicense: MIT\nBuildArch: noarch\n%s\n%%description\nFor the bed.\n%%files\n%s\n' "$1" "$2" "$3" "$4" >one.spec
rpmbuild -bb --quiet --define '_topdir /root/rpm/made' one.spec 2>/dev/null; }
made bed-release 9 'Provides: /bin/sh
Provides: system-release(releasever) = 9' ''
made bed-hole 1 '' ''
made bed-hole 2 '' "%post
$AFTER"
rpm -qa | xargs -r rpm -e --nodeps 2>/dev/null
rpm -i made/RPMS/noarch/bed-release-9-*.rpm made/RPMS/noarch/bed-hole-1-*.rpm 2>/dev/null
cp made/RPMS/noarch/bed-hole-2-*.rpm /srv/updates
cat >updateinfo.xml <<'END'
<?xml version="1.0" encoding="UTF-8"?>
<updates><update from="bed@localhost" status="final" type="security" version="1"><id>BED-2026:0001</id>
<title>Important: bed-hole</title><issued date="2026-11-01 00:00:00"/><updated date="2026-11-01 00:00:00"/>
<severity>Important</severity><description>Closes a hole.</description>
<references><reference href="https://localhost/CVE-2026-0001" id="CVE-2026-0001" title="CVE-2026-0001" type="cve"/></references>
<pkglist><collection short="bed"><name>bed</name><package name="bed-hole" version="2" release="1.bed" epoch="1" arch="noarch" src="bed-hole-2-1.bed.src.rpm"><filename>bed-hole-2-1.bed.noarch.rpm</filename><reboot_suggested>1</reboot_suggested></package></collection></pkglist>
</update></updates>
END
eval "$MORE"
createrepo_c -q /srv/updates; modifyrepo_c --mdtype=updateinfo updateinfo.xml /srv/updates/repodata >/dev/null 2>&1
printf '[baseos]\nname=bed\nbaseurl=file:///srv/updates\ngpgcheck=0\nenabled=1\n' | tee /etc/yum.repos.d/bed.repo >/etc/zypp/repos.d/bed.repo
"#;

impl Rpm {
    /// The node with its hole. None where there is no bed.
    fn with_hole(test: &str, plays: Plays, after: &str) -> Option<Rpm> {
        Self::with_holes(test, plays, after, ":")
    }

    /// The same; `more` makes more of them.
    fn with_holes(test: &str, plays: Plays, after: &str, more: &str) -> Option<Rpm> {
        let rpm = Rpm { node: Node::up(test, 2)?, plays };
        let (id, name, other) = match plays {
            Plays::Dnf => ("rocky", "Rocky Linux 9, played", "zypper"),
            Plays::Zypper => ("opensuse-leap", "openSUSE Leap 15, played", "dnf"),
        };
        rpm.sh(&format!(
            "rm -f /etc/os-release; printf 'ID=%s\\nVERSION_ID=9\\nPRETTY_NAME=\"%s\"\\n' {id} '{name}' >/etc/os-release
[ ! -e /usr/bin/{other} ] || mv /usr/bin/{other} /usr/bin/{other}.away"
        ));
        rpm.sh(&format!("AFTER='{after}'\nMORE='{more}'\n{HOLE}\n{}", rpm.refresh()));
        Some(rpm)
    }

    fn refresh(&self) -> &'static str {
        match self.plays {
            Plays::Dnf => "dnf -q makecache --refresh",
            Plays::Zypper => "zypper -q --non-interactive refresh",
        }
    }

    fn versions(&self) -> String {
        self.sh("rpm -q --qf '%{VERSION} ' bed-hole")
    }

    fn prepared(&self) -> Result<Prepared, Refusal> {
        let made = plan(&self.name, RemedySpec::SecurityUpdates {}, &[], &self.evidence_with_packages())?;
        prepare(made, Some(&self.way()), &NobodyToAsk, choices(30))
    }
}

impl Drop for Rpm {
    fn drop(&mut self) {
        let _ = self.try_sh(
            "for c in dnf zypper; do [ ! -e /usr/bin/$c.away ] || mv /usr/bin/$c.away /usr/bin/$c; done
systemctl -q disable --now dnf-automatic.timer 2>/dev/null || :
rm -f /usr/bin/dnf-automatic /etc/systemd/system/dnf-automatic.*; systemctl daemon-reload
rm -rf /root/rpm /srv/updates /srv/away; ln -sf ../usr/lib/os-release /etc/os-release",
        );
    }
}

fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    (folder, store)
}

/// From the failed control to the installed package, and no way back.
fn from_hole_to_mended(plays: Plays, shown: &str, runs: &str) {
    let Some(rpm) = Rpm::with_hole("security updates by rpm", plays, "echo after; exit 0") else { return };
    let (_folder, mut store) = store();
    let before = rpm.sh(TEMPORARY);
    let evidence = rpm.evidence_with_packages();
    assert_eq!(rpm.sh(TEMPORARY), before, "reading leaves nothing behind");
    let updates = &evidence.nodes[0].updates;
    assert_eq!((&updates.pending, &updates.security_pending), (&Fact::Known(1), &Fact::Known(1)));
    assert!(updates.knowledge_age_seconds.known().is_some_and(|age| *age < 600), "{updates:?}");
    assert_eq!(rpm.verdict_in(CONTROL, &evidence), Verdict::Fail);
    let prepared = rpm.prepared().unwrap();
    let change = prepared.change().unwrap();
    assert!(change.why.iter().any(|line| line == shown), "{:?}", change.why);
    assert!(change.activate[0].contains(runs), "{:?}", change.activate);
    assert_eq!(prepared.to_be_typed(), Some(rpm.name.as_str()), "it interrupts something");
    let ran = run(prepared, &rpm.way(), &mut store, &|_| ()).unwrap();
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    assert_eq!(rpm.versions(), "2 ");
    let evidence = rpm.evidence_with_packages();
    assert_eq!(rpm.verdict_in(CONTROL, &evidence), Verdict::Pass, "{:?}", evidence.nodes[0].unread);
    assert_eq!(evidence.nodes[0].updates.pending, Fact::Known(0));
    let refused = rpm.undo(&ran.entry, &mut store).unwrap_err();
    assert!(refused.0.contains("cannot be taken back by this program"), "{refused}");
    // Nothing is left to do: the plan of a finding from before says so.
    let made = plan(&rpm.name, RemedySpec::SecurityUpdates {}, &[], &evidence).unwrap();
    let refused = prepare(made, Some(&rpm.way()), &NobodyToAsk, choices(30)).unwrap_err();
    assert!(refused.0.contains("nothing would be installed"), "{refused}");
}

#[test]
fn dnf_installs_what_an_advisory_names() {
    let shown = "Would be installed: bed-hole-1:2-1.bed.noarch, or later (BED-2026:0001, Important/Sec.)";
    from_hole_to_mended(Plays::Dnf, shown, "dnf -y --setopt=exit_on_lock=True upgrade --security");
}

#[test]
fn zypper_installs_a_patch_that_asks_for_a_restart() {
    let shown = "Would be installed: bed-hole 1:1-1.bed -> 1:2-1.bed";
    from_hole_to_mended(Plays::Zypper, shown, "patch --category security");
}

/// Runs the plan where something is wrong that is only met then: what was there before is there still, and why is said.
fn fails(rpm: &Rpm, wrong: &str, mended: &str, words: &[&str], versions: &str) {
    let (_folder, mut store) = store();
    let prepared = rpm.prepared().unwrap();
    rpm.sh(wrong);
    let told = RefCell::new(Vec::new());
    let ran = run(prepared, &rpm.way(), &mut store, &|word| told.borrow_mut().push(word)).unwrap();
    rpm.sh(mended);
    assert_eq!(ran.outcome, Outcome::Failed, "{wrong}: {}: {told:#?}", ran.note);
    for word in words {
        assert!(ran.note.contains(word), "{word}: {}", ran.note);
    }
    assert_eq!(rpm.versions(), versions, "{}", ran.note);
}

const AWAY: &str = "mv /srv/updates /srv/away";
const BACK: &str = "mv /srv/away /srv/updates";

#[test]
fn what_goes_wrong_with_dnf_is_told_as_it_is() {
    let Some(rpm) = Rpm::with_hole("failing updates of dnf", Plays::Dnf, "echo broken script; exit 1") else { return };
    // Another dnf that waits for its answer holds the lock.
    let busy = "echo $$ >/var/cache/dnf/metadata_lock.pid; exec sleep 1000";
    let busy = format!(
        "setsid sh -c '{busy}' >/dev/null 2>&1 </dev/null & until [ -s /var/cache/dnf/metadata_lock.pid ]; do sleep 0.1; done"
    );
    fails(
        &rpm,
        &busy,
        "kill $(cat /var/cache/dnf/metadata_lock.pid)",
        &["another program is busy", "nothing was installed"],
        "1 ",
    );
    // dnf passes over a source that does not answer, and ends well with nothing done, where its configuration says so.
    fails(
        &rpm,
        &format!(
            "{AWAY}; rm -rf /var/cache/dnf/expired_repos.json; find /var/cache/dnf -type f -exec touch -d 2020-01-01 {{}} +"
        ),
        BACK,
        &["a source may not answer", "bed-hole"],
        "1 ",
    );
    fails(&rpm, "true", "true", &["its own script failed", "broken script"], "2 ");
}

#[test]
fn what_goes_wrong_with_zypper_is_told_as_it_is() {
    let Some(rpm) = Rpm::with_hole("failing updates of zypper", Plays::Zypper, "echo broken script; exit 1") else {
        return;
    };
    let busy = "echo $$ >/run/zypp.pid; exec sleep 1000";
    let busy =
        format!("setsid sh -c '{busy}' >/dev/null 2>&1 </dev/null & until [ -s /run/zypp.pid ]; do sleep 0.1; done");
    fails(&rpm, &busy, "kill $(cat /run/zypp.pid)", &["another program is busy", "nothing was installed"], "1 ");
    fails(&rpm, AWAY, BACK, &["could not be fetched from its source", "/srv/updates"], "1 ");
    fails(&rpm, "true", "true", &["its own script failed", "broken script"], "2 ");
}

/// What is read is what the package manager knows: how old that is, and that lists without advisories tell nothing.
fn reads_as_it_is(plays: Plays) {
    let Some(mut rpm) = Rpm::with_hole("reading updates of rpm", plays, "exit 0") else { return };
    let read = |rpm: &Rpm| rpm.evidence_with_packages().nodes[0].updates.clone();
    let known = |updates: &sitewarden::evidence::Updates| {
        (updates.pending.known().copied(), updates.security_pending.known().copied())
    };
    // Where there is nothing new to fetch, that it was looked for counts.
    let old = "find /var/cache -path '*/repodata/*' -type f -exec touch -d '10 days ago' {} +";
    rpm.sh(old);
    let updates = read(&rpm);
    assert!(updates.knowledge_age_seconds.known().is_some_and(|age| *age > 9 * 86_400), "{updates:?}");
    assert_eq!(known(&updates), (Some(1), Some(1)), "what old lists know of waits all the same");
    rpm.sh(rpm.refresh());
    let updates = read(&rpm);
    assert!(updates.knowledge_age_seconds.known().is_some_and(|age| *age < 600), "{updates:?}");
    // Somebody who is not root, and may not become it, sees the same.
    rpm.node.log_in_as("guest");
    assert_eq!(known(&read(&rpm)), (Some(1), Some(1)));
    rpm.node.log_in_as("ops");
    // What a user without rights had there of dnf is no business of the program's.
    rpm.sh("mkdir -m 700 /var/tmp/dnf-nobody-bed && chown nobody /var/tmp/dnf-nobody-bed");
    assert_eq!(known(&read(&rpm)), (Some(1), Some(1)));
    rpm.sh("rm -r /var/tmp/dnf-nobody-bed");
    // A second source that is on and was never fetched.
    rpm.sh("sed 's/baseos/other/; s/updates/other/' /etc/yum.repos.d/bed.repo | tee /etc/zypp/repos.d/other.repo >/etc/yum.repos.d/other.repo");
    let updates = read(&rpm);
    assert_ne!(updates.security_pending, Fact::Known(0));
    if plays == Plays::Zypper {
        assert_eq!(updates.security_pending, Fact::Unread, "zypper left one out");
    }
    rpm.sh("rm /etc/yum.repos.d/other.repo /etc/zypp/repos.d/other.repo");
    // Without advisories it is known that something waits, and not what it is for.
    rpm.sh(&format!("createrepo_c -q /srv/updates; {}", rpm.refresh()));
    assert_eq!(known(&read(&rpm)), (Some(1), None));
    rpm.sh("rm -rf /var/cache/dnf/* /var/cache/zypp/*");
    let updates = read(&rpm);
    assert_eq!((known(&updates), updates.refreshed), ((None, None), Fact::Unread));
}

#[test]
fn what_dnf_knows_is_read_as_it_is() {
    reads_as_it_is(Plays::Dnf);
}

#[test]
fn what_zypper_knows_is_read_as_it_is() {
    reads_as_it_is(Plays::Zypper);
}

/// What Fedora's package dnf-automatic has beside the module, which is the real one of this dnf.
const AUTOMATIC: &str = r#"
sed -i 's/^apply_updates.*/apply_updates = no/' /etc/dnf/automatic.conf
printf '#!/usr/bin/python3\nimport sys\nfrom dnf.automatic.main import main\nsys.exit(main(sys.argv[1:]))\n' >/usr/bin/dnf-automatic
chmod 755 /usr/bin/dnf-automatic
printf '[Unit]\nDescription=dnf automatic\n[Service]\nType=oneshot\nExecStart=/usr/bin/dnf-automatic /etc/dnf/automatic.conf --timer\n' >/etc/systemd/system/dnf-automatic.service
printf '[Unit]\nDescription=dnf-automatic timer\n[Timer]\nOnCalendar=*-*-* 6:00\nPersistent=true\n[Install]\nWantedBy=timers.target\n' >/etc/systemd/system/dnf-automatic.timer
systemctl daemon-reload"#;

#[test]
fn dnf_automatic_is_switched_on_installs_and_is_switched_off_again() {
    let Some(rpm) = Rpm::with_hole("automatic updates of dnf", Plays::Dnf, "exit 0") else { return };
    rpm.sh(AUTOMATIC);
    let (_folder, mut store) = store();
    let (config, units) = (
        rpm.picture("/etc/dnf"),
        "systemctl is-enabled dnf-automatic.timer || :; systemctl is-active dnf-automatic.timer || :",
    );
    assert_eq!(rpm.verdict("node-automatic-updates"), Verdict::Fail);
    let made = plan(&rpm.name, RemedySpec::AutomaticUpdates {}, &[], &rpm.evidence_with_packages()).unwrap();
    let prepared = prepare(made, Some(&rpm.way()), &NobodyToAsk, choices(30)).unwrap();
    let ran = run(prepared, &rpm.way(), &mut store, &|_| ()).unwrap();
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    assert_eq!(rpm.verdict("node-automatic-updates"), Verdict::Pass);
    assert_eq!(rpm.verdict("node-no-reboot-by-itself"), Verdict::Pass);
    rpm.sh("systemctl start dnf-automatic.service");
    assert_eq!(rpm.versions(), "2 ", "dnf itself understands what was written");
    assert_eq!(rpm.undo(&ran.entry, &mut store).unwrap().outcome, Outcome::Done);
    assert_eq!(rpm.verdict("node-automatic-updates"), Verdict::Fail);
    assert_eq!((rpm.picture("/etc/dnf"), rpm.sh(units)), (config, "disabled\ninactive\n".to_owned()));
}

/// A second hole, in what zypper itself lives by.
const STACK: &str = r#"made bed-stack 1 "" ""; made bed-stack 2 "" ""; rpm -i made/RPMS/noarch/bed-stack-1-*.rpm 2>/dev/null
cp made/RPMS/noarch/bed-stack-2-*.rpm /srv/updates
sed "s/BED-2026:0001/BED-2026:0002/; s/bed-hole/bed-stack/g; s/reboot_suggested/restart_suggested/g; 1d; s/<updates>//" updateinfo.xml >second
sed -i "s/<.updates>//" updateinfo.xml; cat second >>updateinfo.xml"#;

#[test]
fn zypper_renews_itself_first_and_the_rest_is_said_to_wait() {
    let Some(rpm) = Rpm::with_holes("zypper's own update", Plays::Zypper, "exit 0", STACK) else { return };
    let updates = rpm.evidence_with_packages().nodes[0].updates.clone();
    assert_eq!(updates.security_pending, Fact::Known(2), "those that wait for the first one too");
    let (_folder, mut store) = store();
    let prepared = rpm.prepared().unwrap();
    let shown = &prepared.change().unwrap().why;
    assert!(shown.iter().any(|line| line.contains("bed-stack")) && !shown.iter().any(|line| line.contains("bed-hole")));
    let ran = run(prepared, &rpm.way(), &mut store, &|_| ()).unwrap();
    assert_eq!((ran.outcome, rpm.versions().as_str()), (Outcome::Failed, "1 "), "{}", ran.note);
    assert!(ran.note.contains("renewed first") && ran.note.contains("still waiting: BED-2026:0001"), "{}", ran.note);
    assert_eq!(rpm.sh("rpm -q --qf '%{VERSION}' bed-stack"), "2");
    let ran = run(rpm.prepared().unwrap(), &rpm.way(), &mut store, &|_| ()).unwrap();
    assert_eq!((ran.outcome, rpm.versions().as_str()), (Outcome::Done, "2 "), "{}", ran.note);
}

#[test]
fn the_plan_as_a_script_does_the_same_by_hand() {
    let Some(rpm) = Rpm::with_hole("a script of updates", Plays::Dnf, "exit 0") else { return };
    let script = sitewarden::remedy::script(&rpm.prepared().unwrap()).unwrap();
    let said = rpm.sh(&script);
    assert!(said.contains("Done."), "{said}");
    assert_eq!(rpm.versions(), "2 ");
}
