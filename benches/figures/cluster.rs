//! A scan of a cluster of 1,000 nodes and 10,000 pods, against curl fetching the same pages.

use super::{BINARY, median, row, run};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const NODES: usize = 1000;
const PODS: usize = 10_000;

/// Every list that the probe reads, in pages of the same length.
const LISTS: [&str; 18] = [
    "/api/v1/pods",
    "/api/v1/nodes",
    "/api/v1/namespaces",
    "/api/v1/services",
    "/api/v1/serviceaccounts",
    "/apis/apps/v1/deployments",
    "/apis/apps/v1/daemonsets",
    "/apis/apps/v1/statefulsets",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "/apis/rbac.authorization.k8s.io/v1/roles",
    "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "/apis/rbac.authorization.k8s.io/v1/rolebindings",
    "/apis/networking.k8s.io/v1/networkpolicies",
    "/apis/certificates.k8s.io/v1/certificatesigningrequests",
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
    "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies",
    "/apis/storage.k8s.io/v1/csidrivers",
];

/// Prints time and peak memory as ratios, where an API server without nodes is up.
pub(crate) fn figures() {
    if std::env::var("BED_MODE").as_deref() != Ok("control-plane") {
        println!("cluster of 1,000 nodes and 10,000 pods           LEFT OUT: no bed (tests/bed/up control-plane)");
        return;
    }
    let fill = PathBuf::from(std::env::var_os("BED_EXEC").unwrap()).with_file_name("load").join("fill");
    run(Command::new(fill).args([format!("nodes={NODES}"), format!("pods={PODS}")]));
    let kubeconfig = std::env::var("BED_KUBECONFIG").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let fetch = Fetch::new(&kubeconfig, folder.path());
    let document = folder.path().join("evidence.json");
    let mut scan = Command::new(BINARY);
    scan.args(["collect", "--no-endpoints", "--kubeconfig", &kubeconfig, "-o"]).arg(&document);
    scan.env_remove("SSH_AUTH_SOCK");
    let (mut ours, mut theirs, mut peak) = (Vec::new(), Vec::new(), 0);
    for round in 0..6 {
        let start = Instant::now();
        peak = peak.max(peak_of(&mut scan));
        let took = start.elapsed();
        let start = Instant::now();
        run(&mut fetch.command());
        // The first of each only warms up.
        if round > 0 {
            ours.push(took);
            theirs.push(start.elapsed());
        }
    }
    let seen: Value = serde_json::from_slice(&std::fs::read(&document).unwrap()).unwrap();
    let count = |list: &str| seen["cluster"][list]["items"].as_array().unwrap().len();
    assert!(count("nodes") >= NODES && count("pods") >= PODS && seen["cluster"]["complete"] == true);
    row("cluster of 1,000 nodes, 10,000 pods, vs curl", median(ours), median(theirs), "<= 1.3");
    let megabytes = |kilobytes: u64| kilobytes as f64 / 1024.0;
    let ratio = megabytes(peak) / 120.0;
    println!("{:<48} {:>8.1}MB {:>9.1}MB {ratio:>7.2}   <= 1.0", "its peak memory, vs 120 MB", megabytes(peak), 120.0);
}

/// Runs a program that must succeed; its peak memory in kilobytes, as the kernel counts it until shortly before the end.
fn peak_of(command: &mut Command) -> u64 {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let now = line.and_then(|line| line.trim().strip_suffix(" kB")).and_then(|number| number.trim().parse().ok());
        peak = peak.max(now.unwrap_or(0));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{command:?}");
            return peak;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// curl, told of every page.
struct Fetch {
    config: PathBuf,
}

impl Fetch {
    /// Goes through all pages once, to learn the tokens that lead from one to the next.
    fn new(kubeconfig: &str, folder: &Path) -> Fetch {
        let text = std::fs::read_to_string(kubeconfig).unwrap();
        let value = |key: &str| text.lines().find_map(|line| line.trim().strip_prefix(key)).unwrap().trim();
        for (key, name) in
            [("certificate-authority-data:", "ca"), ("client-certificate-data:", "cert"), ("client-key-data:", "key")]
        {
            let decoded = openssl::base64::decode_block(value(key)).unwrap();
            std::fs::write(folder.join(name), decoded).unwrap();
        }
        let at = |name: &str| folder.join(name).display().to_string();
        // As the program: compressed, where the server does that. One connection for all.
        let common = format!(
            "cacert = \"{}\"\ncert = \"{}\"\nkey = \"{}\"\ncompressed\nfail\nsilent\n",
            at("ca"),
            at("cert"),
            at("key")
        );
        let config = folder.join("curl");
        let mut pages = common.clone();
        for list in LISTS {
            let mut token = String::new();
            loop {
                let more = if token.is_empty() { String::new() } else { format!("&continue={token}") };
                let url = format!("url = \"{}{list}?limit=500{more}\"\n", value("server:"));
                std::fs::write(&config, format!("{common}{url}")).unwrap();
                let page = Command::new("curl").arg("--config").arg(&config).output().unwrap();
                assert!(page.status.success(), "{list}");
                let page: Value = serde_json::from_slice(&page.stdout).unwrap();
                pages.push_str(&url);
                pages.push_str("output = \"/dev/null\"\n");
                token = page["metadata"]["continue"].as_str().unwrap_or_default().replace('=', "%3D");
                if token.is_empty() {
                    break;
                }
            }
        }
        std::fs::write(&config, pages).unwrap();
        Fetch { config }
    }

    fn command(&self) -> Command {
        let mut curl = Command::new("curl");
        curl.arg("--config").arg(&self.config);
        curl
    }
}
