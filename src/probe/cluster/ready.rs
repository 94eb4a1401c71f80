//! `/readyz?verbose`: one line a check.

use super::draft::Draft;
use crate::evidence::Reason;
use crate::evidence::cluster::ReadyCheck;
use crate::kubeapi::Api;
use crate::probe::text;

/// Checks that are kept; an API server has some forty.
const CHECKS: usize = 512;

/// Path in the evidence.
const PATH: &str = "ready_checks";

/// The checks of an answer, and whether it came to its end.
pub(super) fn parse(body: &str) -> (Vec<ReadyCheck>, bool) {
    let mut checks = Vec::new();
    let mut whole = false;
    for line in body.lines() {
        let line = line.trim();
        let check = line.strip_prefix("[+]").map(|rest| (rest, true));
        let check = check.or_else(|| line.strip_prefix("[-]").map(|rest| (rest, false)));
        if let Some((rest, ok)) = check {
            if checks.len() == CHECKS {
                return (checks, false);
            }
            let name = rest.split(' ').next().unwrap_or_default();
            // `[+]NAME excluded: ok` was not checked.
            if !name.is_empty() && name.len() <= 256 && !rest.contains("excluded") {
                checks.push(ReadyCheck { name: text::marked(name), ok });
            }
        }
        // The last line sums up: `readyz check passed`, `readyz check failed`.
        whole = whole || (line.starts_with("readyz check ") || line.starts_with("healthz check "));
    }
    (checks, whole)
}

/// Asks for the checks. The status is 500 where one of them fails, with the same lines.
pub(super) async fn read(api: &Api, draft: &Draft) {
    match api.text("/readyz?verbose").await {
        Ok((200 | 500, body)) => {
            let (checks, whole) = parse(&body);
            if !whole {
                draft.note(PATH, Reason::Malformed, "the answer of /readyz?verbose is not such a list of checks");
            }
            draft.write(|evidence| evidence.ready_checks.items = checks);
        }
        Ok((401 | 403, _)) => draft.note(PATH, Reason::Forbidden, "this account may not get /readyz"),
        Ok((status, _)) => {
            draft.note(PATH, Reason::Malformed, format!("/readyz?verbose answered with HTTP status {status}"));
        }
        Err(error) => draft.note(PATH, error.reason, error.message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn checks_of_a_healthy_and_of_a_failing_server() {
        let (checks, whole) = parse(include_str!("../../../tests/samples/cluster/readyz.txt"));
        assert!(whole && checks.len() > 30 && checks.iter().all(|check| check.ok));
        assert!(checks.iter().any(|check| check.name == "poststarthook/rbac/bootstrap-roles"));
        let (checks, whole) =
            parse("[+]ping ok\n[-]etcd failed: reason withheld\n[+]log excluded: ok\nreadyz check failed\n");
        let seen: Vec<(&str, bool)> = checks.iter().map(|check| (check.name.as_str(), check.ok)).collect();
        assert_eq!(seen, [("ping", true), ("etcd", false)]);
        assert!(whole);
    }

    #[test]
    fn a_cut_or_foreign_answer_is_not_whole() {
        assert!(!parse("[+]ping ok\n[+]et").1);
        assert!(!parse("<html>login</html>").1);
        assert_eq!(parse(&"[+]a ok\n".repeat(10_000)).0.len(), CHECKS);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(body in "(?s)(\\[[+-]\\]|.){0,60}") {
            let (checks, _) = parse(&body);
            prop_assert!(checks.len() <= CHECKS);
        }
    }
}
