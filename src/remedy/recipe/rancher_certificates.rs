//! Certificates of k3s and RKE2, renewed in their own way: copies first, then a restart of their unit, which renews what has
//! ended or ends soon (k3s, pkg/daemons/control/deps/deps.go: createClientCertKey, expired), or `certificate rotate` with the unit
//! stopped where that is not enough (pkg/cli/cert/cert.go). What the lines call is in `assets/remedy/rancher.sh`.

use super::About;
use super::etcd::Members;
use super::rancher::Which;
use super::rancher_etcd;
use super::rancher_renewed::{is_kept_for_agents, is_made_by_components, is_renewed, window};
use crate::assess::Verdict;
use crate::evidence::{Certificate, Fact, NodeEvidence, Version};
use crate::remedy::change::{NodeChange, Validate};
use crate::remedy::fresh::{Fresh, Want};
use crate::remedy::node::STATE;
use crate::remedy::plan::{Refusal, Risk};
use crate::remedy::words::quoted;
use jiff::{SignedDuration, Timestamp};
use openssl::asn1::Asn1Time;
use openssl::base64::decode_block;
use openssl::x509::X509;

/// The renewal on one node.
#[derive(Debug, Clone, PartialEq)]
pub struct RancherCertificatesOp {
    which: Which,
    node: String,
    unit: String,
    /// Whether the unit is a server, and no agent.
    server: bool,
    /// Whether an API server runs on this node.
    serves: bool,
    /// The certificates that fail: path, and when it ends.
    failing: Vec<(String, Timestamp)>,
    /// How etcd's members are asked after. None where no etcd runs here, or its certificates have ended.
    members: Option<Members>,
}

/// Time that one step may take, and until everything is well again.
const WITHIN: u32 = 420;

/// Seconds for which the unit must have been up.
const UP: u32 = 10;

const TIME: &str = "date -u +%Y%m%dT%H%M%SZ";

/// Whoever failed, as its file and its evidence.
fn failing<'n>(about: &About<'_>, node: &'n NodeEvidence) -> Vec<&'n Certificate> {
    let fails = |name: &str| about.finding.items.iter().any(|item| item.verdict == Verdict::Fail && item.name == name);
    node.certificates.items.iter().filter(|found| fails(&found.name)).collect()
}

/// Which of the two made the certificates that fail, where nothing of it runs that would tell.
pub(super) fn by_folder(about: &About<'_>, node: &NodeEvidence) -> Option<Which> {
    let found = failing(about, node);
    [Which::K3s, Which::Rke2].into_iter().find(|which| found.iter().any(|one| one.path.starts_with(&which.data("/"))))
}

