#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;

const API_SERVER: &str = include_str!("../../../tests/samples/manifests/kubeadm-1.36-kube-apiserver.yaml");
const POLICY: &str = "/etc/kubernetes/audit/policy.yaml";

fn mounted(text: &str) -> Result<String, EditError> {
    add_mount(text, "kube-apiserver", "audit-policy", POLICY, POLICY, true, HostPathKind::File)
}

#[test]
fn a_file_is_mounted_into_kubeadms_api_server() {
    assert!(!has_mount(API_SERVER, "kube-apiserver", POLICY, POLICY).unwrap());
    let after = mounted(API_SERVER).unwrap();
    let want = API_SERVER
        .replace(
            "      name: k8s-certs\n      readOnly: true\n",
            &format!("      name: k8s-certs\n      readOnly: true\n    - mountPath: {POLICY}\n      name: audit-policy\n      readOnly: true\n"),
        )
        .replace(
            "status: {}",
            &format!("  - hostPath:\n      path: {POLICY}\n      type: File\n    name: audit-policy\nstatus: {{}}"),
        );
    assert_eq!(after, want);
    assert!(has_mount(&after, "kube-apiserver", POLICY, POLICY).unwrap());
    assert_eq!(mounted(&after).unwrap(), after);
    assert!(has_mount(API_SERVER, "kube-apiserver", "/etc/kubernetes/pki", "/etc/kubernetes/pki/").unwrap());
}

#[test]
fn a_pod_without_mounts_gets_the_lists() {
    let text = "kind: Pod\nspec:\n  containers:\n  - name: kube-apiserver\n    command: [p]";
    let after = mounted(text).unwrap();
    assert!(!after.ends_with('\n'));
    assert!(has_mount(&after, "kube-apiserver", POLICY, POLICY).unwrap(), "{after}");
}

#[test]
fn another_volume_of_the_name_and_another_mount_at_the_path_stop_it() {
    let kind = HostPathKind::DirectoryOrCreate;
    let name = add_mount(API_SERVER, "kube-apiserver", "k8s-certs", "/x", "/x", true, kind).unwrap_err();
    assert!(name.to_string().contains("another volume has the name `k8s-certs`"), "{name}");
    let path = add_mount(API_SERVER, "kube-apiserver", "x", "/x", "/etc/ssl/certs", true, kind).unwrap_err();
    assert!(path.to_string().contains("something else is mounted at /etc/ssl/certs"), "{path}");
    let certs = "/etc/ssl/certs";
    let written = add_mount(API_SERVER, "kube-apiserver", "x", certs, certs, false, kind).unwrap_err();
    assert!(written.to_string().contains("read-only"), "{written}");
}
