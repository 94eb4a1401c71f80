#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::super::testing::{assembled, record};
use super::*;
use crate::evidence::Fact;
use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::x509::X509NameBuilder;
use openssl::x509::extension::BasicConstraints;

fn made(ca: Option<bool>, until: &str) -> String {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("O", "system:masters").unwrap();
    name.append_entry_by_text("CN", "kube\u{1b}[2Jadmin").unwrap();
    let name = name.build();
    let mut cert = X509::builder().unwrap();
    cert.set_version(2).unwrap();
    cert.set_serial_number(&Asn1Integer::from_bn(&BigNum::from_u32(1).unwrap()).unwrap()).unwrap();
    cert.set_subject_name(&name).unwrap();
    cert.set_issuer_name(&name).unwrap();
    cert.set_pubkey(&key).unwrap();
    cert.set_not_before(&Asn1Time::from_str_x509("20260101000000Z").unwrap()).unwrap();
    cert.set_not_after(&Asn1Time::from_str_x509(until).unwrap()).unwrap();
    if let Some(ca) = ca {
        let mut constraints = BasicConstraints::new();
        constraints.critical();
        if ca {
            constraints.ca();
        }
        cert.append_extension(constraints.build().unwrap()).unwrap();
    }
    cert.sign(&key, MessageDigest::sha256()).unwrap();
    String::from_utf8(cert.build().to_pem().unwrap()).unwrap()
}

fn read(body: &str) -> Listing<Certificate> {
    assembled(&[record("certs", "-", body), record("paths", "-", "here\tpki\t-\t/etc/kubernetes/pki/ca.crt\n")])
        .certificates
}

#[test]
fn a_certificate_is_told_in_plain_words() {
    let listed = read(&format!(
        "= here /etc/kubernetes/pki/ca.crt\n{}{}",
        made(Some(true), "20360101000000Z"),
        made(None, "99991231235959Z")
    ));
    assert!(listed.complete);
    let [ca, leaf] = listed.items.as_slice() else { panic!("{listed:?}") };
    assert_eq!(ca.subject, Fact::Known("O=system:masters, CN=kube[2Jadmin".into()));
    assert_eq!(
        (ca.key.known().unwrap().as_str(), ca.signature.known().unwrap().as_str()),
        ("ec-256", "ecdsa-with-SHA256")
    );
    assert_eq!(ca.not_after.known().unwrap().to_string(), "2036-01-01T00:00:00Z");
    assert_eq!((ca.role.as_str(), ca.name.as_str(), ca.unread), ("pki", "/etc/kubernetes/pki/ca.crt", None));
    assert_eq!((&ca.is_ca, &leaf.is_ca), (&Fact::Known(true), &Fact::Known(false)));
    assert_eq!(leaf.name, "/etc/kubernetes/pki/ca.crt#2");
    assert!(leaf.not_after.known().unwrap().to_string().starts_with("9999-12-30"));
    assert_eq!(ca.sha256.known().unwrap().len(), 64);
}

#[test]
fn what_is_no_certificate_is_malformed_and_what_is_closed_has_its_reason() {
    let broken = "= here /a.crt\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n= here /b.crt\n-----BEGIN CERTIFICATE-----\nAAAA\n= forbidden /c.crt\n= absent /d.crt\n";
    let listed = read(broken);
    let reasons: Vec<_> = listed.items.iter().map(|item| (item.path.as_str(), item.unread)).collect();
    assert_eq!(
        reasons,
        [("/a.crt", Some(Reason::Malformed)), ("/b.crt", Some(Reason::Malformed)), ("/c.crt", Some(Reason::Forbidden))]
    );
    assert!(!listed.complete);
}

#[test]
fn old_certificates_of_the_kubelet_are_left_out_where_the_current_one_is_there() {
    let cert = made(None, "20270101000000Z");
    let (old, current) = ("/p/kubelet-client-2024-01-02-03-04-05.pem", "/p/kubelet-client-current.pem");
    let both = read(&format!("= here {old}\n{cert}= here {current}\n{cert}= here /p/kubelet-client.pem\n{cert}"));
    assert_eq!(
        both.items.iter().map(|item| item.path.as_str()).collect::<Vec<_>>(),
        [current, "/p/kubelet-client.pem"]
    );
    assert_eq!(read(&format!("= here {old}\n{cert}")).items.len(), 1);
}

#[test]
fn a_list_that_was_cut_loses_its_last_file() {
    let cert = made(None, "20270101000000Z");
    let body = format!("= here /a.crt\n{cert}= here /b.crt\n-----BEGIN CERT");
    let listed = assembled(&[record("certs", "c", &body)]).certificates;
    assert_eq!((listed.items.len(), listed.complete), (1, false));
}
