//! Lists that are derived: bounded, what needs a look first, and honest about what is missing.

use super::super::super::{Fact, Gap, Listing, Reading, Reason, Value};
use super::super::gap_at;

/// Most items of a derived list: a finding names far fewer, and a cluster may hold a hundred thousand.
pub(super) const MOST: usize = 2_000;

/// A derived list as it grows. What is settled (it belongs to the platform) can never fail and is left out first.
#[derive(Default)]
pub(super) struct Derived {
    open: Vec<Reading>,
    settled: Vec<Reading>,
    cut: bool,
}

impl Derived {
    /// Adds an item that may fail.
    pub(super) fn open(&mut self, item: impl FnOnce() -> Reading) {
        if self.open.len() < MOST {
            self.open.push(item());
        } else {
            self.cut = true;
        }
    }

    /// Adds an item that holds in any case.
    pub(super) fn settled(&mut self, item: impl FnOnce() -> Reading) {
        if self.open.len() + self.settled.len() < MOST {
            self.settled.push(item());
        }
    }

    /// The list. `gap`: why what it is derived from may be incomplete. Unread where nothing of that was seen.
    pub(super) fn done(mut self, gap: Option<Gap>) -> Reading {
        self.settled.truncate(MOST.saturating_sub(self.open.len()));
        self.open.append(&mut self.settled);
        let cut = || Gap::new(Reason::TooLarge, format!("only the first {MOST} are listed"));
        match gap {
            Some(gap) if self.open.is_empty() => Reading::new(Value::Unread(gap)),
            Some(gap) => Reading::list(self.open, Some(gap)),
            None => Reading::list(self.open, self.cut.then(cut)),
        }
    }
}

/// Why a list of the evidence may be incomplete; none where it is whole.
pub(super) fn gap_of<T>(list: &Listing<T>, root: &Reading, path: &str) -> Option<Gap> {
    (!list.complete).then(|| gap_at(root, path))
}

/// A text.
pub(super) fn text(text: impl Into<std::sync::Arc<str>>) -> Reading {
    Reading::text(text)
}

/// A truth value.
pub(super) fn truth(truth: bool) -> Reading {
    Reading::new(Value::Bool(truth))
}

/// A number.
pub(super) fn int(number: i64) -> Reading {
    Reading::new(Value::Int(number))
}

/// A fact as a reading; `gap` says why it was not read.
pub(super) fn of_fact<T>(fact: &Fact<T>, known: impl FnOnce(&T) -> Reading, gap: impl FnOnce() -> Gap) -> Reading {
    match fact {
        Fact::Known(value) => known(value),
        Fact::Absent => Reading::new(Value::Absent),
        Fact::Unread => Reading::new(Value::Unread(gap())),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic)]
    use super::*;

    fn size(reading: &Reading) -> (usize, bool) {
        match &reading.value {
            Value::List { items, gap } => (items.len(), gap.is_some()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_list_is_bounded_and_says_so_where_something_that_may_fail_is_left_out() {
        let mut list = Derived::default();
        (0..MOST + 5).for_each(|_| list.settled(|| truth(true)));
        list.open(|| truth(false));
        let list = list.done(None);
        assert_eq!(size(&list), (MOST, false));
        assert_eq!(list.child("0").value, Value::Bool(false), "what may fail comes first");
        let mut list = Derived::default();
        (0..MOST + 1).for_each(|_| list.open(|| truth(false)));
        assert_eq!(size(&list.done(None)), (MOST, true));
    }

    #[test]
    fn nothing_seen_of_what_was_not_read_is_unread() {
        let gap = Gap::new(Reason::Forbidden, "");
        assert_eq!(Derived::default().done(Some(gap.clone())).value, Value::Unread(gap.clone()));
        assert_eq!(size(&Derived::default().done(None)), (0, false));
        let mut list = Derived::default();
        list.open(|| truth(true));
        assert_eq!(size(&list.done(Some(gap))), (1, true));
    }
}
