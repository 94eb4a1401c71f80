//! Why TLS failed, as a reason and a sentence that ends in what to do. Of what the peer sent only numbers, times and
//! names that are checked character by character are told.

use super::super::error::ApiError;
use super::pem::moment;
use crate::evidence::Reason;
use jiff::Timestamp;
use openssl::error::ErrorStack;
use openssl::ssl;
use openssl::x509::{X509, X509Ref, X509StoreContextRef};
use std::error::Error;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Names of a certificate that are told at most.
const NAMES: usize = 6;

/// The first objection to a certificate.
#[derive(Clone)]
struct Objection {
    /// OpenSSL's number (`x509_vfy.h`).
    code: i32,
    /// 0: the server's own certificate.
    depth: u32,
    certificate: Option<X509>,
}

/// Sees why a certificate is refused.
#[derive(Default)]
pub(super) struct Witness(Arc<Mutex<Option<Objection>>>);

impl Witness {
    /// What OpenSSL calls for every certificate of the chain.
    pub(super) fn callback(&self) -> impl Fn(bool, &mut X509StoreContextRef) -> bool + Sync + Send + 'static {
        let seen = Arc::clone(&self.0);
        move |good, context| {
            if !good {
                let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.get_or_insert_with(|| Objection {
                    code: context.error().as_raw(),
                    depth: context.error_depth(),
                    certificate: context.current_cert().map(X509Ref::to_owned),
                });
            }
            good
        }
    }

    fn seen(self) -> Option<Objection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// A handshake that failed.
pub(in crate::kubeapi) struct Refused {
    objection: Option<Objection>,
    told: Told,
}

/// What a broken connection tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::kubeapi) enum Told {
    /// What came is no TLS.
    NoTls,
    /// The peer wants a client certificate.
    WantsCertificate,
    /// The peer does not accept our client certificate.
    RefusesCertificate,
    /// Our client certificate has expired, says the peer.
    ExpiredCertificate,
    /// The peer and we have no version or cipher in common.
    NothingInCommon,
    /// The connection ended.
    Ended,
    /// Another failure of TLS.
    Other,
}

/// The place of a peer in sentences.
pub(in crate::kubeapi) struct Peer<'a> {
    /// URL.
    pub(in crate::kubeapi) url: &'a str,
    /// The kubeconfig.
    pub(in crate::kubeapi) file: &'a str,
    /// The name that the certificate must be for.
    pub(in crate::kubeapi) name: &'a str,
    /// Whether the kubeconfig names the CA, rather than the machine.
    pub(in crate::kubeapi) own_ca: bool,
}

impl Refused {
    pub(super) fn own(_: ErrorStack) -> Self {
        Refused { objection: None, told: Told::Other }
    }

    pub(super) fn new(error: &ssl::Error, witness: Witness) -> Self {
        Refused { objection: witness.seen(), told: of_ssl(error) }
    }

    /// Whether times are the reason, so that it is worth asking for the server's clock.
    pub(in crate::kubeapi) fn is_about_time(&self) -> bool {
        matches!(self.objection, Some(Objection { code: 9 | 10, .. }))
    }

    /// The error. `theirs`: the server's clock, where it was asked for; `ours`: this machine's.
    pub(in crate::kubeapi) fn say(&self, peer: &Peer<'_>, ours: Timestamp, theirs: Option<Timestamp>) -> ApiError {
        let Peer { url, file, name, .. } = peer;
        let unreachable = |text: String| ApiError::new(Reason::Unreachable, format!("{url}: {text}"));
        let Some(objection) = &self.objection else {
            return match self.told {
                Told::NoTls => unreachable(format!(
                    "what answers there does not speak TLS. Check the port, and whether `server` in {file} must begin with http://"
                )),
                Told::NothingInCommon => unreachable(
                    "the server and this program have no TLS version or cipher in common (TLS 1.2 at least). Let the server speak TLS 1.2".to_owned(),
                ),
                Told::Ended => unreachable(format!(
                    "the connection ended during the TLS handshake. Check that the port in {file} is the API server's, and for a firewall in between"
                )),
                told => told.say(url, file),
            };
        };
        let whose = if objection.depth == 0 { "the API server's certificate" } else { "the certificate of its CA" };
        let day = |at: Option<Timestamp>| {
            at.map_or_else(|| "an unknown day".to_owned(), |at| at.strftime("%F %R UTC").to_string())
        };
        let certificate = objection.certificate.as_ref();
        let from = certificate.and_then(|certificate| moment(certificate.not_before()));
        let until = certificate.and_then(|certificate| moment(certificate.not_after()));
        // Whose clock is wrong can be told only where the other's says that all is well.
        let well = |at: Timestamp| from.is_none_or(|from| from <= at) && until.is_none_or(|until| at <= until);
        let clocks = theirs.filter(|theirs| well(*theirs)).map(|theirs| {
            format!(
                "this machine's clock says {}, the API server's {}; by the latter {whose} is valid. Set this machine's clock",
                day(Some(ours)),
                day(Some(theirs))
            )
        });
        match (objection.code, clocks) {
            (9 | 10, Some(clocks)) => unreachable(clocks),
            (9, None) => unreachable(format!(
                "{whose} is not valid before {}, and this machine's clock says {}. Check both clocks, then the certificate",
                day(from),
                day(Some(ours))
            )),
            (10, None) => unreachable(format!(
                "{whose} expired on {}. Have it renewed (kubeadm: kubeadm certs renew apiserver; k3s and RKE2: restart the service), or check this machine's clock: {}",
                day(until),
                day(Some(ours))
            )),
            (62 | 64, _) => unreachable(match certificate.map(names).filter(|names| !names.is_empty()) {
                Some(names) => format!(
                    "the certificate is not for {name}, but for {}. Write one of these as `server` or as `tls-server-name` in {file}",
                    names.join(", ")
                ),
                None => format!(
                    "the certificate is not for {name}. Write the name it is for as `tls-server-name` in {file}, or check that this is the right server"
                ),
            }),
            (66..=68, _) => unreachable(format!(
                "{whose} has a key or signature too weak to be trusted (RSA below 2048 bits, SHA-1). Have a new one issued"
            )),
            (2 | 7 | 18..=22 | 24 | 26 | 28 | 79, _) if peer.own_ca => unreachable(format!(
                "the API server's certificate is not issued by the CA in {file}: another cluster answers there, its CA was renewed, or something in between answers for it. Fetch the kubeconfig again, and compare the CA if that does not help"
            )),
            (2 | 7 | 18..=22 | 24 | 26 | 28 | 79, _) => unreachable(format!(
                "the API server's certificate is not issued by a CA that this machine trusts, and {file} names none. Add the cluster's certificate-authority to it, or fetch it again"
            )),
            (code, _) => unreachable(format!(
                "{whose} is refused (OpenSSL verify error {code}). Look at it with: openssl s_client -connect {name}"
            )),
        }
    }
}

