//! Which versions of TLS and which suites a server accepts: one hello for each, and of its answer only what is plain.

use super::connect::{self, Heard};
use super::hello::{Version, client_hello};
use super::reply::{Hearing, Reply};
use super::suites::{self, SUITES};
use super::{EndpointLimits, Peer};
use crate::evidence::{Fact, Listing, Reason, TlsOffer, Unread};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// Most bytes of one answer to a hello. OpenSSL's own bound for a chain of certificates is about as large.
const ANSWER: usize = 128 * 1024;

/// Most suites that are taken from a server with one version; no server has as many.
const ROUNDS: usize = 80;

/// Alerts that tell of trouble, not of a refusal: close_notify, internal_error. A kubelet that waits for its certificate
/// answers every hello by the latter.
const TROUBLE: [u8; 2] = [0, 80];

/// What the port speaks, as far as hellos tell.
#[derive(Debug, Default)]
pub(super) struct Offers {
    /// `tls`, `http`, `ssh`, or why nothing was recognised.
    pub speaks: Option<Result<&'static str, Reason>>,
    /// Versions of TLS.
    pub versions: Listing<TlsOffer>,
    /// Suites that were accepted.
    pub suites: Listing<TlsOffer>,
    /// Numbers of the versions that were accepted.
    pub accepted: Vec<Version>,
    /// What could not be read.
    pub unread: Vec<Unread>,
}

/// What came of one hello.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// It was taken, with this suite.
    Taken(u16),
    /// It was refused by an alert, or answered with another version.
    Refused,
    /// It was answered by an alert that says neither.
    Trouble,
    /// The connection ended without a word: refused, or trouble, or somebody on the way.
    Hung,
    /// Other words than TLS: `http`, `ssh`.
    Words(&'static str),
    /// It was not answered, or in no way that is understood.
    Lost(Reason),
}

/// Tries all versions, then with each that was accepted all suites. `first`: a connection that stands already.
pub(super) async fn ask(peer: &Peer<'_>, first: TcpStream, limits: &EndpointLimits, until: Instant) -> Offers {
    let mut all = Offers::default();
    let mut first = Some(first);
    let mut outcomes = Vec::new();
    for version in Version::ALL {
        let suites = for_version(version);
        let outcome = twice(peer, version, &suites, &mut first, limits, until).await;
        match outcome {
            Outcome::Words(words) => {
                all.speaks = Some(Ok(words));
                return all;
            }
            // A server that does not answer one hello is not asked for more: each would cost the same time.
            Outcome::Lost(reason) if !outcomes.iter().any(|(_, seen)| speaks_tls(*seen)) => {
                all.speaks = Some(Err(reason));
                return all;
            }
            _ => outcomes.push((version, outcome)),
        }
    }
    let tls = outcomes.iter().any(|(_, outcome)| speaks_tls(*outcome));
    all.speaks = Some(if tls { Ok("tls") } else { Err(Reason::Malformed) });
    if !tls {
        return all;
    }
    // The oldest first, as people list them.
    outcomes.reverse();
    all.versions = Listing::whole(outcomes.iter().map(|(version, outcome)| offer(*version, *outcome)).collect());
    if let Some(reason) = outcomes.iter().find_map(|(_, outcome)| unanswered(*outcome)) {
        all.unread.push(gap(
            "tls.suites",
            reason,
            "a version of TLS was not answered for, so its suites are not known",
        ));
    }
    let mut whole = all.unread.is_empty();
    let mut items = Vec::new();
    for (version, outcome) in &outcomes {
        let Outcome::Taken(suite) = outcome else { continue };
        all.accepted.push(*version);
        if let Err(reason) = suites(peer, *version, *suite, &mut items, limits, until).await {
            whole = false;
            all.unread.push(gap("tls.suites", reason, "not all suites could be tried"));
        }
    }
    if whole && all.accepted.is_empty() {
        whole = false;
        let why = "the server speaks TLS and takes no hello that this program can say";
        all.unread.push(gap("tls.suites", Reason::Unsupported, why));
    }
    all.suites = Listing { items, complete: whole };
    all
}

fn speaks_tls(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Taken(_) | Outcome::Refused | Outcome::Trouble)
}

/// Why it is not known whether a hello would be taken.
fn unanswered(outcome: Outcome) -> Option<Reason> {
    match outcome {
        Outcome::Taken(_) | Outcome::Refused => None,
        Outcome::Lost(reason) => Some(reason),
        Outcome::Trouble | Outcome::Hung | Outcome::Words(_) => Some(Reason::Malformed),
    }
}