/// What is done for `certificate-renew`, and what else it means.
pub(super) fn plan(which: Which, about: &About<'_>) -> Result<(RancherCertificatesOp, Vec<String>), Refusal> {
    let node = about.node()?;
    let (name, called, id) = (&node.name, which.called(), which.id());
    let now = about.evidence.finished;
    let found = failing(about, node);
    if let Some(early) = found.iter().find(|one| one.not_before.known().is_some_and(|begins| *begins > now)) {
        return Err(Refusal::new(format!(
            "{name}: {} begins in the future, so the node's clock is wrong, or was when it was made. Set the clock first \
             (`timedatectl`), then scan again",
            early.name
        )));
    }
    let ended = |one: &&&Certificate| one.not_after.known().is_some_and(|end| *end < now);
    let is_ca = |one: &&&Certificate| one.is_ca == Fact::Known(true);
    if let Some(ca) = found.iter().filter(is_ca).find(ended) {
        return Err(Refusal::new(format!(
            "{name}: the CA {} has ended, and what it signs is worth nothing. CAs are replaced by a procedure of their own: see \
             `{id} certificate rotate-ca` in the documents of {called}",
            ca.name
        )));
    }
    let mine = |one: &&&Certificate| !is_ca(one) && one.name == one.path && is_renewed(which, &one.path);
    let renewed: Vec<(String, Timestamp)> =
        found.iter().filter(mine).filter_map(|one| Some((one.path.clone(), *one.not_after.known()?))).collect();
    let others: Vec<&str> = found.iter().filter(|one| !mine(one)).map(|one| one.name.as_str()).collect();
    if renewed.is_empty() {
        return Err(Refusal::new(format!(
            "{name}: {called} renews none of {}. A CA is replaced by `{id} certificate rotate-ca` (see the documents); \
             what another made is renewed by whoever made it",
            others.join(", ")
        )));
    }
    let (unit, server) = unit_of(which, node);
    let mut notes = vec![
        format!(
            "Each server and each agent has certificates of its own: servers first, one after the other, then the agents, which get \
             some of theirs from a server. Check every node's clock before"
        ),
        format!("Copies of {} that people have end when they would have: give them the new one", which.kubeconfig()),
        format!("CAs are not renewed by it: they last ten years, and `{id} certificate rotate-ca` replaces them"),
    ];
    if !others.is_empty() {
        notes.push(format!("These are not renewed by it: {}", others.join(", ")));
    }
    let of_etcd = format!("{}/", which.data("/server/tls/etcd"));
    let of_etcd_ended = found.iter().filter(ended).any(|one| one.path.starts_with(&of_etcd));
    let members = (node.etcd.exists == Fact::Known(true) && !of_etcd_ended).then(rancher_etcd::members);
    if of_etcd_ended {
        notes.push(
            "A certificate of etcd has ended already, so no snapshot can be asked of it and its members cannot be asked after"
                .to_owned(),
        );
    }
    let op = RancherCertificatesOp {
        which,
        node: name.clone(),
        unit,
        server,
        serves: server && node.kube_apiserver.exists != Fact::Known(false),
        failing: renewed,
        members,
    };
    Ok((op, notes))
}

/// The unit, and whether it is a server's: the one that runs, else the one that the installation makes.
fn unit_of(which: Which, node: &NodeEvidence) -> (String, bool) {
    let tls = which.data("/server/tls/");
    let server = node.certificates.items.iter().any(|one| one.path.starts_with(&tls));
    let running = node.kubelet.process.known().and_then(|process| process.unit.known());
    if let Some(unit) = running.filter(|unit| unit.starts_with(which.id()) && unit.ends_with(".service")) {
        return (unit.clone(), server && !unit.ends_with("-agent.service"));
    }
    let unit = match (which, server) {
        (Which::K3s, true) => "k3s.service",
        (Which::K3s, false) => "k3s-agent.service",
        (Which::Rke2, true) => "rke2-server.service",
        (Which::Rke2, false) => "rke2-agent.service",
    };
    (unit.to_owned(), server)
}

/// What the node tells of itself before.
struct Told {
    time: String,
    now: Timestamp,
    /// Within how many days of its end a certificate is renewed at a start.
    days: i64,
    version: Option<String>,
    /// Whether the unit runs.
    up: bool,
}

impl RancherCertificatesOp {
    fn version(&self) -> String {
        format!("{} --version", self.which.id())
    }

    fn loaded(&self) -> String {
        format!("systemctl show -p LoadState -p ActiveState {}", quoted(&self.unit))
    }

    fn can_rotate(&self) -> String {
        format!("{} certificate rotate --help", self.which.id())
    }

    /// Asks for the supervisor's certificate, of which the file holds the key too: that stays there.
    fn supervisor(&self) -> String {
        let file = self.which.data("/server/tls/dynamic-cert.json");
        format!("tr -d '\\n' <{file} | sed -n 's/.*\"tls.crt\": *\"\\([A-Za-z0-9+/=]*\\)\".*/\\1/p'")
    }

