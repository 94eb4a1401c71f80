//! The catalog as an administrator meets it: the embedded one loads whole, and a file of one's own that is wrong says
//! where and what to write.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use sitewarden::catalog::{Catalog, CatalogError, Section, functions};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn load(text: &str) -> Result<Catalog, Vec<CatalogError>> {
    Catalog::of_files(&[(PathBuf::from("own.yaml"), text.to_owned())])
}

#[test]
fn the_embedded_catalog_loads_and_every_section_has_controls() {
    let catalog = Catalog::embedded().unwrap_or_else(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        panic!("\n{}", lines.join("\n"))
    });
    for section in Section::ALL {
        assert!(catalog.controls.iter().any(|control| control.section == section), "{section:?} has no control");
    }
    let ids: BTreeSet<&str> = catalog.controls.iter().map(|control| control.id.as_str()).collect();
    assert_eq!(ids.len(), catalog.controls.len());
    assert_eq!(catalog.conditions().len(), catalog.controls.len());
    assert!(catalog.controls.windows(2).all(|pair| pair[0].section <= pair[1].section), "by section");
    assert_eq!(catalog.digest.len(), 64);
    assert_eq!(catalog.digest, Catalog::embedded().unwrap().digest);
}

/// Each file begins with the errors that it must give, one a comment line: `# LINE: beginning of the message`.
#[test]
fn what_is_wrong_is_told_with_file_and_line() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/catalog-bad");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 25);
    let mut wrong = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let expected: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("# ")).collect();
        assert!(!expected.is_empty(), "{}", file.display());
        let found: Vec<String> = match Catalog::of_files(&[(file.clone(), text.clone())]) {
            Ok(_) => vec!["it loads".to_owned()],
            Err(errors) => errors.iter().map(ToString::to_string).collect(),
        };
        let full: Vec<String> = expected.iter().map(|part| format!("{}:{part}", file.display())).collect();
        if found.len() != full.len() || !found.iter().zip(&full).all(|(found, part)| found.starts_with(part.as_str())) {
            wrong.push(format!("expected {full:#?}\nfound {found:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_folder_adds_to_the_embedded_catalog_and_all_files_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let control = |id: &str, expect: &str| {
        format!(
            "- id: {id}\n  section: patches\n  title: T\n  severity: low\n  scope: node\n  who: vendor\n  minutes: 1\n  why: w\n  fix: f\n  expect: {expect}\n"
        )
    };
    write("b.yaml", &control("own-second", "node.reboot.required"));
    write("a.yaml", &control("own-first", "node.kubelet.exists"));
    write("notes.txt", "not a catalog");
    let embedded = Catalog::embedded().unwrap();
    let both = Catalog::load(&[folder.path()]).unwrap();
    assert_eq!(both.controls.len(), embedded.controls.len() + 2);
    assert_ne!(both.digest, embedded.digest);
    let own: Vec<&str> = both.controls.iter().map(|c| c.id.as_str()).filter(|id| id.starts_with("own-")).collect();
    assert_eq!(own, ["own-first", "own-second"]);

    let taken = embedded.controls[0].id.clone();
    write("a.yaml", &control(&taken, "node.kubelet.exists"));
    write("b.yaml", &control("own-second", "node.nothing"));
    let errors = Catalog::load(&[folder.path(), Path::new("/nonexistent/folder")]).unwrap_err();
    let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 3, "{told:#?}");
    assert!(told.iter().any(|line| line.starts_with("/nonexistent/folder:1: the folder cannot be read")), "{told:#?}");
    assert!(
        told.iter().any(|line| line.contains("a.yaml:1:") && line.contains("given before, at catalog/")),
        "{told:#?}"
    );
    assert!(told.iter().any(|line| line.contains("b.yaml:10:") && line.contains("`nothing`")), "{told:#?}");
}

#[test]
fn an_entry_may_begin_below_its_hyphen() {
    let keys =
        "section: patches, title: T, severity: low, scope: node, who: vendor, minutes: 1, why: w, fix: f, ask: Look.";
    let block: String = keys.split(", ").map(|key| format!("  {key}\n")).collect();
    let catalog =
        load(&format!("# first\n-\n  id: a-b\n{block}\n# second\n-\n  id: c-d\n{block}- {{id: e-f, {keys}}}\n"))
            .unwrap();
    let ids: Vec<&str> = catalog.controls.iter().map(|control| control.id.as_str()).collect();
    assert_eq!(ids, ["a-b", "c-d", "e-f"]);
}

#[test]
fn a_file_that_unfolds_without_end_is_refused() {
    let mut text = String::from("- &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let below = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("- &a{level} [{below}]\n"));
    }
    assert!(!load(&text).unwrap_err().is_empty());
}

#[test]
fn every_function_has_words_and_an_example() {
    for doc in functions() {
        assert!(!doc.doc.is_empty() && doc.signature.contains(doc.name), "{}", doc.name);
        assert!(doc.example.contains(doc.name), "{}", doc.name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn the_loader_never_panics(text in "\\PC{0,200}", lines in prop::collection::vec(prop::sample::select(vec![
        "- id: a", "-", "  id: b", "  expect: node.x", "  each: node.files", "  section: patches", "  where: >-", "    item.x", "- {}",
        "- [a]", "  remedy: {a: [1]}", "\t", "  why: |", "", "&a", "*a", "- *a", "  <<: *a", "---", "  \"id\": c", "  minutes: -1", "  expect: ((((",
    ]), 0..12), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = load(&text);
        let _ = load(&lines.join("\n"));
        let _ = load(&String::from_utf8_lossy(&bytes));
    }
}
