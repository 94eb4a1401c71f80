//! `sitewarden undo --resume`: entries that have no end in the journal are looked at, and brought to one.

use super::error::CliError;
use super::plan;
use super::told::telling;
use super::tty::Person;
use super::undo::Run;
use super::{FAILED, GOOD};
use crate::remedy::{self, Answer, Found, Open, Prepared, Reach, Settle};
use crate::report::clean;
use crate::store::{Entry, Outcome, Store};
use crate::visit::{Visit, typed};
use std::io::Write;

fn open_entries(store: &Store) -> Result<Vec<Entry>, CliError> {
    let entries = store.entries().map_err(|error| CliError::Nothing(error.to_string()))?;
    Ok(entries.into_iter().filter(Entry::is_open).collect())
}

/// Where nothing was named: which entries there are, and what to name for each. 1 where there is one.
pub(super) fn list(store: &Store, visit: &Visit, out: &mut dyn Write) -> Result<u8, CliError> {
    let open = open_entries(store)?;
    if open.is_empty() {
        writeln!(out, "Every entry of the journal has its end.")?;
        return Ok(GOOD);
    }
    writeln!(out, "These have no end. Each is looked at where it was made; name that as it was named then.")?;
    for entry in open {
        writeln!(out, "{} of {}: {}", entry.id, clean(entry.target()), clean(entry.title()))?;
        let (name, given) = (to_name(entry.target(), &visit.seat.host), typed(&visit.given));
        writeln!(out, "  sitewarden undo --resume {}{}", clean(&name), clean(&given))?;
    }
    writeln!(
        out,
        "Beside it: the user (USER@ before the node), --site, --identity, --jump as they were then; and --allow-changes to bring it \
         to its end."
    )?;
    Ok(FAILED)
}

/// What the journal knows of the way to a target: its name.
fn to_name(target: &str, host: &str) -> String {
    match target.strip_prefix("node/") {
        Some(node) if node == host => "--local".to_owned(),
        Some(node) => {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]#".contains(c);
            format!("--node {}", node.chars().filter(|c| plain(*c)).collect::<String>())
        }
        None => "--context NAME".to_owned(),
    }
}

impl Run<'_> {
    /// Entries without an end: looks how they stand, and asks what to do.
    pub(super) fn resume(&mut self, out: &mut dyn Write) -> Result<u8, CliError> {
        let open = open_entries(&self.store)?;
        if open.is_empty() {
            writeln!(out, "Every entry of the journal has its end.")?;
            return Ok(GOOD);
        }
        let mut status = GOOD;
        for entry in open {
            if !self.resume_one(&entry, out)? {
                status = FAILED;
            }
        }
        Ok(status)
    }

    fn resume_one(&mut self, entry: &Entry, out: &mut dyn Write) -> Result<bool, CliError> {
        writeln!(out, "{} of {}: {}", entry.id, clean(entry.target()), clean(entry.title()))?;
        let node = entry.target().strip_prefix("node/");
        let reach = node.and_then(|name| self.reach(name));
        let found = match (node, &reach) {
            (None, _) => remedy::found_in_cluster(entry, &self.cluster_reach(), &self.store),
            (Some(_), Some(reach)) => remedy::found(entry, reach, self.memory.as_ref()),
            (Some(_), None) => {
                writeln!(out, "  its node was not named: {}", clean(&to_name(entry.target(), &self.visit.seat.host)))?;
                return Ok(false);
            }
        };
        match (found, &reach) {
            (Ok(Found::Ended(outcome, note)), _) => {
                writeln!(out, "  {}: {}", outcome.words(), clean(&note))?;
                if outcome == Outcome::Failed && node.is_none() {
                    writeln!(out, "  sitewarden undo {} takes that back", entry.id)?;
                }
                self.close(entry, outcome, &note, out)?;
                Ok(true)
            }
            (Ok(Found::Open(open)), Some(reach)) => self.settle(entry, reach, &open, out),
            (Ok(_), _) => {
                writeln!(out, "  it is still under way there: look again in a while")?;
                Ok(false)
            }
            (Err(refusal), _) => {
                writeln!(out, "  {}", clean(&refusal.0))?;
                Ok(false)
            }
        }
    }

    fn settle(&mut self, entry: &Entry, reach: &dyn Reach, open: &Open, out: &mut dyn Write) -> Result<bool, CliError> {
        writeln!(out, "  {}", clean(&open.words))?;
        if let Some(left) = open.left {
            writeln!(out, "  In {left} seconds the node puts the old state back by itself")?;
        }
        let way = |outcome| open.ways.iter().find(|way| way.ends() == Some(outcome));
        let (finish, back) = (way(Outcome::Done), way(Outcome::Reverted));
        for remark in finish.iter().flat_map(|finish| finish.remarks()) {
            writeln!(out, "  - {}", clean(&remark))?;
        }
        if let Some(back) = back {
            writeln!(out, "  The way back, as the node kept it:")?;
            // Nothing is scanned here afterwards.
            let all = back.steps();
            plan::show_steps(all.get(..all.len().saturating_sub(1)).unwrap_or(all), out)?;
        }
        if let Some(why) = &open.no_way_back {
            writeln!(out, "  {}", clean(why))?;
        }
        let Some(person) = self.who_decides(out)? else { return Ok(false) };
        let question = match (finish, back) {
            (Some(_), Some(_)) => {
                "  Type finish to confirm it, back to put the old state back; anything else does nothing: "
            }
            (Some(_), None) => "  Type finish to confirm it; anything else does nothing: ",
            (None, Some(_)) => "  Type back to put the old state back; anything else does nothing: ",
            (None, None) => return Ok(false),
        };
        let chosen = match person.types(question).as_str() {
            "finish" => finish,
            "back" => back,
            _ => None,
        };
        let Some(chosen) = chosen else { return Ok(false) };
        self.end_it(entry, reach, chosen, out)
    }

    /// Who is asked how it ends. None where nobody may or can be, which is said.
    fn who_decides(&self, out: &mut dyn Write) -> Result<Option<Person>, CliError> {
        if !self.undo.change.allow_changes {
            writeln!(out, "  Nothing was done: this program only reads unless changes are allowed (--allow-changes).")?;
            return Ok(None);
        }
        let person = Person::there();
        if person.is_none() {
            writeln!(out, "  Nothing was done: there is no terminal at which somebody could decide.")?;
        }
        out.flush()?;
        Ok(person)
    }

    /// The word that was typed names what is to happen, which was shown above it.
    fn end_it(
        &mut self,
        entry: &Entry,
        reach: &dyn Reach,
        chosen: &Prepared,
        out: &mut dyn Write,
    ) -> Result<bool, CliError> {
        let answer = Answer {
            shown: chosen.digest().to_owned(),
            armed: self.undo.change.allow_changes,
            yes: true,
            typed: chosen.to_be_typed().unwrap_or_default().to_owned(),
        };
        let who = self.who();
        let ran = remedy::confirm(chosen.clone(), &answer).and_then(|confirmed| {
            let tell = telling(out, Vec::new());
            remedy::run_end(confirmed, reach, self.memory.as_ref(), &mut self.store, &who, &tell)
        });
        match ran {
            Ok(ran) => {
                writeln!(out, "  {}", clean(&ran.note))?;
                self.close(entry, ran.outcome, &ran.note, out)?;
                Ok(ran.outcome != Outcome::Unknown)
            }
            Err(refusal) => {
                writeln!(out, "  {}", clean(&refusal.0))?;
                Ok(false)
            }
        }
    }
}

