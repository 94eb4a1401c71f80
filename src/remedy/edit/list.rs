//! A list of texts made into another one, item by item, so that what stays is not touched.

use super::error::Trouble;
use super::scalar::{Around, text_written};
use super::splice::{Splices, line_end};
use super::tree::{Document, Item, Kind, Node, Style};

/// The items of a list of texts.
pub(super) fn texts(document: &Document<'_>, seq: &Node) -> Result<Vec<String>, Trouble> {
    match &seq.kind {
        Kind::Seq(_, items) => items.iter().map(|item| document.scalar(&item.value)).collect(),
        _ => Err(Trouble::at(document.line(seq.start), format!("{} stands where a list should", seq.called()))),
    }
}

/// What happens to the old items, in order.
enum Step {
    Keep,
    /// Another text in the place of an old one.
    Swap(String),
    Drop,
    /// A new one behind what came before.
    Add(String),
}

fn steps(old: &[String], new: &[String]) -> Vec<Step> {
    let mut steps = Vec::new();
    let (mut at, mut waiting): (usize, Vec<String>) = (0, Vec::new());
    let between = |dropped: usize, waiting: &mut Vec<String>, steps: &mut Vec<Step>| {
        let mut added = waiting.drain(..);
        for _ in 0..dropped {
            steps.push(added.next().map_or(Step::Drop, Step::Swap));
        }
        steps.extend(added.map(Step::Add));
    };
    for item in new {
        match old.get(at..).and_then(|rest| rest.iter().position(|one| one == item)) {
            Some(skipped) => {
                between(skipped, &mut waiting, &mut steps);
                steps.push(Step::Keep);
                at += skipped + 1;
            }
            None => waiting.push(item.clone()),
        }
    }
    between(old.len().saturating_sub(at), &mut waiting, &mut steps);
    steps
}

/// Makes the list say `new`; there must be something in it before and afterwards.
pub(super) fn rewrite(
    document: &Document<'_>,
    seq: &Node,
    new: &[String],
    splices: &mut Splices,
) -> Result<(), Trouble> {
    let old = texts(document, seq)?;
    let Kind::Seq(style, items) = &seq.kind else { return Ok(()) };
    let steps = steps(&old, new);
    match style {
        Style::Block(indent) => block(document, items, *indent, steps, splices),
        Style::Flow => {
            flow(document, seq, items, steps, splices);
            Ok(())
        }
    }
}

fn block(
    document: &Document<'_>,
    items: &[Item],
    indent: usize,
    steps: Vec<Step>,
    splices: &mut Splices,
) -> Result<(), Trouble> {
    let eol = line_end(document.text);
    let line = |text: &str| format!("{}- {}", " ".repeat(indent), text_written(text, None, Around::Block));
    let mut left = items.iter();
    // The last item that stays; new ones stand behind it.
    let mut last: Option<&Item> = None;
    for step in steps {
        match step {
            Step::Add(text) => match last {
                Some(item) => {
                    splices.insert(document.lines.end(item.value.end - 1), format!("{eol}{}", line(&text)));
                }
                None => {
                    let Some(first) = items.first() else { continue };
                    own_line(document, first)?;
                    splices.insert(document.lines.start(first.dash), format!("{}{eol}", line(&text)));
                }
            },
            Step::Drop => {
                let Some(item) = left.next() else { continue };
                own_line(document, item)?;
                let (start, end) = document.lines.whole(item.dash, item.value.end - 1);
                splices.replace(start, end, "");
            }
            Step::Keep => last = left.next(),
            Step::Swap(text) => {
                let Some(item) = left.next() else { continue };
                splices.replace(item.value.start, item.value.end, swapped(item, &text, Around::Block));
                last = Some(item);
            }
        }
    }
    Ok(())
}

fn swapped(item: &Item, text: &str, around: Around) -> String {
    let quote = match item.value.kind {
        Kind::Scalar(quote) => quote,
        _ => None,
    };
    text_written(text, quote, around)
}

fn own_line(document: &Document<'_>, item: &Item) -> Result<(), Trouble> {
    let before = document.text.get(document.lines.start(item.dash)..item.dash).unwrap_or_default();
    if before.trim_matches(' ').is_empty() {
        return Ok(());
    }
    Err(Trouble::at(document.line(item.dash), "the list does not begin on a line of its own"))
}

/// Brackets are written anew, with the separator that they had.
fn flow(document: &Document<'_>, seq: &Node, items: &[Item], steps: Vec<Step>, splices: &mut Splices) {
    let around = if document.is_json() { Around::Json } else { Around::Flow };
    let (Some(first), Some(last)) = (items.first(), items.last()) else { return };
    let text = |from: usize, to: usize| document.text.get(from..to).unwrap_or_default();
    let head = text(seq.start + 1, first.dash);
    let separator = match items.get(1) {
        Some(second) => text(first.value.end, second.dash).to_owned(),
        None if head.contains('\n') => format!(",{head}"),
        None => ", ".to_owned(),
    };
    let mut left = items.iter();
    let mut written: Vec<String> = Vec::new();
    for step in steps {
        match step {
            Step::Add(text) => written.push(text_written(&text, None, around)),
            Step::Drop => {
                left.next();
            }
            Step::Keep => written.extend(left.next().map(|item| document.raw(&item.value).to_owned())),
            Step::Swap(text) => written.extend(left.next().map(|item| swapped(item, &text, around))),
        }
    }
    splices.replace(first.dash, last.value.end, written.join(&separator));
}
