//! The terminal that is drawn on: always of a fixed size, so that nothing asks it where its cursor is or how large it
//! is while drawing.

use super::app::App;
use super::views;
use crossterm::terminal::{Clear, ClearType};
use crossterm::{cursor::MoveTo, queue};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};
use std::io::{self, Write};

/// What a terminal that says nothing of its size is taken for.
const USUAL: (u16, u16) = (80, 24);

/// A terminal of a fixed size.
#[derive(Debug)]
pub(super) struct Screen<W: Write> {
    terminal: Terminal<CrosstermBackend<W>>,
}

impl<W: Write> Screen<W> {
    /// A screen on a terminal that is empty.
    pub(super) fn new(out: W, size: (u16, u16)) -> io::Result<Self> {
        let viewport = Viewport::Fixed(Rect::new(0, 0, size.0, size.1));
        let terminal = Terminal::with_options(CrosstermBackend::new(out), TerminalOptions { viewport })?;
        Ok(Screen { terminal })
    }

    /// Draws what differs from what stands there.
    pub(super) fn draw(&mut self, app: &mut App) -> io::Result<()> {
        app.changed = false;
        self.terminal.draw(|frame| views::draw(frame, app))?;
        Ok(())
    }

    /// Another size: everything is drawn anew next time.
    pub(super) fn resize(&mut self, size: (u16, u16)) -> io::Result<()> {
        self.terminal.resize(Rect::new(0, 0, size.0, size.1))
    }

    /// Forgets what stands there: everything is drawn anew next time. Not `Terminal::clear`, which asks the terminal
    /// for the position of its cursor and waits two seconds where none answers.
    pub(super) fn repaint(&mut self) -> io::Result<()> {
        let out = self.terminal.backend_mut();
        queue!(out, MoveTo(0, 0), Clear(ClearType::All))?;
        self.terminal.swap_buffers();
        Ok(())
    }
}

/// The size of the terminal: as it says, else by LINES and COLUMNS, else 80 by 24. Serial lines say 0x0.
pub(super) fn size(env: &impl Fn(&str) -> Option<String>) -> (u16, u16) {
    choose(crossterm::terminal::size().unwrap_or((0, 0)), env)
}

fn choose(said: (u16, u16), env: &impl Fn(&str) -> Option<String>) -> (u16, u16) {
    let number = |name| env(name).and_then(|text| text.trim().parse::<u16>().ok()).filter(|number| *number > 0);
    match said {
        (0, _) | (_, 0) => (number("COLUMNS").unwrap_or(USUAL.0), number("LINES").unwrap_or(USUAL.1)),
        said => said,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::tui::sample;
    use crate::tui::theme::Theme;
    use std::cell::RefCell;
    use std::rc::Rc;

    #[derive(Debug, Clone, Default)]
    struct Sink(Rc<RefCell<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What one frame writes.
    fn written(screen: &mut Screen<Sink>, sink: &Sink, app: &mut App) -> usize {
        sink.0.borrow_mut().clear();
        if app.changed {
            screen.draw(app).unwrap();
        }
        sink.0.borrow().len()
    }

    #[test]
    fn a_slow_line_carries_few_bytes_and_none_while_nothing_happens() {
        for colour in [false, true] {
            let sink = Sink::default();
            let mut app = sample::app(80, 24);
            app.theme = Theme { colour, ascii: false };
            let mut screen = Screen::new(sink.clone(), (80, 24)).unwrap();
            let first = written(&mut screen, &sink, &mut app);
            assert!((500..=6_000).contains(&first), "first frame: {first}");
            sample::press(&mut app, "0");
            let list = written(&mut screen, &sink, &mut app);
            assert!(list <= 6_000, "list: {list}");
            sample::press(&mut app, "↓");
            let cursor = written(&mut screen, &sink, &mut app);
            assert!((10..=400).contains(&cursor), "cursor: {cursor}");
            assert_eq!(written(&mut screen, &sink, &mut app), 0, "idle");
            sample::press(&mut app, "z");
            assert_eq!(written(&mut screen, &sink, &mut app), 0, "a key without a meaning");
        }
    }

    #[test]
    fn drawing_never_asks_the_terminal_anything() {
        let sink = Sink::default();
        let mut app = sample::app(80, 24);
        let mut screen = Screen::new(sink.clone(), (80, 24)).unwrap();
        screen.draw(&mut app).unwrap();
        screen.repaint().unwrap();
        screen.draw(&mut app).unwrap();
        let text = String::from_utf8(sink.0.borrow().clone()).unwrap();
        assert!(!text.contains("\u{1b}[6n") && !text.contains("\u{1b}[?1000h") && !text.contains("\u{1b}[c"));
        assert_eq!(text.matches("Nodes: 3 of 3 done").count(), 2, "a repaint draws everything again");
    }

    #[test]
    fn a_terminal_that_says_nothing_is_taken_by_the_environment_or_as_usual() {
        let none = |_: &str| None;
        assert_eq!(choose((0, 0), &none), (80, 24));
        assert_eq!(choose((0, 30), &none), (80, 24));
        assert_eq!(choose((132, 43), &none), (132, 43));
        let some = |name: &str| Some(if name == "LINES" { "12" } else { "40" }.to_owned());
        assert_eq!(choose((0, 0), &some), (40, 12));
        let broken = |_: &str| Some("0".to_owned());
        assert_eq!(choose((0, 0), &broken), (80, 24));
    }
}