    /// Whether another folder of data than the usual one is named: in the files, on the command line, or in the environment.
    fn elsewhere(&self) -> String {
        let (main, unit) = (self.which.main(), quoted(&self.unit));
        format!(
            "{{ cat {main} {main}.d/* 2>/dev/null; systemctl show -p ExecStart {unit} | tr ' ' '\\n'; \
             tr '\\0' '\\n' <\"/proc/$(systemctl show -p MainPID {unit} | cut -d= -f2)/environ\" 2>/dev/null; }} | \
             grep -oE '^(data-dir|\"data-dir\"|--data-dir|-d$|-d=|(K3S|RKE2)_DATA_DIR=.)' | head -n 1; echo end"
        )
    }

    pub(super) fn wants(&self) -> Vec<Want> {
        let mut wants: Vec<Want> =
            [TIME.to_owned(), self.version(), self.loaded(), self.can_rotate(), self.elsewhere()]
                .map(Want::Tell)
                .into();
        if self.server {
            wants.push(Want::Tell(self.supervisor()));
        }
        if self.serves {
            wants.extend([Want::Tell(self.which.ready().to_owned()), Want::Stat(self.which.kubeconfig())]);
        }
        wants.extend(self.members.iter().map(|members| Want::Tell(members.line().to_owned())));
        wants
    }

    fn told(&self, fresh: &Fresh) -> Result<Told, Refusal> {
        let (node, unit) = (&self.node, &self.unit);
        // It becomes a part of paths: nothing but what was asked for.
        let is_time = |time: &&str| time.len() == 16 && time.bytes().all(|b| b.is_ascii_alphanumeric());
        let said = fresh.told(TIME).map(str::trim).filter(is_time);
        let time = said.and_then(|time| Some((time.to_owned(), time.parse().ok()?)));
        let Some((time, now)) = time else {
            return Err(Refusal::new(format!("{node}: its clock could not be read. Set it first")));
        };
        let state = fresh.told(&self.loaded()).unwrap_or_default();
        if !state.lines().any(|line| line.trim() == "LoadState=loaded") {
            return Err(Refusal::new(format!(
                "{node}: systemd has no unit {unit}. Restart whatever starts {} there by hand: it renews its certificates then",
                self.which.called()
            )));
        }
        if fresh.told(&self.elsewhere()).map(str::trim) != Some("end") {
            return Err(Refusal::new(format!(
                "{node}: {unit} keeps its data elsewhere than in {} (data-dir), or how it is started was not read. Renew by hand: \
                 `systemctl stop {unit}`, `{} certificate rotate` with the same --data-dir, `systemctl start {unit}`",
                self.which.data(""),
                self.which.id()
            )));
        }
        let said = fresh.told(&self.version()).and_then(|said| said.lines().next()).unwrap_or_default();
        let mut words = said.split(' ');
        let version = (words.next() == Some(self.which.id()) && words.next() == Some("version"))
            .then(|| words.next())
            .flatten()
            .filter(|version| version.bytes().all(|b| b.is_ascii_alphanumeric() || b".+-".contains(&b)))
            .filter(|version| Version::parse(version).is_some());
        Ok(Told {
            time,
            now,
            days: version.map_or(90, window),
            version: version.map(str::to_owned),
            up: state.lines().any(|line| line.trim() == "ActiveState=active"),
        })
    }

    /// Whether a restart renews one. An agent signs its kubelet's anew at every start (k3s, pkg/agent/config/config.go).
    fn by_restart(&self, path: &str, end: Timestamp, told: &Told) -> bool {
        if let Some(name) = path.strip_prefix(&self.which.data("/server/tls/"))
            && is_made_by_components(name)
            && told.days < 120
        {
            return false;
        }
        let every_time = ["/agent/client-kubelet.crt", "/agent/serving-kubelet.crt"];
        every_time.iter().any(|name| path == self.which.data(name)) || !self.server || ends_by(end, told, told.days)
    }

