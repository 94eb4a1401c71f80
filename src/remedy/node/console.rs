//! A code at a node's console.

use super::{Node, Stands, script};
use crate::remedy::Refusal;

impl Node<'_> {
    /// Shows a code (digits) to whoever stands at the node, and to nobody who is logged in. Gives where it was shown: names
    /// of devices, none where the node has no console. `Err` inside: the entry waits no more.
    pub(crate) fn show_code(&mut self, entry: &str, code: &str) -> Result<Result<Vec<String>, Stands>, Refusal> {
        let said = self.ask_node(&script::show_code(entry, code))?;
        let word = said.end().map_or("", |end| end.word(1));
        if let Some(stands) = word.strip_prefix("lost-to-") {
            return Ok(Err(Stands::of(stands, "")));
        }
        let shown = said.lines.iter().filter(|line| line.about() == "shown");
        Ok(Ok(shown.map(|line| line.text(1).chars().filter(|c| !c.is_control()).take(60).collect()).collect()))
    }
}
