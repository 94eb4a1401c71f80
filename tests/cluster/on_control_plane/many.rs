//! Very many objects: the list is read whole or said not to be, in bounded memory.

use crate::bed::Bed;
use std::process::Command;

/// Most memory of a scan of 100,000 bindings, in MB. The bindings alone are 40 MB of JSON.
const MOST: u64 = 400;

/// Taken away again when this is dropped: every other test of this bed would read them too.
struct Filled<'b>(&'b Bed);

impl Drop for Filled<'_> {
    fn drop(&mut self) {
        self.0.tool(&["load/empty"]);
    }
}

#[test]
fn a_hundred_thousand_bindings() {
    let Some(bed) = Bed::control_plane("a_hundred_thousand_bindings") else { return };
    let _filled = Filled(&bed);
    // No nodes: the scheduler would give them pods of other tests, which no kubelet would ever let go.
    bed.tool(&["load/fill", "nodes=0", "pods=100", "bindings=100000"]);
    let file = bed.path("many.json");
    // What wants more memory than that does not come to its end.
    let mut command = Command::new("prlimit");
    command
        .args([&format!("--data={}", MOST << 20), env!("CARGO_BIN_EXE_sitewarden"), "collect", "--no-endpoints", "-o"])
        .arg(&file);
    command.arg("--kubeconfig").arg(&bed.admin);
    let done = command.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let evidence: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let bindings = &evidence["cluster"]["bindings"];
    let read = bindings["items"].as_array().unwrap().len();
    if bindings["complete"] != true {
        let gaps = evidence["cluster"]["unread"].as_array().unwrap();
        let gap = gaps.iter().find(|gap| gap["path"] == "bindings").expect("a list that was not read whole says so");
        assert_eq!(gap["reason"], "too-large", "{read} were read");
    } else {
        assert!(read >= 100_000, "{read} is called complete");
    }
}