    pub(super) fn change(&self, fresh: &Fresh) -> Result<NodeChange, Refusal> {
        let told = self.told(fresh)?;
        let (node, unit, which) = (&self.node, &self.unit, self.which);
        let (id, called, data, kubeconfig) = (which.id(), which.called(), which.data(""), which.kubeconfig());
        let kept = |path: &str| format!("{STATE}/certificates-{}{path}", told.time);
        if self.serves && fresh.file(&kubeconfig).is_none_or(|file| file.state == Some(crate::remedy::State::Absent)) {
            return Err(Refusal::new(format!(
                "{node}: {kubeconfig} is not there, so whether its API answers again could not be asked. Renew by hand: restart {unit}"
            )));
        }
        let later: Vec<&str> = self
            .failing
            .iter()
            .filter(|(path, end)| !self.by_restart(path, *end, &told))
            .map(|(path, _)| path.as_str())
            .collect();
        if told.days < 120
            && let Some(own) = later.iter().find(|path| path.contains("/server/tls/kube-"))
        {
            return Err(Refusal::new(format!(
                "{node}: {own} was made by the component itself, and this {called} does not renew it. Bring {called} to a version of May \
                 2025 or later, or move the file away and restart {unit}"
            )));
        }
        let rotate = !later.is_empty();
        let supervisor = self.server && !rotate && self.supervisor_ends(fresh, &told);
        if (rotate || supervisor) && fresh.told(&self.can_rotate()).is_none() {
            return Err(Refusal::new(format!(
                "{node}: `{id} certificate rotate` is needed for {}, and this {called} does not have it. Update {called}: its start \
                 renews what ends within {} days",
                if rotate { later.join(", ") } else { "the certificate of its supervisor".to_owned() },
                told.days
            )));
        }
        let was_ready = self.serves && fresh.told(which.ready()).is_some();
        let mut change = NodeChange { risk: Risk::Disruptive, within: WITHIN, ..NodeChange::default() };
        if let Some(members) = &self.members {
            change.interrupts.push(members.well(fresh)?);
            if was_ready {
                change.validate.push(rancher_etcd::snapshot(which));
            }
        }
        if self.server {
            change.validate.push(Validate::Line { line: format!("rancher_signers {data}") });
        }
        change.validate.push(Validate::Keep {
            what: "copies of its certificates, keys and kubeconfigs".to_owned(),
            at: kept(""),
            line: format!(
                "if [ -d \"$KEPT\" ]; then rancher_are \"$KEPT/new\"; else mkdir -m 700 \"$KEPT\" && rancher_to \"$KEPT/old\" {data} \
                 {kubeconfig}; fi"
            ),
        });
        let up = format!("unit_up {unit} {UP}", unit = quoted(unit));
        let ready = format!("{} >/dev/null", which.ready());
        let renewed = self.failing.iter().map(|(path, _)| {
            let later = format!("ends_later {} {}", quoted(&kept(&format!("/old{path}"))), quoted(path));
            // What an agent gets from its server is no longer kept at the server as well (cleanup at its start).
            if is_kept_for_agents(which, path) { format!("[ ! -e {} ] || {later}", quoted(path)) } else { later }
        });
        change.holds.extend([up.clone()].into_iter().chain(self.serves.then(|| ready.clone())).chain(renewed));
        let unit = &quoted(unit);
        let (stop, start) = (format!("systemctl stop {unit}"), format!("systemctl start {unit}"));
        let (old, new) = (kept("/old"), kept("/new"));
        if rotate {
            change.activate.push(stop.clone());
            change.activate.push(format!("if [ -d {new} ]; then rancher_from {new}; else {id} certificate rotate; fi"));
            change.activate.push(start.clone());
            let conditions: String = change.holds.iter().map(|line| format!(" {}", quoted(line))).collect();
            change.activate.push(format!(
                "[ -d {new} ] || {{ rancher_renewed {id} {WAITS}{conditions} && rancher_to {new} {data} {kubeconfig}; }}"
            ));
        } else if supervisor {
            change.activate.extend([
                stop.clone(),
                format!("{id} certificate rotate --service {id}-server"),
                start.clone(),
            ]);
        } else {
            change.activate.push(format!("systemctl restart {unit}"));
        }
        change.deactivate.extend([stop, format!("rancher_from {old}")]);
        if told.up {
            change.deactivate.push(format!("systemctl reset-failed {unit} 2>/dev/null; {start}"));
            change.restored.push(up);
            change.restored.extend(was_ready.then_some(ready));
        }
        let as_before = later.iter().filter(|path| path.starts_with(&which.data("/server/")));
        change
            .restored
            .extend(as_before.map(|path| format!("cmp -s {} {}", quoted(&format!("{old}{path}")), quoted(path))));
        self.tell(&mut change, &told, &later);
        Ok(change)
    }