impl Run<'_> {
    /// Takes back what was left half-way on a node, whoever's journal has it: asks, after the way back was shown. Whether the old
    /// state is back, or was only to be shown.
    pub(super) fn half_way(&mut self, entry: &str, reach: &dyn Reach, out: &mut dyn Write) -> Result<bool, CliError> {
        if let Ok(Some(known)) = self.store.entry(entry)
            && known.is_open()
            && !self.undo.plan
        {
            return self.resume_one(&known, out);
        }
        writeln!(out, "  It was left half-way there, and nothing takes it back by itself.")?;
        let back = match remedy::way_back(entry, reach, self.memory.as_ref()) {
            Ok(back) => back,
            Err(refusal) => {
                writeln!(out, "  {}", clean(&refusal.0))?;
                return Ok(false);
            }
        };
        writeln!(out, "  The way back, as the node kept it:")?;
        plan::show_steps(&back.steps(), out)?;
        if self.undo.plan {
            return Ok(true);
        }
        let Some(person) = self.who_decides(out)? else { return Ok(false) };
        if person.types("  Type back to put the old state back; anything else does nothing: ") != "back" {
            return Ok(false);
        }
        let settled = {
            let tell = telling(out, Vec::new());
            remedy::settle(entry, Settle::TakeBack(&back), reach, self.memory.as_ref(), &tell)
        };
        match settled {
            Ok((outcome, note)) => {
                writeln!(out, "  {}", clean(&note))?;
                if let Ok(Some(known)) = self.store.entry(entry) {
                    self.close(&known, outcome, &note, out)?;
                }
                Ok(outcome != Outcome::Failed)
            }
            Err(refusal) => {
                writeln!(out, "  {}", clean(&refusal.0))?;
                Ok(false)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_name_is_no_more_than_a_name() {
        assert_eq!(to_name("node/10.0.0.4:2222", "laptop"), "--node 10.0.0.4:2222");
        assert_eq!(to_name("node/a b;\u{1b}$(x)", "laptop"), "--node abx");
        assert_eq!(to_name("node/laptop", "laptop"), "--local");
        assert_eq!(to_name("cluster", "laptop"), "--context NAME");
    }
}
