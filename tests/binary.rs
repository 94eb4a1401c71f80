//! What the program asks of the machine that it is carried to.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::process::Command;
use support::{left_out, there};

/// The glibc that README names.
const OLDEST_GLIBC: (u32, u32) = (2, 34);

fn readelf(option: &str) -> String {
    let done = Command::new("readelf").args([option, "-W", env!("CARGO_BIN_EXE_sitewarden")]).output().unwrap();
    assert!(done.status.success());
    String::from_utf8_lossy(&done.stdout).into_owned()
}

#[test]
fn nothing_but_glibc_must_be_installed() {
    if !there("readelf") {
        return left_out("the libraries that the program needs", "there is no readelf (binutils)");
    }
    let glibc = ["libc.so.6", "libm.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"];
    for line in readelf("-d").lines().filter(|line| line.contains("(NEEDED)")) {
        let library = line.split(['[', ']']).nth(1).unwrap();
        assert!(glibc.contains(&library), "the program needs {library}");
    }
}

#[test]
fn readme_names_the_oldest_glibc_that_it_runs_on() {
    let readme = include_str!("../README.md");
    let (major, minor) = OLDEST_GLIBC;
    assert!(readme.contains(&format!("glibc {major}.{minor} or newer")));
    // A build on a newer system asks for that system's glibc; the one that counts is CI's.
    if std::env::var_os("CI").is_none() || !there("readelf") {
        return left_out("the version of glibc that the program needs", "only the build of CI is carried elsewhere");
    }
    let versions = readelf("-V");
    let needed = versions.split("GLIBC_").skip(1).filter_map(|rest| {
        let digits: String = rest.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
        let (major, minor) = digits.split_once('.')?;
        Some((major.parse::<u32>().ok()?, minor.split('.').next()?.parse::<u32>().ok()?))
    });
    let newest = needed.max().expect("it needs some");
    assert!(newest <= OLDEST_GLIBC, "the program needs glibc {newest:?}");
}
