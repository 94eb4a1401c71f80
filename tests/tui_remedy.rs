//! A node is put right from the screens: the real program on a pseudo-terminal, a real node.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;
mod terminal;

use portable_pty::CommandBuilder;
use std::path::Path;
use support::Bed;
use terminal::Terminal;

const PASSWORDS: &str = "sshd -T | grep -i '^passwordauthentication'";
const OURS: &str = "/etc/ssh/sshd_config.d/00-sitewarden.conf";

/// The walk-through of the bed's node, with its files in a folder of the test's own.
fn walk(bed: &Bed, folder: &Path, more: &[&str]) -> Terminal {
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_sitewarden"));
    let node = format!("root@{}", bed.address);
    command.args(["--node", &node, "--identity", bed.key.to_str().unwrap()]);
    command.args(["--known-hosts", bed.known_hosts.to_str().unwrap(), "--ssh-config", "none"]);
    command.args(["--no-cluster", "--no-packages", "--no-endpoints", "--journal", "journal"]);
    command.args(more);
    command.cwd(folder);
    let home = folder.to_str().unwrap();
    Terminal::spawn(command, (80, 24), &[("HOME", home)])
}

/// From the overview to the plan of one control.
fn plan(terminal: &mut Terminal, control: &str) {
    terminal.shows("assessed as of");
    terminal.press("0/");
    terminal.shows("filter:");
    terminal.press(&format!("{control}\r"));
    terminal.shows("1 of ");
    terminal.press("f");
    terminal.shows("What happens, exactly");
}

/// Answers the question before the change, as a person does: one thing after the other.
fn confirm(terminal: &mut Terminal, name: &str) {
    terminal.press("x");
    terminal.shows("Change it?");
    terminal.press(name);
    terminal.shows(&format!("{name}_"));
    terminal.press("\u{18}");
}

#[test]
fn a_finding_is_put_right_and_taken_back_with_the_keyboard() {
    let Some(bed) = Bed::up("a_finding_is_put_right_and_taken_back_with_the_keyboard") else { return };
    bed.sh(&format!("rm -f {OURS}; systemctl reload ssh"));
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = walk(&bed, folder.path(), &[]);
    plan(&mut terminal, "sshd-password-authentication");
    terminal.shows("It cannot be run: read-only");
    terminal.press("x");
    terminal.shows("Press A to allow changes");
    terminal.press("w");
    terminal.shows("Saved: sitewarden-");
    terminal.press("A");
    terminal.shows("Allow changes?");
    terminal.press(&format!("{}\r", bed.address));
    terminal.shows("CHANGES ALLOWED");
    // Enter cancels, and a paste of all that is needed changes nothing.
    terminal.press("x");
    terminal.shows("Change it?");
    terminal.press("\r");
    terminal.shows("Cancelled: nothing was changed.");
    terminal.press("x");
    terminal.shows("Change it?");
    terminal.press(&format!("{}\u{18}", bed.address));
    terminal.shows("It came with other keys");
    terminal.press("\u{1b}");
    terminal.shows("It can be run");
    assert!(bed.sh(PASSWORDS).contains("yes"), "nothing was changed so far");
    confirm(&mut terminal, &bed.address);
    terminal.shows("sshd-password-authentication: fail -> pass");
    terminal.shows("sitewarden undo 20");
    assert!(bed.sh(PASSWORDS).contains("no"), "by sshd's own word");
    terminal.press("qqJ");
    terminal.shows("Done ");
    terminal.press("u");
    terminal.shows("Take back:");
    terminal.shows("It can be run");
    confirm(&mut terminal, &bed.address);
    terminal.shows("sshd-password-authentication: pass -> fail");
    assert!(bed.sh(PASSWORDS).contains("yes"));
    bed.sh(&format!("[ ! -e {OURS} ]"));
    terminal.press("qqq");
    assert_eq!(terminal.end(), 0);
    terminal.assert_restored();
    assert_eq!((saved(folder.path(), "md"), saved(folder.path(), "sh")), (1, 1));
}

/// From now on a reload says something and waits until somebody has seen it; a minute at most.
const SLOW: &str = r#"rm -f /run/go; cat >/usr/local/sbin/systemctl <<'END'
#!/bin/sh
if [ "$1" = reload ]; then
    printf 'reading \033[2Jthe configuration\n'
    for i in $(seq 600); do [ ! -e /run/go ] || break; sleep 0.1; done
fi
exec /usr/bin/systemctl "$@"
END
chmod 755 /usr/local/sbin/systemctl"#;