fn gap(path: &str, reason: Reason, detail: &str) -> Unread {
    Unread { path: path.to_owned(), reason, detail: detail.to_owned() }
}

/// A version in the evidence.
fn offer(version: Version, outcome: Outcome) -> TlsOffer {
    let unread = unanswered(outcome);
    let accepted = if unread.is_some() { Fact::Unread } else { Fact::Known(matches!(outcome, Outcome::Taken(_))) };
    TlsOffer { name: version.name().to_owned(), version: String::new(), accepted, unread }
}

fn for_version(version: Version) -> Vec<u16> {
    let all = SUITES.iter().map(|(number, _)| *number);
    all.filter(|number| suites::of_tls13(*number) == (version == Version::V13)).collect()
}

/// Takes suites from what is offered, one by one as the server picks them, until it picks none. `first` it picked already.
async fn suites(
    peer: &Peer<'_>,
    version: Version,
    first: u16,
    found: &mut Vec<TlsOffer>,
    limits: &EndpointLimits,
    until: Instant,
) -> Result<(), Reason> {
    let mut left = for_version(version);
    let mut picked = first;
    for _ in 0..ROUNDS {
        // A server that picks what was not offered is none that can be believed.
        let place = left.iter().position(|number| *number == picked).ok_or(Reason::Malformed)?;
        left.remove(place);
        let name = suites::name(picked).unwrap_or_default().to_owned();
        let version_name = version.name().to_owned();
        found.push(TlsOffer { name, version: version_name, accepted: Fact::Known(true), unread: None });
        if left.is_empty() {
            return Ok(());
        }
        match twice(peer, version, &left, &mut None, limits, until).await {
            Outcome::Taken(suite) => picked = suite,
            Outcome::Refused => return Ok(()),
            outcome => return Err(unanswered(outcome).unwrap_or(Reason::Malformed)),
        }
    }
    Err(Reason::TooLarge)
}

/// One hello; a second one where the first came to nothing, which may have been an accident.
async fn twice(
    peer: &Peer<'_>,
    version: Version,
    suites: &[u16],
    standing: &mut Option<TcpStream>,
    limits: &EndpointLimits,
    until: Instant,
) -> Outcome {
    match once(peer, version, suites, standing.take(), limits, until).await {
        Outcome::Hung | Outcome::Trouble => once(peer, version, suites, None, limits, until).await,
        outcome => outcome,
    }
}

async fn once(
    peer: &Peer<'_>,
    version: Version,
    suites: &[u16],
    standing: Option<TcpStream>,
    limits: &EndpointLimits,
    until: Instant,
) -> Outcome {
    let stream = match standing {
        Some(stream) => stream,
        None => match peer.connect(limits, until).await {
            Ok(stream) => stream,
            Err(reason) => return Outcome::Lost(reason),
        },
    };
    let Some(hello) = client_hello(version, suites, peer.host) else { return Outcome::Lost(Reason::NotVisible) };
    let until = (Instant::now() + limits.answer).min(until);
    if !connect::write(&stream, &hello, until).await {
        return if Instant::now() >= until { Outcome::Lost(Reason::Timeout) } else { Outcome::Hung };
    }
    let mut hearing = Hearing::new(version);
    let mut buffer = [0; 4096];
    let mut total = 0;
    loop {
        match connect::read(&stream, &mut buffer, until).await {
            Heard::Bytes(count) => {
                if let Some(reply) = hearing.hear(buffer.get(..count).unwrap_or_default()) {
                    return outcome(version, reply);
                }
                total += count;
                if total > ANSWER {
                    return Outcome::Lost(Reason::TooLarge);
                }
            }
            Heard::End => return Outcome::Hung,
            Heard::Late => return Outcome::Lost(Reason::Timeout),
        }
    }
}

fn outcome(asked: Version, reply: Reply) -> Outcome {
    match reply {
        Reply::Chosen { version, suite } if version == asked.number() => Outcome::Taken(suite),
        Reply::Chosen { .. } => Outcome::Refused,
        Reply::Alert(kind) if TROUBLE.contains(&kind) => Outcome::Trouble,
        Reply::Alert(_) => Outcome::Refused,
        Reply::Http => Outcome::Words("http"),
        Reply::Ssh => Outcome::Words("ssh"),
        Reply::Other => Outcome::Lost(Reason::Malformed),
    }
}
