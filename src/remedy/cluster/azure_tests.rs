//! `az` as a script in a folder of its own: what is run, and how it ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use tempfile::TempDir;

/// A folder with an `az` that writes down how it was called and then does as `script` says.
fn fake(script: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let (path, log, draft) = (folder.path().join("az"), folder.path().join("log"), folder.path().join("draft"));
    let text =
        format!("#!/bin/sh\necho \"$AZURE_EXTENSION_USE_DYNAMIC_INSTALL $*\" >> '{}'\n{script}\n", log.display());
    // Copied by another program: a file that this one has open for writing cannot be run by the child of another thread.
    fs::write(&draft, text).unwrap();
    fs::set_permissions(&draft, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(std::process::Command::new("cp").arg(&draft).arg(&path).status().unwrap().success());
    (folder, path)
}

fn run_of(words: &[&str]) -> AzRun {
    AzRun {
        what: "Set it".to_owned(),
        args: words.iter().map(|word| (*word).to_owned()).collect(),
        back: None,
        risk: Risk::Safe,
        minutes: 1,
        by_kubeconfig: true,
    }
}

#[test]
fn what_is_run_and_how_it_ends() {
    let (folder, az) = fake("exit 0");
    let words = ["connectedk8s", "update", "--name", "a b", "--auto-upgrade", "true"];
    one(&az, &run_of(&words)).unwrap();
    let log = fs::read_to_string(folder.path().join("log")).unwrap();
    assert_eq!(log, "no connectedk8s update --name a b --auto-upgrade true\n");
    for (says, known, told) in [
        ("ERROR: Please run 'az login' to setup account.", true, "run `az login`"),
        ("ERROR: (AuthorizationFailed) The client does not have authorization", true, "may not change it"),
        (
            "ERROR: 'connectedk8s' is misspelled or not recognized by the system.",
            true,
            "az extension add --name connectedk8s",
        ),
        ("knack.prompting.NoTTYException: Unable to prompt for confirmation as no tty available", true, "by hand"),
        ("ERROR: Connection aborted geheim", false, "scan again"),
        ("Traceback geheim", false, "by hand"),
    ] {
        let (_folder, az) = fake(&format!("echo \"{says}\" >&2; exit 1"));
        let (certain, words) = one(&az, &run_of(&words)).unwrap_err();
        assert!(certain == known && words.contains(told), "{says}: {words}");
        assert!(!words.contains("geheim"), "{words}");
    }
}

#[test]
fn the_kubeconfig_is_named_where_az_reads_one() {
    let target = ClusterTarget {
        kubeconfig: vec!["/sites/kube".into()],
        context: Some("shop".to_owned()),
        ..ClusterTarget::default()
    };
    let other = AzRun {
        by_kubeconfig: false,
        ..run_of(&["k8s-extension", "update", "--cluster-name", "shop-7", "--name", "flux"])
    };
    let change = prepare(&[run_of(&["connectedk8s", "update", "--name", "shop-7"]), other.clone()], &target);
    assert_eq!(
        az_line(&change.runs[0].args),
        "az connectedk8s update --name shop-7 --kube-config /sites/kube --kube-context shop"
    );
    assert_eq!(change.runs[1].args, other.args);
    assert_eq!(change.name, "shop-7");
    assert_eq!(prepare(&[other], &target).name, "shop-7");
}
