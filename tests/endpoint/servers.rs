//! Servers on loopback that behave as they are told, each on a port of its own.
#![allow(unreachable_pub)]

use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{SslContext, SslContextBuilder, SslMethod, SslVerifyMode, SslVersion};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509NameBuilder};
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, LazyLock};

/// A key and a certificate, made once.
pub struct Identity {
    pub key: PKey<Private>,
    pub certificate: X509,
}

/// Makes a certificate of `subject`, signed by `issuer` or by itself; `padding` bytes are added to it.
pub fn issue(subject: &str, names: &[&str], issuer: Option<&Identity>, padding: usize) -> Identity {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("CN", subject).unwrap();
    let name = name.build();
    let mut made = X509::builder().unwrap();
    made.set_version(2).unwrap();
    made.set_serial_number(&Asn1Integer::from_bn(&BigNum::from_u32(7).unwrap()).unwrap()).unwrap();
    made.set_subject_name(&name).unwrap();
    made.set_issuer_name(issuer.map_or(&name, |issuer| issuer.certificate.subject_name())).unwrap();
    made.set_not_before(&Asn1Time::from_str_x509("20260101000000Z").unwrap()).unwrap();
    made.set_not_after(&Asn1Time::from_str_x509("20360101000000Z").unwrap()).unwrap();
    made.set_pubkey(&key).unwrap();
    if issuer.is_none() {
        made.append_extension(BasicConstraints::new().ca().build().unwrap()).unwrap();
    }
    let long: Vec<String> = (0..padding / 60).map(|n| format!("{n:05}.{}", "x".repeat(50))).collect();
    let mut all = SubjectAlternativeName::new();
    for name in names.iter().copied().chain(long.iter().map(String::as_str)) {
        if name.parse::<IpAddr>().is_ok() {
            all.ip(name)
        } else {
            all.dns(name)
        };
    }
    if !names.is_empty() {
        let extension = all.build(&made.x509v3_context(None, None)).unwrap();
        made.append_extension(extension).unwrap();
    }
    made.sign(issuer.map_or(&key, |issuer| &issuer.key), MessageDigest::sha256()).unwrap();
    Identity { key, certificate: made.build() }
}

static AUTHORITY: LazyLock<Identity> = LazyLock::new(|| issue("test-ca", &[], None, 0));
static SERVER: LazyLock<Identity> =
    LazyLock::new(|| issue("server", &["edge1.site", "10.0.0.4", "fd00::4"], Some(&AUTHORITY), 0));

/// How a TLS server is set up.
pub struct Setup {
    pub versions: (SslVersion, SslVersion),
    pub ciphers: &'static str,
    pub client: SslVerifyMode,
    pub answer: &'static str,
}

pub const ANY: (SslVersion, SslVersion) = (SslVersion::TLS1, SslVersion::TLS1_3);
pub const DEMANDS: SslVerifyMode = SslVerifyMode::PEER.union(SslVerifyMode::FAIL_IF_NO_PEER_CERT);

impl Default for Setup {
    fn default() -> Self {
        let answer = "HTTP/1.1 401 Unauthorized\r\n\r\n";
        Setup { versions: ANY, ciphers: "ALL:@SECLEVEL=0", client: SslVerifyMode::NONE, answer }
    }
}

impl Setup {
    fn context(&self, chain: &[&X509], identity: &Identity) -> SslContext {
        let mut context: SslContextBuilder = SslContext::builder(SslMethod::tls_server()).unwrap();
        context.set_security_level(0);
        context.set_min_proto_version(Some(self.versions.0)).unwrap();
        context.set_max_proto_version(Some(self.versions.1)).unwrap();
        context.set_cipher_list(self.ciphers).unwrap();
        context.set_verify(self.client);
        context.set_certificate(&identity.certificate).unwrap();
        context.set_private_key(&identity.key).unwrap();
        for one in chain {
            context.add_extra_chain_cert((*one).clone()).unwrap();
        }
        context.build()
    }

    /// Serves it; the port.
    pub fn serve(&self) -> u16 {
        self.serve_at(Ipv4Addr::LOCALHOST, 0)
    }

    /// Serves it at an address.
    pub fn serve_at(&self, address: Ipv4Addr, port: u16) -> u16 {
        serve_tls(self.context(&[&AUTHORITY.certificate], &SERVER), self.answer, address, port)
    }

    /// Serves it with another certificate.
    pub fn serve_as(&self, identity: &Identity) -> u16 {
        serve_tls(self.context(&[], identity), self.answer, Ipv4Addr::LOCALHOST, 0)
    }
}

fn serve_tls(context: SslContext, answer: &'static str, address: Ipv4Addr, port: u16) -> u16 {
    serve_at(address, port, move |stream| {
        let Ok(ssl) = openssl::ssl::Ssl::new(&context) else { return };
        let Ok(mut tls) = ssl.accept(stream) else { return };
        let mut buffer = [0; 1024];
        if tls.read(&mut buffer).is_ok_and(|count| count > 0) {
            let _ = tls.write_all(answer.as_bytes());
            let _ = tls.shutdown();
        }
    })
}

/// Does something with every connection, each on a thread of its own; the port.
pub fn serve(each: impl Fn(TcpStream) + Send + Sync + 'static) -> u16 {
    serve_at(Ipv4Addr::LOCALHOST, 0, each)
}

fn serve_at(address: Ipv4Addr, port: u16, each: impl Fn(TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind((address, port)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let each = Arc::new(each);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let each = Arc::clone(&each);
            std::thread::spawn(move || each(stream));
        }
    });
    port
}

/// Reads what a client sends first, then says `words`, and closes.
pub fn says(words: &'static [u8]) -> u16 {
    serve(move |mut stream| {
        let mut buffer = [0; 4096];
        let _ = stream.read(&mut buffer);
        let _ = stream.write_all(words);
    })
}
