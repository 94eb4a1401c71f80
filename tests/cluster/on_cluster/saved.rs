//! Evidence of the whole site in a file: the same findings on another day, and nothing secret in it.

use crate::bed::{Bed, run, said};

/// What `tests/bed/arc` hides in the cluster, and what the bed itself must not give away.
const CANARIES: [&str; 5] =
    ["canary-configmap-1f0c", "canary-secret-2a7d", "canary-parameter-3b9e", "canary-env-4c11", "canary-argument-5d20"];

/// A workload with a secret in its arguments, and one that calls itself an API server.
const SECRETIVE: &str = "apiVersion: v1
kind: Pod
metadata: {name: kube-apiserver, namespace: bed-users, labels: {component: kube-apiserver, tier: control-plane}}
spec:
  terminationGracePeriodSeconds: 0
  automountServiceAccountToken: false
  containers:
    - name: kube-apiserver
      image: docker.io/library/busybox:1.35
      imagePullPolicy: IfNotPresent
      command: [sleep, '1000000', '--token=canary-argument-5d20']
      env: [{name: PASSWORD, value: canary-env-4c11}]
";

#[test]
fn the_same_evidence_gives_the_same_findings_to_the_byte() {
    let Some(bed) = Bed::cluster("the_same_evidence_gives_the_same_findings_to_the_byte") else { return };
    let finished = bed.collect(&[bed.as_user("admin"), bed.by_ssh()])["finished"].as_str().unwrap().to_owned();
    let evidence = bed.path("evidence.json").display().to_string();
    let judged = |format: &str| {
        run(&["scan", "--evidence", &evidence, "--as-of", &finished, "--profile", "cis", "--format", format]).stdout
    };
    for format in ["json", "text"] {
        let first = judged(format);
        assert!(!first.is_empty());
        assert_eq!(first, judged(format));
    }
    let saved: serde_json::Value = serde_json::from_slice(&judged("json")).unwrap();
    let fresh = bed.whole();
    let verdicts = |json: &serde_json::Value| -> Vec<String> {
        let all = json["findings"].as_array().unwrap().iter();
        all.map(|f| format!("{} {} {}", f["target"], f["control"], f["verdict"])).collect()
    };
    let (saved, fresh) = (verdicts(&saved), verdicts(&fresh.json));
    let apart: Vec<_> = saved.iter().filter(|finding| !fresh.contains(finding)).collect();
    assert!(apart.is_empty() && saved.len() == fresh.len(), "a file in between changes nothing: {apart:#?}");
}

#[test]
fn nothing_secret_is_stored_or_told() {
    let Some(bed) = Bed::cluster("nothing_secret_is_stored_or_told") else { return };
    let _pod = bed.objects(SECRETIVE);
    bed.kubectl(&["wait", "--for", "condition=Ready", "-n", "bed-users", "pod/kube-apiserver", "--timeout=60s"], "");
    let mut secrets: Vec<String> = CANARIES.iter().map(|canary| (*canary).to_owned()).collect();
    let kubeconfig = std::fs::read_to_string(&bed.admin).unwrap();
    let token = std::fs::read_to_string(bed.user("token")).unwrap();
    for text in [&kubeconfig, &token] {
        let value = |line: &str| {
            line.trim().strip_prefix("client-key-data: ").or(line.trim().strip_prefix("token: ")).map(str::to_owned)
        };
        secrets.extend(text.lines().filter_map(value));
    }
    assert_eq!(secrets.len(), CANARIES.len() + 2, "the key and the token were found");
    for user in ["admin", "token"] {
        let file = bed.path("secret.json").display().to_string();
        let mut args = vec!["collect".to_owned(), "-v".into(), "-o".into(), file.clone()];
        args.extend(bed.as_user(user));
        args.extend(bed.by_ssh());
        let done = run(&args);
        let evidence = std::fs::read_to_string(&file).unwrap();
        assert!(evidence.contains("bed-users/kube-apiserver"), "the pod itself was seen");
        let mut told = vec![("evidence", evidence), ("output of collect", said(&done))];
        for format in ["json", "text"] {
            told.push((
                format,
                said(&run(&["scan", "-v", "--evidence", &file, "--profile", "cis", "--format", format])),
            ));
        }
        for (where_, text) in told {
            for secret in &secrets {
                assert!(!text.contains(secret.as_str()), "{secret} is in the {where_} as {user}");
            }
        }
    }
}
