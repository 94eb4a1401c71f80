//! What a person reads on screens of several sizes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::channel::Question;
use crate::tui::msg::{Msg, Reply};
use crate::tui::sample::{self, press};
use crate::tui::theme::Theme;
use crate::tui::update::{open, update};
use crate::visit::Progress;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};
use std::sync::mpsc::sync_channel;

pub(super) fn buffer(app: &App) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(app.size.0, app.size.1)).unwrap();
    terminal.draw(|frame| draw(frame, app)).unwrap();
    terminal.backend().buffer().clone()
}

pub(super) fn screen(app: &App) -> Vec<String> {
    let buffer = buffer(app);
    let rows = buffer.area.rows();
    rows.map(|row| {
        let line: String = row.positions().map(|cell| buffer[cell].symbol().to_owned()).collect();
        line.trim_end().to_owned()
    })
    .collect()
}

pub(super) fn text(app: &App) -> String {
    screen(app).join("\n")
}

#[test]
fn the_overview_counts_controls_by_section_and_shows_the_nodes() {
    let shown = screen(&sample::app(80, 24));
    assert!(shown[0].starts_with("sitewarden  Harbour 7") && shown[0].ends_with("saved read-only"), "{}", shown[0]);
    let find = |word: &str| shown.iter().find(|line| line.contains(word)).unwrap_or_else(|| panic!("{word}")).clone();
    let counts = |line: String| line.split_whitespace().rev().take(5).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(counts(find("Communication between control-plane components")), ["0/0", "0", "0", "0", "0"]);
    assert_eq!(counts(find("4 Direct access to nodes")), ["3/4", "1", "0", "1", "2"]);
    assert!(find("Sections").ends_with("fail unkn  man pass  checked"));
    assert!(find("> 1 ").contains("Security patches"));
    assert!(find("Nodes").starts_with("Nodes: 3 of 3 done"));
    assert!(find("edge2").contains("read"));
    assert!(find("Collected").ends_with("2026-11-20 08:01 UTC by tech, assessed as of 2026-11-20 08:01 UTC"));
    assert!(shown[23].contains("? help") && shown[23].contains("q back/quit"));
    assert!(!shown[23].contains("read all"), "saved evidence cannot be read again: {}", shown[23]);
}

#[test]
fn forty_columns_are_enough_for_the_walk() {
    let mut app = sample::app(40, 12);
    let shown = screen(&app);
    assert!(shown[0].starts_with("Harbour 7") && shown[0].ends_with("read-only"), "{}", shown[0]);
    assert!(shown.iter().any(|line| line.contains("4 Direct access") && line.ends_with("F2 U1 M0 P1")), "{shown:#?}");
    assert!(shown.iter().any(|line| line.contains("edge1")));
    press(&mut app, "4");
    assert!(text(&app).contains("> fail    The kubelet refuses"), "{}", text(&app));
    assert!(text(&app).contains("2/3"));
    press(&mut app, "\n");
    assert!(text(&app).contains("fail at node/edge1, severity critical"), "{}", text(&app));
}

#[test]
fn a_few_rows_still_show_sections_and_nodes_in_one_list() {
    let mut app = sample::app(20, 6);
    assert!(text(&app).contains("> 1 "), "{}", text(&app));
    press(&mut app, "G");
    assert!(text(&app).contains("> edge3"), "{}", text(&app));
}

#[test]
fn a_terminal_that_is_too_small_says_so() {
    assert!(text(&sample::app(19, 5)).replace('\n', " ").contains("19x5 is too small: 20x6. q quits."));
    for size in [(1, 1), (2, 30), (30, 2)] {
        screen(&sample::app(size.0, size.1));
    }
}

#[test]
fn the_list_is_worst_first_with_word_severity_title_and_targets() {
    let mut app = sample::app(80, 24);
    press(&mut app, "0");
    let shown = screen(&app);
    assert!(shown[1].starts_with("All sections") && shown[1].ends_with("8 controls"));
    assert!(
        shown[2].starts_with("> fail    critical The kubelet refuses anonymous requests") && shown[2].ends_with("2/3")
    );
    assert!(shown[3].starts_with("  fail    high     Root cannot log in with a password"));
    assert!(shown[4].starts_with("  unknown medium   SSH uses strong ciphers alone") && shown[4].ends_with("1/3"));
    assert!(shown.iter().any(|line| line.starts_with("  n/a     high     The API server's")));
    press(&mut app, "/cipher");
    assert!(text(&app).contains("filter: cipher_") && text(&app).contains("1 of 8"));
    press(&mut app, "zzz\n");
    assert!(text(&app).contains("No control matches"));
}

