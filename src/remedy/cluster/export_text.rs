//! The change of a text in a ConfigMap, in the lines of a script. It carries the lines that change and no others: what stands
//! around them may hold a secret that nobody asked for.

use super::act::Act;
use super::show::text_of;
use crate::remedy::words::{quoted, sha256};
use similar::{DiffTag, TextDiff};
use std::fmt::Write as _;

/// Writes the lines that change the text of an act. `kubectl`: how it is called. `copy`: the name of the copies in `$KEEP`. Gives
/// the line that puts the old text back. None where there is no such text, or lines could not do it exactly.
pub(super) fn change(
    script: &mut String,
    kubectl: &str,
    act: &Act,
    key: &str,
    new: &str,
    copy: usize,
) -> Option<String> {
    let was = text_of(act.before.as_ref()?, key)?;
    if was.contains('\r') || new.contains('\r') || !was.ends_with('\n') || !new.ends_with('\n') {
        return None;
    }
    let namespace = act.place.namespace.as_ref().map_or_else(String::new, |name| format!(" -n {}", quoted(name)));
    let name = quoted(&act.place.name);
    let template = quoted(&format!("{{{{index .data \"{key}\"}}}}"));
    let (old, made, patch) =
        (format!("\"$KEEP/{copy}.was\""), format!("\"$KEEP/{copy}.new\""), format!("\"$KEEP/{copy}.patch\""));
    let _ = writeln!(script, "{kubectl}{namespace} get configmap {name} -o go-template={template} >{old} || failed");
    let _ = writeln!(script, "{{");
    let parts: Vec<&str> = new.split_inclusive('\n').collect();
    let diff = TextDiff::from_lines(was, new);
    for op in diff.ops() {
        let (lines, old_range) = (op.new_range(), op.old_range());
        if op.tag() == DiffTag::Equal {
            let _ = writeln!(script, "sed -n '{},{}p' {old}", old_range.start + 1, old_range.end);
            continue;
        }
        let lines: String = parts.get(lines)?.concat();
        if lines.is_empty() {
            continue;
        }
        let mut end = String::from("END");
        while lines.lines().any(|line| line == end) {
            end.push('_');
        }
        let _ = writeln!(script, "cat <<'{end}'\n{lines}{end}");
    }
    let _ = writeln!(script, "}} >{made} || failed");
    let _ = writeln!(
        script,
        "[ \"$(sha256sum <{made} | cut -d' ' -f1)\" = {} ] || {{ echo 'The new text was not made exactly' >&2; failed; }}",
        sha256(new.as_bytes())
    );
    let by_file = |file: &str| {
        let from = quoted(&format!("--from-file={key}="));
        format!(
            "{kubectl}{namespace} create configmap {name} {from}{file} --dry-run=client -o yaml >{patch} && \
             {kubectl}{namespace} patch configmap {name} --type=merge --patch-file {patch}"
        )
    };
    let _ = writeln!(script, "{{ {}; }} || failed", by_file(&made));
    Some(by_file(&old))
}
