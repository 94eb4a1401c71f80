//! The filter of a list of controls: plain words, `!` for not, and `state:`, `sev:`, `node:`, `at:`.

use crate::assess::Verdict;
use crate::catalog::Severity;

/// A filter as it was typed, taken apart. All terms must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Filter {
    terms: Vec<Term>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    not: bool,
    what: What,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Word,
    State,
    Severity,
    Node,
    Target,
}

impl Filter {
    /// Reads what was typed: terms with spaces between them. A key without a value yet (`state:`) holds for all.
    pub(super) fn parse(typed: &str) -> Self {
        let terms = typed.split_whitespace().filter_map(|word| {
            let (not, word) = match word.strip_prefix('!') {
                Some(rest) => (true, rest),
                None => (false, word),
            };
            let lower = word.to_lowercase();
            let (what, text) = match lower.split_once(':') {
                Some(("state", value)) => (What::State, value),
                Some(("sev", value)) => (What::Severity, value),
                Some(("node", value)) => (What::Node, value),
                Some(("at", value)) => (What::Target, value),
                _ => (What::Word, lower.as_str()),
            };
            (!text.is_empty()).then(|| Term { not, what, text: text.to_owned() })
        });
        Filter { terms: terms.collect() }
    }

    fn all(&self, what: What, holds: impl Fn(&str) -> bool) -> bool {
        self.terms.iter().filter(|term| term.what == what).all(|term| holds(&term.text) != term.not)
    }

    /// Whether findings at this target (`node/NAME`, `cluster`) are looked at. `at:` takes a kind of target, else a part
    /// of its name.
    pub(super) fn target(&self, target: &str) -> bool {
        let target = target.to_lowercase();
        let (kind, name) = target.split_once('/').unwrap_or((&target, ""));
        let kinds = ["site", "cluster", "node", "endpoint"];
        self.all(What::Node, |text| kind == "node" && name.contains(text))
            && self.all(What::Target, |text| if kinds.contains(&text) { kind == text } else { target.contains(text) })
    }

    /// Whether a row of the list is shown: by its verdict (beginnings do: `state:unk`), its severity, and the words
    /// that occur in `text`.
    pub(super) fn row(&self, verdict: Verdict, severity: Severity, text: &str) -> bool {
        let words = text.to_lowercase();
        self.all(What::State, |wanted| verdict.as_str().starts_with(wanted) || super::views::short(verdict) == wanted)
            && self.all(What::Severity, |wanted| severity.as_str().starts_with(wanted))
            && self.all(What::Word, |wanted| words.contains(wanted))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn row(typed: &str) -> bool {
        Filter::parse(typed).row(Verdict::Fail, Severity::High, "sshd-root-login Root may not log in by password")
    }

    #[test]
    fn words_are_plain_substrings_and_all_must_hold() {
        assert!(row("") && row("ROOT") && row("root pass") && row("log in"));
        assert!(!row("root kubelet") && !row("r.ot"));
    }

    #[test]
    fn an_exclamation_mark_turns_a_term_round() {
        assert!(row("!kubelet") && !row("!root") && row("!state:pass") && !row("!sev:high"));
        assert!(row("!"), "nothing was said yet");
    }

    #[test]
    fn states_and_severities_by_their_beginning() {
        assert!(row("state:fail") && row("state:f") && row("state:") && row("sev:high state:fail"));
        assert!(!row("state:pass") && !row("sev:crit") && !row("state:nonsense"));
        assert!(Filter::parse("state:n/a").row(Verdict::NotApplicable, Severity::Low, ""));
    }

    #[test]
    fn nodes_narrow_the_targets() {
        let filter = Filter::parse("node:Edge2 root");
        assert!(filter.target("node/edge2") && !filter.target("node/edge1"));
        assert!(!Filter::parse("!node:edge2").target("node/edge2"));
        assert!(Filter::parse("root").target("node/edge1"));
        assert!(!Filter::parse("node:c").target("cluster"));
    }

    #[test]
    fn targets_by_their_kind_or_a_part_of_their_name() {
        let at = |typed: &str, target: &str| Filter::parse(typed).target(target);
        assert!(at("at:cluster", "cluster") && !at("at:cluster", "node/cluster-1") && !at("at:cluster", "site"));
        assert!(at("at:endpoint", "endpoint/10.0.0.4:6443") && !at("at:endpoint", "node/a"));
        assert!(at("at::6443", "endpoint/10.0.0.4:6443") && !at("at::6443", "endpoint/10.0.0.4:22"));
        assert!(at("at:node", "node/a") && !at("!at:node", "node/a") && at("at:", "site"));
    }
}