#[test]
fn a_finding_says_what_was_seen_why_it_matters_and_what_to_do() {
    let mut app = sample::app(80, 50);
    press(&mut app, "4↓\n");
    let shown = text(&app);
    let (items, to_do) = (shown.find("Items: 3 asked").unwrap(), shown.find("What to do").unwrap());
    assert!(to_do < items, "a long list of items would hide it");
    for expected in [
        "Root cannot log in with a password",
        "fail at node/edge1, severity high",
        "Target 1 of 3:",
        "> fail node/edge1",
        "pass node/edge2",
        "Seen on edge1.",
        "node.kubelet.effective.authentication.anonymous.enabled = true",
        "from: file /var/lib/kubelet/config.yaml",
        "Items: 3 asked, 1 fail, 0 could not be read",
        "Match Address ?[31m10.0.0.9: fail",
        "An intruder uses it to walk in.",
        "By an administrator, about 5 minutes.",
        "  sudo systemctl restart kubelet",
        "CIS Kubernetes Benchmark: 4.2.1",
        "MITRE ATT&CK: T1609",
    ] {
        assert!(shown.contains(expected), "{expected}\n{shown}");
    }
}

#[test]
fn a_long_page_says_how_far_it_is_and_scrolls_to_its_end() {
    let mut app = sample::app(80, 24);
    press(&mut app, "4\n");
    assert!(text(&app).contains("more below"));
    press(&mut app, "G");
    assert!(text(&app).contains("kubelet-anonymous-auth, section Direct access to nodes"), "{}", text(&app));
    assert!(!text(&app).contains("more below"));
}

#[test]
fn an_unknown_finding_names_its_reason() {
    let mut app = sample::app(80, 24);
    press(&mut app, "0/cipher\n\n");
    assert!(text(&app).contains("unknown (forbidden) at node/edge3"), "{}", text(&app));
}

#[test]
fn the_first_screen_offers_what_there_is_in_plain_words() {
    let (app, _) = open(sample::start(&[], None), (80, 24), Theme::PLAIN);
    let shown = text(&app);
    for expected in ["This machine as a node", "A node by SSH", "A saved evidence file", "The demo site"] {
        assert!(shown.contains(expected), "{expected}\n{shown}");
    }
    let (mut app, _) = open(sample::start(&[], None), (40, 12), Theme::PLAIN);
    press(&mut app, "2root@edge1");
    assert!(text(&app).contains("> Node    : root@edge1_"), "{}", text(&app));
}

#[test]
fn a_failed_node_shows_its_sentence_in_full_on_its_page() {
    let (mut app, _) = open(sample::start(&["edge1"], None), (80, 24), Theme::PLAIN);
    assert!(screen(&app)[0].ends_with("reading 0, waiting 1 read-only"), "{}", screen(&app)[0]);
    let warning =
        Progress::Warning { node: "edge1".to_owned(), message: "A line of known_hosts is broken.".to_owned() };
    update(&mut app, Msg::Progress { run: 1, at: jiff::Timestamp::UNIX_EPOCH, progress: warning });
    assert!(text(&app).contains("edge1: A line of known_hosts is broken."));
    let done = Progress::Done(Box::new(sample::dead("edge1")));
    update(&mut app, Msg::Progress { run: 1, at: jiff::Timestamp::UNIX_EPOCH, progress: done });
    press(&mut app, "\t\n");
    assert!(text(&app).contains("Check that SSH runs on the node."), "{}", text(&app));
    assert!(text(&app).contains("Way: ssh edge1") && text(&app).contains("  A line of known_hosts is broken."));
}

#[test]
fn help_comes_from_the_table_and_explains_the_words() {
    let mut app = sample::app(80, 50);
    press(&mut app, "?");
    let shown = text(&app);
    assert!(shown.contains("a section by its number") && shown.contains("never counted as good"), "{shown}");
    assert!(!shown.contains("read all nodes again"), "saved evidence");
    press(&mut app, "q0?");
    let words: Vec<String> = text(&app).split_whitespace().map(str::to_owned).collect();
    assert!(words.join(" ").contains("state:fail, sev:high, node:NAME"), "{}", text(&app));
}