#[test]
fn what_a_command_says_is_on_the_screen_while_it_runs() {
    let Some(bed) = Bed::up("what_a_command_says_is_on_the_screen_while_it_runs") else { return };
    bed.sh(&format!("rm -f {OURS}; systemctl reload ssh; {SLOW}"));
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = walk(&bed, folder.path(), &["--allow-changes"]);
    plan(&mut terminal, "sshd-password-authentication");
    confirm(&mut terminal, &bed.address);
    terminal.shows("reading [2Jthe configuration");
    let shown = terminal.text();
    assert!(shown.contains("$ systemctl reload") && shown.contains("Now: running"), "{shown}");
    bed.sh("touch /run/go");
    terminal.shows("sshd-password-authentication: fail -> pass");
    bed.sh(&format!("rm -f /usr/local/sbin/systemctl /run/go {OURS}; systemctl reload ssh"));
    terminal.press("qqq");
    assert_eq!(terminal.end(), 0);
}

/// From the next reload of sshd on, each login waits until somebody has taken a file away; a minute at most.
const HOLD: &str = r#"rm -f /run/hold; mkdir -p /etc/systemd/system/ssh.service.d
printf '[Service]\nExecReload=/bin/touch /run/hold\n' >/etc/systemd/system/ssh.service.d/hold.conf
cat >/etc/ssh/sshrc <<'END'
for i in $(seq 600); do [ -e /run/hold ] || break; sleep 0.1; done
END
systemctl daemon-reload"#;

const NO_HOLD: &str =
    "rm -f /run/hold /etc/ssh/sshrc /etc/systemd/system/ssh.service.d/hold.conf; systemctl daemon-reload";

/// A change whose program is killed while it logs in a second time. Gives the entry's name.
fn killed(bed: &Bed, folder: &Path, seconds: &str) -> String {
    bed.sh(&format!(
        "systemctl stop 'sitewarden-2*'; rm -rf {OURS} /var/lib/sitewarden; {NO_HOLD}; systemctl reload ssh; {HOLD}"
    ));
    let mut terminal = walk(bed, folder, &["--allow-changes", "--revert-after", seconds]);
    plan(&mut terminal, "sshd-password-authentication");
    confirm(&mut terminal, &bed.address);
    terminal.shows("logging in a second time");
    let pid = terminal.child.process_id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-9", &pid]).status().unwrap().success());
    terminal.child.wait().unwrap();
    // The login that was under way may still be at the door: it has nobody any more who would say that all is well.
    bed.sh(NO_HOLD);
    bed.sh("basename /var/lib/sitewarden/2*").trim().to_owned()
}

/// The screens again, at what is known of that entry now.
fn looked_at(bed: &Bed, folder: &Path) -> Terminal {
    let mut terminal = walk(bed, folder, &["--allow-changes"]);
    terminal.shows(&format!("A change of node/{} has no end. J, then u", bed.address));
    terminal.press("J");
    terminal.shows("unfinished");
    terminal.press("u");
    terminal.shows("Without an end:");
    terminal
}

/// What the program says of an entry of the journal.
fn told(folder: &Path, words: &[&str]) -> String {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sitewarden"));
    command.args(words).args(["--journal", "journal"]).current_dir(folder).env("HOME", folder);
    let done = command.output().unwrap();
    String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr)
}

#[test]
fn a_change_whose_program_was_killed_is_finished_from_the_screens() {
    let Some(bed) = Bed::up("a_change_whose_program_was_killed_is_finished_from_the_screens") else { return };
    let folder = tempfile::tempdir().unwrap();
    let entry = killed(&bed, folder.path(), "120");
    let listed = told(folder.path(), &["undo", "--resume"]);
    assert!(listed.contains(&entry) && listed.contains(&format!("--resume --node {}", bed.address)), "{listed}");
    let mut terminal = looked_at(&bed, folder.path());
    terminal.shows("It works there and waits to be confirmed");
    terminal.shows("seconds until the node puts the old state back by itself");
    terminal.shows("To finish it: it stays as it is now");
    bed.sh(&format!("[ -e /var/lib/sitewarden/{entry}/armed ]"));
    confirm(&mut terminal, &bed.address);
    terminal.shows("Done. ");
    terminal.shows("sshd-password-authentication: unknown -> pass");
    bed.sh(&format!("[ -e /var/lib/sitewarden/{entry}/confirmed ] && [ -e {OURS} ]"));
    let switch = format!("systemctl list-timers --all --no-legend 'sitewarden-{entry}*'");
    assert_eq!(bed.sh(&switch).trim(), "", "no switch is left");
    let journal = told(folder.path(), &["journal", "show", &entry]);
    assert!(journal.contains("changed and verified") && journal.contains("later: confirm that it stays"), "{journal}");
    terminal.press("qqqq");
    assert_eq!(terminal.end(), 0);
    bed.sh(&format!("rm -f {OURS}; systemctl reload ssh"));
}

