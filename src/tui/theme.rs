//! How things look. Colour never carries meaning alone: every verdict is a word.

use crate::assess::Verdict;
use crate::catalog::Severity;
use ratatui::style::{Color, Modifier, Style};

/// What the terminal is taken to be able to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    /// Colours. Without them attributes alone are used: crossterm 0.29 answers NO_COLOR by sending a reset for each
    /// colour, which would wipe out the selection bar.
    pub colour: bool,
    /// Nothing but ASCII.
    pub ascii: bool,
}

/// Beginnings of TERM whose terminals know the 256-colour form, the only one that ratatui sends.
const COLOUR_TERMS: [&str; 17] = [
    "xterm",
    "screen",
    "tmux",
    "rxvt",
    "linux",
    "alacritty",
    "kitty",
    "foot",
    "wezterm",
    "konsole",
    "gnome",
    "vte",
    "st-",
    "contour",
    "ghostty",
    "putty",
    "iterm",
];

impl Theme {
    /// Attributes and ASCII only: what every terminal can show.
    pub const PLAIN: Theme = Theme { colour: false, ascii: true };

    /// Decides by environment variables, read with `env`.
    pub fn detect(env: impl Fn(&str) -> Option<String>) -> Self {
        let env = |name| env(name).filter(|value| !value.is_empty());
        if cfg!(windows) {
            return Theme { colour: env("NO_COLOR").is_none(), ascii: false };
        }
        let term = env("TERM").unwrap_or_default().to_ascii_lowercase();
        let simple = term.is_empty() || term == "dumb" || term == "unknown" || term.starts_with("vt");
        let mono = term.ends_with("-m") || term.ends_with("-mono");
        let known = COLOUR_TERMS.iter().any(|known| term.starts_with(known)) || term.ends_with("-256color");
        let locale = env("LC_ALL").or_else(|| env("LC_CTYPE")).or_else(|| env("LANG")).unwrap_or_default();
        let locale = locale.to_ascii_lowercase();
        let utf8 = locale.contains("utf-8") || locale.contains("utf8");
        Theme { colour: known && !simple && !mono && env("NO_COLOR").is_none(), ascii: simple || !utf8 }
    }

    fn coloured(self, colour: Color, mono: Modifier) -> Style {
        if self.colour { Style::new().fg(colour).add_modifier(mono) } else { Style::new().add_modifier(mono) }
    }

    /// A verdict's word.
    pub fn verdict(self, verdict: Verdict) -> Style {
        match verdict {
            Verdict::Fail => self.coloured(Color::Red, Modifier::BOLD),
            Verdict::Unknown => self.coloured(Color::Yellow, Modifier::empty()),
            Verdict::Manual => self.coloured(Color::Cyan, Modifier::empty()),
            Verdict::Pass => self.coloured(Color::Green, Modifier::empty()),
            Verdict::NotApplicable => Style::new(),
        }
    }

    /// A severity's word.
    pub fn severity(self, severity: Severity) -> Style {
        match severity {
            Severity::Critical => Style::new().add_modifier(Modifier::BOLD),
            _ => Style::new(),
        }
    }

    /// Something that went wrong.
    pub fn trouble(self) -> Style {
        self.verdict(Verdict::Fail)
    }

    /// A line that a change adds; its sign says the same.
    pub fn added(self) -> Style {
        self.coloured(Color::Green, Modifier::BOLD)
    }

    /// A line that a change removes; its sign says the same.
    pub fn removed(self) -> Style {
        self.coloured(Color::Red, Modifier::DIM)
    }

    /// Words in the top line that must not be overlooked: they stand out of it.
    pub fn alarm(self) -> Style {
        Style::new().remove_modifier(Modifier::REVERSED).add_modifier(Modifier::BOLD)
    }

    /// The row under the cursor.
    pub fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// The top line.
    pub fn bar(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// Headings.
    pub fn heading(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// A line across.
    pub fn rule(self) -> &'static str {
        if self.ascii { "-" } else { "─" }
    }

    /// Corners and sides of a box: top left, top right, bottom left, bottom right, side.
    pub fn corners(self) -> [&'static str; 5] {
        if self.ascii { ["+", "+", "+", "+", "|"] } else { ["┌", "┐", "└", "┘", "│"] }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn detect(vars: &[(&str, &str)]) -> Theme {
        Theme::detect(|name| vars.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn colours_only_where_the_terminal_is_known_to_show_them() {
        assert!(detect(&[("TERM", "xterm-256color")]).colour);
        assert!(detect(&[("TERM", "tmux")]).colour);
        assert!(!detect(&[("TERM", "xterm-256color"), ("NO_COLOR", "1")]).colour);
        assert!(detect(&[("TERM", "xterm"), ("NO_COLOR", "")]).colour, "an empty NO_COLOR says nothing");
        for term in ["", "dumb", "vt100", "vt220", "unknown", "ansi", "xterm-mono"] {
            assert!(!detect(&[("TERM", term)]).colour, "{term}");
        }
    }

    #[test]
    fn line_characters_only_in_a_utf8_locale_on_a_terminal_that_has_them() {
        assert!(!detect(&[("TERM", "xterm"), ("LANG", "de_DE.UTF-8")]).ascii);
        assert!(detect(&[("TERM", "xterm"), ("LANG", "C")]).ascii);
        assert!(detect(&[("TERM", "xterm"), ("LANG", "C.UTF-8"), ("LC_ALL", "POSIX")]).ascii);
        assert!(detect(&[("TERM", "vt100"), ("LANG", "C.UTF-8")]).ascii);
    }

    #[test]
    fn without_colours_no_style_names_one() {
        for verdict in [Verdict::Fail, Verdict::Unknown, Verdict::Manual, Verdict::Pass, Verdict::NotApplicable] {
            let style = Theme::PLAIN.verdict(verdict);
            assert_eq!((style.fg, style.bg), (None, None));
        }
    }
}