#[test]
fn a_question_shows_the_whole_fingerprint_at_forty_columns_and_never_a_passphrase() {
    let fingerprint = "SHA256:Ue3y1F8lXr7fdA2nQm4pZc6Tq9KkW0sVbJhRgYtLxEo";
    let known: [&[&str]; 2] = [&[], &["ecdsa-sha2-nistp256", "ssh-rsa"]];
    for (size, others) in [(80, 24), (40, 12)].into_iter().flat_map(|size| known.map(|others| (size, others))) {
        let mut app = sample::app(size.0, size.1);
        let (send, _wait) = sync_channel(1);
        let question = Question::HostKey {
            node: "a-node-with-a-very-long-name.site.example.net".to_owned(),
            host: "a-node-with-a-very-long-name.site.example.net".to_owned(),
            kind: "ssh-ed25519".to_owned(),
            fingerprint: fingerprint.to_owned(),
            others: others.iter().map(|kind| (*kind).to_owned()).collect(),
        };
        update(&mut app, Msg::Question(question, Reply(send)));
        press(&mut app, "ye");
        let shown: String = screen(&app).iter().map(|line| line.trim_matches(['|', ' '])).collect();
        assert!(shown.contains(fingerprint), "{}", text(&app));
        assert!(shown.contains("Type yes, or press Esc for no: ye_"), "{}", text(&app));
        let expected = if others.is_empty() { "Accept and remember it?" } else { "WARNING: known so far by another" };
        assert!(shown.contains(expected), "{}", text(&app));
    }
    let mut app = sample::app(80, 24);
    let (send, _wait) = sync_channel(1);
    let question = Question::Passphrase { node: "edge1".into(), file: "/home/t/.ssh/id".into(), again: true };
    update(&mut app, Msg::Question(question, Reply(send)));
    press(&mut app, "hunter2");
    assert!(text(&app).contains("That passphrase was wrong.") && !text(&app).contains("hunter2"));
}

#[test]
fn passwords_are_never_shown_and_the_nodes_own_words_are_told_as_such() {
    let (node, user) = ("edge1".to_owned(), "ana".to_owned());
    let secret = [
        (Question::Password { node: node.clone(), user: user.clone(), again: true }, "It refused that password."),
        (Question::SudoPassword { node: node.clone(), user: user.clone(), again: true }, "may lock the account"),
        (
            Question::Prompt {
                node: node.clone(),
                user: user.clone(),
                text: "Code:".into(),
                echo: false,
                again: false,
            },
            "Code:",
        ),
    ];
    for size in [(80, 24), (40, 12)] {
        for (question, words) in &secret {
            let mut app = sample::app(size.0, size.1);
            let (send, _wait) = sync_channel(1);
            update(&mut app, Msg::Question(question.clone(), Reply(send)));
            press(&mut app, "hunter2");
            let shown: String = text(&app).split_whitespace().collect::<Vec<_>>().join(" ").replace("| |", "");
            assert!(!shown.contains("hunter2"), "{shown}");
            let plain = shown.split_whitespace().filter(|word| *word != "|").collect::<Vec<_>>().join(" ");
            assert!(plain.contains("edge1") && plain.contains(words), "{plain}");
        }
    }
    let mut app = sample::app(80, 24);
    let (send, _wait) = sync_channel(1);
    let question = Question::Prompt { node, user, text: "Token:".into(), echo: true, again: false };
    update(&mut app, Msg::Question(question, Reply(send)));
    press(&mut app, "123456");
    assert!(text(&app).contains("123456_") && text(&app).contains("the node's own words"), "{}", text(&app));
}

#[test]
fn every_screen_at_every_size_draws_without_colours_and_ascii_only_where_asked() {
    for size in [(80, 24), (40, 12), (20, 6), (1, 1), (200, 60), (21, 7), (60, 8)] {
        for keys in ["", "0", "0/x", "4\n", "?", "\t\n", "0\n?", "G\n", "3\n"] {
            let mut app = sample::site(size.0, size.1);
            press(&mut app, keys);
            for cell in &buffer(&app).content {
                assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset));
                assert!(cell.symbol().is_ascii(), "{:?} at {size:?} after {keys:?}", cell.symbol());
            }
            let (send, _wait) = sync_channel(1);
            let question = Question::Passphrase { node: "n".into(), file: "f".into(), again: false };
            update(&mut app, Msg::Question(question, Reply(send)));
            screen(&app);
            update(&mut app, Msg::Defect(crate::tui::msg::Job::Load));
            screen(&app);
        }
    }
}

#[test]
fn colour_is_added_to_words_and_the_cursor_is_marked_twice() {
    let mut app = sample::app(80, 24);
    app.theme = Theme { colour: true, ascii: false };
    press(&mut app, "0");
    let shown = buffer(&app);
    assert_eq!(shown[(2, 3)].fg, Color::Red);
    assert_eq!(shown[(2, 3)].symbol(), "f");
    assert!(shown[(2, 2)].modifier.contains(Modifier::REVERSED));
    assert_eq!(shown[(0, 2)].symbol(), ">");
}
