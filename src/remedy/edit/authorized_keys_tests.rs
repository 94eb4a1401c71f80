#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use proptest::prelude::*;

// Made by ssh-keygen of OpenSSH 9.2, whose `-lf` printed the fingerprints; the private halves are gone.
const ED25519: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPAjmb3CqV877jkOgJg9vU2I3NSS0n380GqYaq1UBsjG ed25519 of a visitor";
const ED25519_PRINT: &str = "SHA256:ajhgqPTLV4BoVEZXkQ0zMnPApVxxI2XDPbdLR5wA+p0";
const ECDSA: &str = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBAo1d86yvwJcRgGHaTPU0KdS2YScOwlqqTSHNCD3LbgcPqAEREFlelrcCDn4A1G52U+UBPMVwiQQ4rfdRkFz4kw= ecdsa of a visitor";
const ECDSA_PRINT: &str = "SHA256:P6QCK8GyUqcQ38nsdMwBu1nxy+I083RZl2poS6Y/1HA";
const RSA: &str = concat!(
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQCd9qf6/xDbhzw0HtgGscVTWl6w636570SwrcaLEYFYE1Uj3heuG+uy/0e+INBZ",
    "lpXeTHre0o+7r88CvGyNSycxyUpyedSjY2qifJGIpXkLWrWOUeRxtD2ksQ78qY9o62ANes/u3JC0cQzdneyRJJwaW7b7kVHDbbtY",
    "0Y+uUDPIiUz1JJUY+FPH48rRnsS2uN1FLyRQrs6+A5nIt77kj1b/NKK7N6R2Oy+aSXfUMrrrmXDMWRjv7KO82SpJkMz+6+iBPgeH",
    "tJjWHpBs0Dvp15xERpEeaOPN4+ebqQaX6XOOpACnK29z+IRpJcGjqy+1oFIP2+ybOHaF04NI4o9mzbiZ rsa of a visitor"
);
const RSA_PRINT: &str = "SHA256:ImcRYrg5+f0IzkiSzk4dZPy+nGrlW5jjUUN8chseDNM";

/// Options with quoted blanks, commas and quotes, comments, blank lines and indentation.
fn file() -> String {
    format!(
        "# keys of the site\n\n{ED25519}\n  restrict,command=\"sh -c \\\"a, b\\\" # c\",from=\"10.0.0.1\"\t{ECDSA}\n#{RSA}\nno-pty {RSA}\n"
    )
}

fn from(patterns: &[&str]) -> Vec<String> {
    patterns.iter().map(|pattern| (*pattern).to_owned()).collect()
}

#[test]
fn fingerprints_are_those_of_ssh_keygen() {
    for (line, print) in [(ED25519, ED25519_PRINT), (ECDSA, ECDSA_PRINT), (RSA, RSA_PRINT)] {
        assert_eq!(fingerprint(line).as_deref(), Some(print));
        let bare: Vec<&str> = line.split(' ').take(2).collect();
        assert_eq!(
            fingerprint(&format!("  no-pty,environment=\"A=b c\"   {}\r", bare.join(" "))).as_deref(),
            Some(print)
        );
        assert_eq!(fingerprint(&format!("# {line}")), None);
        assert_eq!(fingerprint(&format!("command=\"open {line}")), None);
    }
    for line in ["", "ssh-rsa", "ssh-rsa AAAA", "ssh-ed25519 AAAAB3NzaC1yc2E=", "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIA=="]
    {
        assert_eq!(fingerprint(line), None, "{line}");
    }
}

#[test]
fn a_key_is_taken_out_and_nothing_else() {
    let file = file();
    assert_eq!(remove_key(&file, ED25519_PRINT).unwrap(), file.replacen(&format!("{ED25519}\n"), "", 1));
    let after = remove_key(&file, ECDSA_PRINT).unwrap();
    assert_eq!(after.lines().count(), file.lines().count() - 1);
    assert!(!after.contains("ecdsa"));
    assert_eq!(remove_key(&after, ECDSA_PRINT).unwrap(), after);
    let twice = format!("{RSA}\r\n{ED25519}\r\n{RSA}");
    assert_eq!(remove_key(&twice, RSA_PRINT).unwrap(), ED25519);
    let odd = remove_key(&format!("{ED25519}\nssh-rsa broken\n"), RSA_PRINT).unwrap_err();
    assert_eq!(odd.line(), Some(2));
    assert!(odd.to_string().contains("ssh-keygen -lf FILE"), "{odd}");
}

#[test]
fn a_key_is_bound_to_addresses() {
    let file = file();
    let option = "from=\"10.0.0.0/8,!10.0.0.9\"";
    let patterns = from(&["10.0.0.0/8", "!10.0.0.9"]);
    for (print, old, new) in [
        (ED25519_PRINT, ED25519.to_owned(), format!("{option} {ED25519}")),
        (ECDSA_PRINT, "from=\"10.0.0.1\"".to_owned(), option.to_owned()),
        (RSA_PRINT, format!("no-pty {RSA}"), format!("{option},no-pty {RSA}")),
    ] {
        let after = restrict_from(&file, print, &patterns).unwrap();
        assert_eq!(after, file.replacen(&old, &new, 1));
        assert_eq!(restrict_from(&after, print, &patterns).unwrap(), after);
        assert_eq!(after.lines().filter_map(fingerprint).count(), 3);
    }
    let windows = format!("{RSA}\r\n{ED25519}");
    let after = restrict_from(&windows, ED25519_PRINT, &from(&["*.example.org"])).unwrap();
    assert_eq!(after, format!("{RSA}\r\nfrom=\"*.example.org\" {ED25519}"));
}

#[test]
fn what_cannot_be_written_or_found_is_an_error() {
    for patterns in [from(&[]), from(&[""]), from(&["a b"]), from(&["a\""]), from(&["a,b"]), from(&["a\nb"])] {
        assert!(restrict_from(ED25519, ED25519_PRINT, &patterns).is_err(), "{patterns:?}");
    }
    let missing = restrict_from(ED25519, RSA_PRINT, &from(&["10.0.0.1"])).unwrap_err();
    assert!(missing.to_string().contains("no line has this key"), "{missing}");
    let twice = format!("from=\"a\",From=\"b\" {ED25519}");
    assert!(restrict_from(&twice, ED25519_PRINT, &from(&["10.0.0.1"])).is_err());
}

proptest! {
    #[test]
    fn any_options_keep_the_key(options in "([a-z]{1,3}(=\"[a-z ,\\\\]{0,4}\")?,?|\"|,| ){0,6}", text in "\\PC{0,40}") {
        let line = format!("{options} {ED25519}");
        if let Ok(after) = restrict_from(&line, ED25519_PRINT, &from(&["10.0.0.1"])) {
            prop_assert_eq!(fingerprint(&after), Some(ED25519_PRINT.to_owned()));
            prop_assert!(after.contains("from=\"10.0.0.1\""));
        }
        let _ = fingerprint(&text);
        let _ = remove_key(&text, ED25519_PRINT);
    }
}
