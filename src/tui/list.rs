//! Where the cursor of a list stands and which part of the list is seen.

/// Cursor and first visible row. The rows themselves live elsewhere; every move is told how many there are and how
/// many fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cursor {
    /// Row under the cursor.
    pub at: usize,
    /// First row that is seen.
    pub top: usize,
}

/// A move in a list or a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// One row up.
    Up,
    /// One row down.
    Down,
    /// A screen up.
    PageUp,
    /// A screen down.
    PageDown,
    /// To the first row.
    First,
    /// To the last row.
    Last,
}

impl Cursor {
    /// Moves the cursor. The visible part stays as it is until the cursor leaves it and then jumps so that the cursor
    /// stands in its middle: on a slow line every row of scrolling repaints the screen.
    pub fn step(&mut self, step: Move, rows: usize, seen: usize) {
        let last = rows.saturating_sub(1);
        let page = seen.max(1);
        self.at = match step {
            Move::Up => self.at.saturating_sub(1),
            Move::Down => self.at.saturating_add(1).min(last),
            Move::PageUp => self.at.saturating_sub(page),
            Move::PageDown => self.at.saturating_add(page).min(last),
            Move::First => 0,
            Move::Last => last,
        };
        self.settle(rows, seen);
    }

    /// Brings cursor and visible part back into a list that may have changed.
    pub fn settle(&mut self, rows: usize, seen: usize) {
        let seen = seen.max(1);
        self.at = self.at.min(rows.saturating_sub(1));
        if self.at < self.top || self.at >= self.top.saturating_add(seen) {
            self.top = self.at.saturating_sub(seen / 2);
        }
        self.top = self.top.min(rows.saturating_sub(seen));
    }
}

/// Moves through a text that has no cursor: half a screen at a time, two lines of it seen again.
pub(super) fn scroll(top: usize, step: Move, rows: usize, seen: usize) -> usize {
    let seen = seen.max(1);
    let end = rows.saturating_sub(seen);
    let half = (seen / 2).max(1);
    let page = seen.saturating_sub(2).max(1);
    match step {
        Move::Up => top.saturating_sub(half),
        Move::Down => top.saturating_add(half).min(end),
        Move::PageUp => top.saturating_sub(page),
        Move::PageDown => top.saturating_add(page).min(end),
        Move::First => 0,
        Move::Last => end,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn the_list_stands_still_until_the_edge_then_jumps_half_a_page() {
        let mut cursor = Cursor::default();
        for _ in 0..9 {
            cursor.step(Move::Down, 30, 10);
            assert_eq!(cursor.top, 0);
        }
        cursor.step(Move::Down, 30, 10);
        assert_eq!((cursor.at, cursor.top), (10, 5));
        cursor.step(Move::Last, 30, 10);
        assert_eq!((cursor.at, cursor.top), (29, 20));
        cursor.step(Move::First, 30, 10);
        assert_eq!((cursor.at, cursor.top), (0, 0));
    }

    #[test]
    fn empty_lists_and_screens_without_rows_do_no_harm() {
        for rows in [0, 1, 3] {
            for seen in [0, 1, 50] {
                let mut cursor = Cursor { at: 7, top: 5 };
                for step in [Move::Up, Move::Down, Move::PageUp, Move::PageDown, Move::Last, Move::First] {
                    cursor.step(step, rows, seen);
                    assert!(cursor.at <= rows.saturating_sub(1) && cursor.top <= cursor.at);
                    scroll(3, step, rows, seen);
                }
            }
        }
    }

    #[test]
    fn a_shorter_list_pulls_the_cursor_back() {
        let mut cursor = Cursor { at: 25, top: 20 };
        cursor.settle(4, 10);
        assert_eq!((cursor.at, cursor.top), (3, 0));
    }
}
