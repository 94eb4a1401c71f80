//! What lies over the screens: questions of workers, trouble.

use super::pen::Pen;
use super::question_fits;
use crate::channel::{Purpose, Question};
use crate::tui::app::{App, Asked};
use crate::tui::text::{fit, wrap};
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Something went wrong and has to be read.
pub(super) fn trouble(pen: &mut Pen<'_>, app: &App, body: Rect) {
    let sentence = app.trouble.as_deref().unwrap_or_default();
    let lines = wrap(sentence, usize::from(width(body).saturating_sub(4)));
    paint(pen, "Something went wrong", &lines, None, body);
}

/// A question of a worker.
pub(super) fn question(pen: &mut Pen<'_>, app: &App, body: Rect) {
    let Some(asked) = app.asked.front() else { return };
    let room = usize::from(width(body).saturating_sub(4));
    let (title, told, advice, input) = words(asked, room);
    if !question_fits(app.size) {
        let lines = wrap(&format!("{title}. Make the terminal at least 40x12 to answer. Esc: no."), room);
        paint(pen, title, &lines, None, body);
        return;
    }
    let mut lines: Vec<String> = told.iter().flat_map(|text| wrap(text, room)).collect();
    // Advice only where nothing that has to be read is lost by it.
    let waiting = app.asked.len().saturating_sub(1);
    let mut advised: Vec<String> = vec![String::new()];
    advised.extend(wrap(advice, room));
    if waiting > 0 {
        advised.push(format!("Questions that wait behind this one: {waiting}"));
    }
    advised.push(String::new());
    if lines.len() + advised.len() + 3 <= usize::from(body.height) {
        lines.extend(advised);
    }
    paint(pen, title, &lines, Some(&input), body);
}

/// May `az` be run? The commands stand in full on the page below; here, as many of their words as there is room for.
pub(super) fn azure(pen: &mut Pen<'_>, app: &App, body: Rect) {
    let Some(consent) = &app.consent else { return };
    let room = usize::from(width(body).saturating_sub(4));
    let title = "Ask Azure?";
    if !question_fits(app.size) {
        let lines = wrap(&format!("{title} Make the terminal at least 40x12 to answer. Esc: no."), room);
        paint(pen, title, &lines, None, body);
        return;
    }
    let mut lines = wrap("az would run here, as you are logged in to it. It only reads:", room);
    let whole: Vec<String> = consent.commands.iter().flat_map(|command| wrap(command, room)).collect();
    if lines.len() + whole.len() + 3 <= usize::from(body.height) {
        lines.extend(whole);
    } else {
        lines.extend(consent.commands.iter().map(|command| fit(command, room).into_owned()));
    }
    let ask = consent.hint.unwrap_or("Type yes, or press Esc for no:");
    paint(pen, title, &lines, Some(&format!("{ask} {}_", consent.typed)), body);
}

/// Advice where a secret is typed.
const UNSEEN: &str = "What you type is not shown, not stored and not logged.";

