//! The key table holds together.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::table::{EVERYWHERE, SCREENS};
use super::*;
use crate::tui::sample;

#[test]
fn no_key_means_two_things_in_one_place_and_every_row_has_help() {
    for place in EVERYWHERE {
        let mut seen: Vec<Key> = Vec::new();
        for binding in rows(*place) {
            assert!(!binding.help.is_empty() && !binding.label.is_empty() && !binding.keys.is_empty());
            for pressed in binding.keys {
                assert!(!seen.contains(pressed), "{pressed:?} twice in {place:?}");
                seen.push(*pressed);
            }
        }
    }
}

#[test]
fn where_letters_are_typed_no_letter_is_a_command() {
    for place in TYPING {
        for binding in rows(*place) {
            assert!(binding.keys.iter().all(|key| key.ctrl || !matches!(key.code, KeyCode::Char(_))));
        }
    }
}

#[test]
fn every_footer_fits_eighty_columns_whole_and_forty_with_the_way_out() {
    for (place, live) in EVERYWHERE.iter().flat_map(|place| [(place, false), (place, true)]) {
        // On a finding, so that every row that needs something has it.
        let mut app = sample::app(80, 24);
        sample::press(&mut app, "4\n");
        if live {
            app.source = crate::tui::app::Source::Live;
        }
        let whole = footer(&app, *place, usize::MAX / 2);
        assert!(whole.len() <= 80, "{place:?}: {whole:?} takes {}", whole.len());
        assert_eq!(footer(&app, *place, 80), whole);
        let narrow = footer(&app, *place, 40);
        assert!(narrow.len() <= 40, "{place:?}: {narrow:?}");
        if SCREENS.contains(place) {
            assert!(narrow.contains("q back/quit"), "{place:?}: {narrow:?}");
        }
    }
}

#[test]
fn alt_is_escape_and_the_key_and_releases_and_repeats_are_nothing() {
    let alt = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::ALT);
    assert_eq!(from_event(alt), [key(KeyCode::Esc), letter('q')]);
    let mut release = KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE);
    release.kind = KeyEventKind::Release;
    assert!(from_event(release).is_empty());
    let held = KeyEvent { kind: KeyEventKind::Repeat, ..KeyEvent::new(KeyCode::Char('x'), KeyModifiers::CONTROL) };
    assert!(from_event(held).is_empty(), "a key that is held down is pressed once");
}