    /// Whether the certificate of the supervisor ends so soon, or has, that it must be asked for a new one: where it has ended a
    /// server may not start (rancher/rke2 issue 8318), and a restart alone does not always renew it (4372 there).
    fn supervisor_ends(&self, fresh: &Fresh, told: &Told) -> bool {
        let pem = fresh.told(&self.supervisor()).and_then(|said| decode_block(said.trim()).ok());
        let cert = pem.and_then(|pem| X509::from_pem(&pem).ok());
        let now = Asn1Time::from_unix(told.now.as_second());
        let left = cert.zip(now.ok()).and_then(|(cert, now)| now.diff(cert.not_after()).ok());
        left.is_some_and(|left| i64::from(left.days) < told.days)
    }

    /// What it means, and why it is done so.
    fn tell(&self, change: &mut NodeChange, told: &Told, later: &[&str]) {
        let (called, id, unit, days) = (self.which.called(), self.which.id(), &self.unit, told.days);
        let api = match (self.serves, self.which) {
            (true, Which::K3s) => {
                "the API of this node does not answer (where it is the only server, the cluster has none), and "
            }
            (true, Which::Rke2) => {
                "etcd, the API server and the other static pods of this node start anew and its API does not answer, and "
            }
            (false, _) => "",
        };
        let begins = if told.up { "is restarted" } else { "does not run now, and is started" };
        change.interrupts.push(format!(
            "{unit} {begins}: for some minutes {api}no pod is started, probed, or reached by exec and logs. Running pods keep running. \
             What was changed in its configuration files since it was last started takes effect with it"
        ));
        let version = match &told.version {
            Some(version) => format!("this one, {version}, "),
            None => format!("`{id} --version` was not understood, and every version "),
        };
        change.why.push(format!(
            "{called} renews at its start what has ended or ends soon: {version}renews what ends within {days} days; the certificates of \
             the kubelet at every start"
        ));
        if later.is_empty() {
            change.no_undo = true;
            change.why.push(format!(
                "Where it fails the copies come back and {unit} is started; it renews then once more. Once it is done there is no undo: \
                 {called} would renew the same ones again whenever it starts. The old ones are still taken as far as they have not ended, and \
                 the copies stay on the node"
            ));
            return;
        }
        change.why.push(format!(
            "That is not soon enough for {}. So `{id} certificate rotate` takes all of them away but the CAs (it keeps copies of its own in \
             {}), and the start makes new ones with new keys",
            later.join(", "),
            self.which.data(if self.server { "/server/tls-TIME" } else { "/agent/tls-TIME" })
        ));
        change.why.push(format!(
            "An undo brings the old ones back, but for those that {called} renews at that start anyway. It is possible until {unit} is \
             started the next time, since the kubelet's are made anew then"
        ));
    }
}

/// Seconds for which the new certificates are waited for, within the time of a step.
const WAITS: u32 = WITHIN - 60;

fn ends_by(end: Timestamp, told: &Told, days: i64) -> bool {
    end.duration_since(told.now) <= SignedDuration::from_hours(days.saturating_mul(24))
}

#[cfg(test)]
#[path = "rancher_certificates_tests.rs"]
mod tests;