#[test]
fn a_change_whose_program_was_killed_is_put_back_from_the_screens() {
    let Some(bed) = Bed::up("a_change_whose_program_was_killed_is_put_back_from_the_screens") else { return };
    let folder = tempfile::tempdir().unwrap();
    let entry = killed(&bed, folder.path(), "120");
    let mut terminal = looked_at(&bed, folder.path());
    terminal.shows("Or put the old state back: o.");
    terminal.press("o");
    terminal.shows("To put the old state back");
    terminal.shows(&format!("Remove {OURS}"));
    // Enter cancels, and nothing has happened so far.
    terminal.press("x");
    terminal.shows("Change it?");
    terminal.press("\r");
    terminal.shows("Cancelled: nothing was changed.");
    bed.sh(&format!("[ -e /var/lib/sitewarden/{entry}/armed ] && [ -e {OURS} ]"));
    confirm(&mut terminal, &bed.address);
    terminal.shows("Put back. ");
    terminal.shows("sshd-password-authentication: unknown -> fail");
    bed.sh(&format!("[ -e /var/lib/sitewarden/{entry}/reverted ] && [ ! -e {OURS} ]"));
    let journal = told(folder.path(), &["journal", "show", &entry]);
    assert!(journal.contains("put back as it was"), "{journal}");
    assert!(told(folder.path(), &["undo", "--resume"]).contains("Every entry of the journal has its end"));
    terminal.press("qqqq");
    assert_eq!(terminal.end(), 0);
}

#[test]
fn what_the_switch_could_not_put_back_is_named_on_the_screens_and_in_the_journal() {
    let Some(bed) = Bed::up("what_the_switch_could_not_put_back_is_named_on_the_screens_and_in_the_journal") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let entry = killed(&bed, folder.path(), "15");
    bed.sh(&format!("echo '# of somebody else' >>{OURS}"));
    bed.sh(&format!(
        "n=300; until [ -e /var/lib/sitewarden/{entry}/reverted ]; do n=$((n - 1)); [ $n -gt 0 ]; sleep 0.2; done"
    ));
    let mut terminal = looked_at(&bed, folder.path());
    terminal.shows("It has ended: failed, may be half changed.");
    terminal.shows(OURS);
    terminal.shows("The journal has its end now.");
    let journal = told(folder.path(), &["journal", "show", &entry]);
    assert!(journal.contains(OURS) && journal.contains("look at it by hand"), "{journal}");
    terminal.press("qqqq");
    assert_eq!(terminal.end(), 0);
    bed.sh(&format!("rm -f {OURS}; systemctl reload ssh"));
}

/// How many files of a kind there are.
fn saved(folder: &Path, kind: &str) -> usize {
    let files = std::fs::read_dir(folder).unwrap().filter_map(Result::ok);
    files.filter(|file| file.path().extension().is_some_and(|extension| extension == kind)).count()
}

/// From now on each reload of sshd takes root's keys away, or brings them back: what nobody foresaw.
const TRAP: &str = "mkdir -p /etc/systemd/system/ssh.service.d
cat >/etc/systemd/system/ssh.service.d/trap.conf <<'END'
[Service]
ExecReload=/bin/sh -c 'cd /root/.ssh; if [ -e authorized_keys ]; then mv authorized_keys away; else mv away authorized_keys; fi'
END
systemctl daemon-reload";

const NO_TRAP: &str = "rm -f /etc/systemd/system/ssh.service.d/trap.conf; systemctl daemon-reload
[ ! -e /root/.ssh/away ] || mv /root/.ssh/away /root/.ssh/authorized_keys";

#[test]
fn what_shuts_the_person_out_is_put_back_and_leaving_meanwhile_asks() {
    let Some(bed) = Bed::up("what_shuts_the_person_out_is_put_back_and_leaving_meanwhile_asks") else { return };
    bed.sh(&format!("rm -f {OURS}; {NO_TRAP}; systemctl reload ssh"));
    let folder = tempfile::tempdir().unwrap();
    let mut terminal = walk(&bed, folder.path(), &["--allow-changes", "--revert-after", "60"]);
    terminal.shows("CHANGES ALLOWED");
    plan(&mut terminal, "sshd-password-authentication");
    bed.sh(TRAP);
    confirm(&mut terminal, &bed.address);
    terminal.shows("seconds until the node puts the old state back");
    terminal.shows("[>] Log in a second time");
    terminal.press("\u{3}");
    terminal.shows("Quit now?");
    terminal.press("\u{1b}");
    terminal.shows("Put back.");
    terminal.shows("sshd-password-authentication: fail -> fail");
    bed.sh(&format!("[ ! -e {OURS} ]; {NO_TRAP}"));
    terminal.press("\u{3}");
    assert_eq!(terminal.end(), 0);
    terminal.assert_restored();
}
