//! Real answers of nodes, cut short or with one record damaged: nothing that was not read becomes a pass.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use sitewarden::assess::{Verdict, assess};
use sitewarden::catalog::Catalog;
use sitewarden::channel::{Channel, ChannelError, Limits, Output, Talk};
use sitewarden::evidence::{ChannelKind, Evidence, Lifecycle, NodeEvidence, Policy, Profile, Reason};
use sitewarden::probe::node::collect;
use std::collections::BTreeMap;

const NONCE: &str = "00112233445566778899aabbccddeeff";
const SAMPLES: [&[u8]; 3] = [
    include_bytes!("samples/node/control-plane-sudo.txt"),
    include_bytes!("samples/node/plain-sudo.txt"),
    include_bytes!("samples/node/control-plane-guest.txt"),
];

/// A node that gives a recorded answer.
struct Replay {
    answer: Vec<u8>,
    cut: Option<Reason>,
}

impl Channel for Replay {
    fn kind(&self) -> ChannelKind {
        ChannelKind::Ssh
    }

    fn converse(&mut self, command: &str, _: &mut dyn Talk, _: &Limits) -> Result<Output, ChannelError> {
        let hex = |word: &&str| word.len() == 32 && word.chars().all(|c| c.is_ascii_hexdigit());
        let words = command.split(|c: char| !c.is_ascii_alphanumeric());
        let nonce = words.into_iter().find(hex).expect("the command names the nonce").to_owned();
        let text = String::from_utf8_lossy(&self.answer).replace(NONCE, &nonce);
        Ok(Output { stdout: text.into_bytes(), cut: self.cut, status: Some(0), ..Output::default() })
    }
}

struct Judge {
    catalog: Catalog,
    lifecycle: Lifecycle,
    policy: Policy,
}

type Verdicts = BTreeMap<String, (Verdict, String)>;

impl Judge {
    fn new() -> Self {
        let policy = Policy { profile: Profile::Cis, ..Policy::default() };
        Judge { catalog: Catalog::embedded().unwrap(), lifecycle: Lifecycle::embedded().unwrap(), policy }
    }

    fn verdicts(&self, answer: Vec<u8>, cut: Option<Reason>) -> Verdicts {
        let node: NodeEvidence = collect(&mut Replay { answer, cut }, "n", None, &Limits::default());
        let mut evidence: Evidence = serde_json::from_str(EMPTY).unwrap();
        evidence.nodes = vec![node];
        let now = "2026-11-23T00:00:00Z".parse().unwrap();
        let found = assess(&evidence, &self.catalog, &self.lifecycle, &self.policy, now);
        found.findings.into_iter().map(|finding| (finding.control, (finding.verdict, finding.message))).collect()
    }

    /// Every control of which a damaged answer says a pass or a not-applicable that the whole one does not.
    fn new_certainties(&self, whole: &Verdicts, damaged: Vec<u8>, cut: Option<Reason>, what: &str) -> Vec<String> {
        let mut wrong = Vec::new();
        for (control, (verdict, message)) in self.verdicts(damaged, cut) {
            let before = whole[&control].0;
            if matches!(verdict, Verdict::Pass | Verdict::NotApplicable) && verdict != before {
                wrong.push(format!("{what}: {control} was {before:?}, is {verdict:?}: {message}"));
            }
        }
        wrong
    }
}

const EMPTY: &str = r#"{"schema": "sitewarden.evidence/v1", "tool": {"name": "sitewarden", "version": "0"}, "seat": {"host": "h", "user": "u"},
    "started": "2026-11-23T00:00:00Z", "finished": "2026-11-23T00:00:00Z"}"#;

/// Where each record stands: start of its mark, start of its body, its end.
fn records(sample: &[u8]) -> Vec<(String, usize, usize, usize)> {
    let text = std::str::from_utf8(sample).unwrap();
    let mut found = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let line = text[at..].lines().next().unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        let body = at + line.len() + 1;
        match words.as_slice() {
            ["@", _, key, _, _, len] => {
                let end = body + len.parse::<usize>().unwrap() + 1;
                found.push(((*key).to_owned(), at, body, end));
                at = end;
            }
            _ => at = body,
        }
    }
    found
}

fn renumbered(sample: &[u8], count: usize, fewer: usize) -> Vec<u8> {
    let text = String::from_utf8(sample.to_vec()).unwrap();
    text.replace(&format!("@ {NONCE} END {count}"), &format!("@ {NONCE} END {}", count - fewer)).into_bytes()
}

#[test]
fn an_answer_cut_anywhere_makes_no_new_pass() {
    let judge = Judge::new();
    let mut wrong = Vec::new();
    for sample in SAMPLES {
        let whole = judge.verdicts(sample.to_vec(), None);
        let mut places: Vec<usize> =
            records(sample).iter().flat_map(|(_, mark, body, end)| [*mark, *body, (body + end) / 2, end - 1]).collect();
        places.extend((0..sample.len()).step_by(sample.len() / 20));
        for place in places {
            for cut in [Some(Reason::Timeout), None] {
                let what = format!("cut at {place} {cut:?}");
                wrong.extend(judge.new_certainties(&whole, sample[..place].to_vec(), cut, &what));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn a_record_that_is_missing_or_could_not_be_read_makes_no_new_pass() {
    let judge = Judge::new();
    let mut wrong = Vec::new();
    for sample in SAMPLES {
        let whole = judge.verdicts(sample.to_vec(), None);
        let all = records(sample);
        for (key, mark, _, end) in &all {
            let without = [&sample[..*mark], &sample[*end..]].concat();
            let told = format!("without {key}");
            wrong.extend(judge.new_certainties(&whole, renumbered(&without, all.len(), 1), None, &told));
            for flag in ["f", "t", "c", "u", "n", "r"] {
                if key == "keys" && flag == "u" {
                    continue; // a whole answer: no key at all, and no ssh-keygen to measure one with
                }
                let empty = format!("@ {NONCE} {key} 1 {flag} 0\n\n").into_bytes();
                let damaged = [&sample[..*mark], &empty, &sample[*end..]].concat();
                wrong.extend(judge.new_certainties(&whole, damaged, None, &format!("{key} as {flag}")));
            }
        }
    }
    assert_eq!(wrong, [""; 0]);
}
