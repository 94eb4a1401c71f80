//! What a person reads of the cluster, of contexts and of ports.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::tests::{screen, text};
use super::*;
use crate::tui::msg::Msg;
use crate::tui::sample::{self, press};
use crate::tui::theme::Theme;
use crate::tui::update::{open, update};
use crate::visit::Progress;

fn offered(names: &[&str], size: (u16, u16)) -> App {
    let mut start = sample::start(&[], None);
    start.contexts = Ok(names.iter().map(|name| sample::context(name)).collect());
    open(start, size, Theme::PLAIN).0
}

#[test]
fn the_first_screen_offers_the_contexts_with_their_servers() {
    let shown = text(&offered(&["edge", "other"], (80, 24)));
    for expected in [
        "> 1 Cluster edge (current)",
        "Kubernetes API at edge.site.example:6443",
        "2 Cluster other\n",
        "3 This machine as a node",
        "4 A node by SSH",
        "5 A saved evidence file",
        "6 The demo site",
    ] {
        assert!(shown.contains(expected), "{expected}\n{shown}");
    }
}

#[test]
fn many_contexts_scroll_at_every_size() {
    let names: Vec<String> = (0..40).map(|number| format!("site-{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for size in [(80, 24), (40, 12)] {
        let mut app = offered(&names, size);
        press(&mut app, "G");
        assert!(text(&app).contains("> 44 The demo site"), "{}", text(&app));
        press(&mut app, "g");
        assert!(text(&app).contains("> 1 Cluster site-0"), "{}", text(&app));
    }
    assert!(screen(&offered(&names, (80, 24)))[1].ends_with("1 to 10 of 44"));
    let long = "x".repeat(253);
    let nasty = "\u{1b}[2J日本\u{202e}";
    for size in [(80, 24), (40, 12), (20, 6)] {
        let shown = text(&offered(&[&long, nasty], size));
        assert!(shown.contains("Cluster xxx") && !shown.contains('\u{1b}'), "{shown}");
    }
}

#[test]
fn a_broken_kubeconfig_is_a_line_and_its_sentence_comes_with_enter() {
    for size in [(80, 24), (40, 12)] {
        let mut start = sample::start(&[], None);
        start.contexts = Err("kubeconfig /home/t/.kube/config line 3: it is no YAML. Correct it".to_owned());
        let (mut app, _) = open(start, size, Theme::PLAIN);
        assert!(text(&app).contains("1 No cluster: Enter says why"), "{}", text(&app));
        press(&mut app, "\n");
        let words: Vec<String> = text(&app).split_whitespace().map(str::to_owned).collect();
        assert!(words.join(" ").contains("Correct it"), "{}", text(&app));
    }
}

#[test]
fn the_overview_shows_the_cluster_the_nodes_once_and_the_ports() {
    let shown = screen(&sample::site(80, 24));
    let find = |word: &str| shown.iter().find(|line| line.contains(word)).unwrap_or_else(|| panic!("{word}")).clone();
    assert_eq!(find("Site: "), "Site: kube-system 1b4e28ba-2fa1-11d2-883f-0016d3cca427, platform kubeadm");
    assert!(find("Targets: ").starts_with("Targets: 6 of 6 done"));
    let at = |word: &str| shown.iter().position(|line| line.contains(word)).unwrap();
    assert!(at("  cluster ") < at("  edge1 ") && at("  edge3 ") < at("  worker-9 "), "{shown:#?}");
    assert!(find("  cluster ").ends_with("read       edge"));
    assert!(find("  edge1 ").ends_with("read       api") && !find("  edge2 ").contains("api"));
    assert!(find("  worker-9 ").ends_with("read       api alone"));
    assert!(find("  endpoints ").ends_with("2 ports: 1 open, 0 closed, 1 unclear"));
    assert!(!shown.iter().any(|line| line.contains("cp-1")), "it is edge1:\n{shown:#?}");
    let small = sample::site(40, 12);
    assert!(text(&small).contains("  cluster       read"), "{}", text(&small));
}

#[test]
fn the_clusters_state_is_told_while_it_is_read() {
    let mut start = sample::start(&["edge1"], None);
    start.visit.cluster = Some(crate::visit::ClusterVisit::new(crate::site::ClusterTarget {
        context: Some("edge".to_owned()),
        ..Default::default()
    }));
    let (mut app, _) = open(start, (80, 24), Theme::PLAIN);
    let at = jiff::Timestamp::UNIX_EPOCH;
    let step = Progress::Cluster { step: "reading pods".to_owned() };
    update(&mut app, Msg::Progress { run: 1, at, progress: step });
    assert!(text(&app).contains("cluster                  reading    edge: reading pods"), "{}", text(&app));
    assert!(text(&app).contains("endpoints                waiting    once the others are read"), "{}", text(&app));
    assert!(screen(&app)[0].contains("reading 1, waiting 1"), "{}", screen(&app)[0]);
    let dead = Progress::ClusterDone(Box::new(sample::dead_cluster("edge")));
    update(&mut app, Msg::Progress { run: 1, at, progress: dead });
    assert!(text(&app).contains("cluster                  failed     10.0.0.4 port 6443 does not"), "{}", text(&app));
    press(&mut app, "\t\n");
    assert!(text(&app).contains("Check the way to the API server."), "{}", text(&app));
}

#[test]
fn the_clusters_page_says_who_we_are_and_what_is_refused() {
    for size in [(80, 60), (40, 200)] {
        let mut app = sample::site(size.0, size.1);
        press(&mut app, "\t\n");
        let shown = text(&app);
        for expected in [
            "Cluster edge",
            "API server: https://10.0.0.4:6443",
            "as: ana, by client certificate",
            "of the groups: viewers",
            "platform: kubeadm",
            "What this user may not read (1)",
            "list pods ?[31m",
            "pods: not read",
            "nodes: 2",
        ] {
            assert!(shown.contains(expected), "{expected}\n{shown}");
        }
    }
}

#[test]
fn the_ports_are_a_table() {
    let mut app = sample::site(80, 24);
    press(&mut app, "G\n");
    let shown = screen(&app);
    assert!(
        shown.iter().any(|line| {
            line.split_whitespace().eq(["10.0.0.4:10250", "kubelet", "open", "1.2", "1.3", "2027-05-01"])
        }),
        "{shown:#?}"
    );
    assert!(shown.iter().any(|line| line.contains("10.0.0.4:6443  kube-apiserver") && line.contains("filtered")));
    let mut small = sample::site(40, 30);
    press(&mut small, "G\n");
    assert!(text(&small).contains("10.0.0.4:10250 kubelet\n  open 1.2 1.3 2027-05-01"), "{}", text(&small));
}

#[test]
fn a_node_that_the_api_alone_shows_has_a_page_too() {
    let mut app = sample::site(80, 24);
    press(&mut app, "\t↓↓↓↓\n");
    let shown = text(&app);
    assert!(shown.contains("worker-9") && shown.contains("The API alone shows it"), "{shown}");
    press(&mut app, "q\t\t↓\n");
    assert!(text(&app).contains("What the API shows") && text(&app).contains("name: cp-1"), "{}", text(&app));
}