/// Title, what must be read, advice, and the line that is typed in.
fn words(asked: &Asked, room: usize) -> (&'static str, Vec<String>, &'static str, String) {
    match &asked.question {
        Question::HostKey { node, host, kind, fingerprint, others } => {
            let bare = |name: &str| name.replace(['[', ']'], "");
            let at = if bare(node) == bare(host) { node.clone() } else { format!("{node} at {host}") };
            // However long a name is, the fingerprint stays on the smallest screen that is answered on.
            let mut told = vec![fit(&format!("Node: {at}"), room).into_owned()];
            if others.is_empty() {
                told.push("Its key is in no known_hosts file:".to_owned());
            }
            told.extend([format!("  {kind}"), format!("  {fingerprint}")]);
            told.push(match others.is_empty() {
                true => "Accept and remember it?".to_owned(),
                false => format!("WARNING: known so far by another key ({}).", others.join(", ")),
            });
            let advice = match others.is_empty() {
                true => {
                    "Compare it with what the node's own console says: \
                     for k in /etc/ssh/ssh_host_*.pub; do ssh-keygen -lf $k; done"
                }
                false => {
                    "Somebody between here and the node would look like this. Say no unless you know why the node has \
                     another key now, and its own console shows this one."
                }
            };
            let ask = asked.hint.unwrap_or("Type yes, or press Esc for no:");
            ("Unknown host key", told, advice, format!("{ask} {}_", asked.typed.as_str()))
        }
        Question::Passphrase { node, file, again } => {
            let mut told = vec![format!("The key file {file} for {node} is encrypted.")];
            if *again {
                told.push("That passphrase was wrong.".to_owned());
            }
            let ask = asked.hint.unwrap_or("Passphrase (not shown):");
            ("Passphrase", told, UNSEEN, format!("{ask} _"))
        }
        Question::Password { node, user, again } => {
            let mut told = vec![format!("The node {node} takes a password to log in as {user}.")];
            if *again {
                told.push("It refused that password.".to_owned());
            }
            let ask = asked.hint.unwrap_or("Password (not shown):");
            ("Password", told, UNSEEN, format!("{ask} _"))
        }
        Question::SudoPassword { node, user, again } => {
            let mut told = vec![format!("On node {node}, sudo asks for the password of {user}.")];
            if *again {
                told.push("It refused that password. A few wrong ones may lock the account.".to_owned());
            }
            let advice = "Without it the node is read as far as the login sees. What you type goes to sudo alone; it is \
                          not shown, not stored and not logged.";
            let ask = asked.hint.unwrap_or("Password (not shown):");
            ("Password for sudo", told, advice, format!("{ask} _"))
        }
        Question::Prompt { node, user, text, echo, again } => {
            let mut told = vec![format!("The node {node} asks {user}:"), format!("  {text}")];
            if *again {
                told.push("It refused that answer.".to_owned());
            }
            let (advice, typed) = match echo {
                true => ("These are the node's own words. What you type is shown.", asked.typed.as_str()),
                false => ("These are the node's own words. What you type is not shown.", ""),
            };
            let ask = asked.hint.unwrap_or("Answer:");
            ("A question of the node", told, advice, format!("{ask} {typed}_"))
        }
        Question::Code { node, at, seconds, again } => {
            let mut told = vec![format!("The node {node} shows a code of six digits at its console:")];
            told.push(fit(&format!("  {}", at.join(", ")), room).into_owned());
            if *again {
                told.push("That was not the code.".to_owned());
            }
            told.push(format!("Without it the node puts the old state back, {seconds} seconds after this was asked."));
            let advice = "Only who stands at the console sees it. So it shows that there is another way in than SSH.";
            let ask = asked.hint.unwrap_or("Code:");
            ("The code at the console", told, advice, format!("{ask} {}_", asked.typed.as_str()))
        }
        Question::Reuse { purpose, user, at, others } => {
            let what = match purpose {
                Purpose::Login => "to log in as",
                Purpose::Sudo => "for sudo as",
            };
            let told = match at {
                None => vec![
                    format!("The password {what} {user} was right."),
                    format!("Use it for the other {others} nodes too, where they ask for one?"),
                ],
                Some(at) => vec![
                    format!("The password of {user} at jump host {at} was right."),
                    format!("Use it there too on the way to the other {others} nodes?"),
                ],
            };
            let advice = "No, and each node asks by itself. A node that is not what it seems would learn the password.";
            let ask = asked.hint.unwrap_or("Type yes, or press Esc for no:");
            ("The same password?", told, advice, format!("{ask} {}_", asked.typed.as_str()))
        }
    }
}

pub(super) fn width(body: Rect) -> u16 {
    body.width.min(72)
}

/// A box in the middle, as high as it must be; its last line is the one that is typed in.
pub(super) fn paint(pen: &mut Pen<'_>, title: &str, lines: &[String], input: Option<&str>, body: Rect) {
    let wanted = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2 + u16::from(input.is_some()));
    let height = wanted.min(body.height);
    let width = width(body);
    let area = Rect { x: body.x + (body.width - width) / 2, y: body.y + (body.height - height) / 2, width, height };
    pen.frame(area, title);
    let inner = Rect { x: area.x + 2, y: area.y + 1, width: width.saturating_sub(4), height: height.saturating_sub(2) };
    let text_rows = inner.height.saturating_sub(u16::from(input.is_some()));
    for (line, y) in lines.iter().zip(inner.y..inner.y + text_rows) {
        pen.text(inner.x, y, inner.width, line, Style::new());
    }
    if let Some(input) = input {
        pen.text(inner.x, inner.y + text_rows, inner.width, input, pen.theme.heading());
    }
}