impl Told {
    /// Whether it is about our certificate.
    pub(in crate::kubeapi) fn is_judgement(self) -> bool {
        matches!(self, Told::WantsCertificate | Told::RefusesCertificate | Told::ExpiredCertificate)
    }

    /// The error of a connection that broke after the handshake, or during it without an objection of ours.
    pub(in crate::kubeapi) fn say(self, url: &str, file: &str) -> ApiError {
        let (reason, text) = match self {
            Told::WantsCertificate => (
                Reason::Forbidden,
                format!(
                    "the server wants a client certificate, and the user in {file} has none. Fetch a kubeconfig with one"
                ),
            ),
            Told::RefusesCertificate => (
                Reason::Forbidden,
                format!("the server does not accept the client certificate in {file}. Fetch the kubeconfig again"),
            ),
            Told::ExpiredCertificate => (
                Reason::Forbidden,
                format!(
                    "the server says that the client certificate in {file} has expired. Fetch the kubeconfig again"
                ),
            ),
            _ => (
                Reason::Unreachable,
                "the TLS connection failed. Check for a firewall or proxy in between, and try again".to_owned(),
            ),
        };
        ApiError::new(reason, format!("{url}: {text}"))
    }
}

/// What a failed read or write of a connection tells about TLS. None: nothing.
pub(in crate::kubeapi) fn told(error: &(dyn Error + 'static)) -> Option<Told> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<ssl::Error>() {
            return Some(of_ssl(error));
        }
        // An io::Error that wraps another gives that other's sources, not the other itself.
        if let Some(inner) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            next = Some(inner);
            continue;
        }
        next = error.source();
    }
    None
}

fn of_ssl(error: &ssl::Error) -> Told {
    let Some(stack) = error.ssl_error() else { return Told::Ended };
    // Numbers: OpenSSL `sslerr.h`; a peer's alert is 1000 and its number in RFC 8446 6.
    let told = stack.errors().iter().map(|error| match error.reason_code() {
        156 | 155 | 198 | 267 => Told::NoTls,
        1116 => Told::WantsCertificate,
        1042 | 1043 | 1044 | 1046 | 1048 | 1049 => Told::RefusesCertificate,
        1045 => Told::ExpiredCertificate,
        1040 | 1070 | 1071 | 258 | 193 | 191 => Told::NothingInCommon,
        294 => Told::Ended,
        _ => Told::Other,
    });
    told.max_by_key(|told| *told != Told::Other).unwrap_or(Told::Ended)
}

/// Names and addresses of a certificate. Names with anything but letters, digits, `-`, `_`, `.` and `*` are left out.
fn names(certificate: &X509) -> Vec<String> {
    let Some(all) = certificate.subject_alt_names() else { return Vec::new() };
    let plain = |name: &&str| {
        (1..=253).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.*".contains(&b))
    };
    let address = |bytes: &[u8]| match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
        _ => None,
    };
    let addresses = all.iter().filter_map(|name| name.ipaddress().and_then(address)).map(|address| address.to_string());
    let names = all.iter().filter_map(|name| name.dnsname()).filter(plain).map(str::to_owned);
    addresses.chain(names).take(NAMES).collect()
}
