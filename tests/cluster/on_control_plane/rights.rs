//! Rights and ways that hide, in the API of a real server: each is granted or opened, and found.

use crate::bed::{Bed, Told};

fn of_rbac(kind: &str, more: &str) -> String {
    format!("---\napiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\n{more}\n")
}

fn role(name: &str, rules: &str) -> String {
    of_rbac("ClusterRole", &format!("metadata: {{name: {name}}}\nrules: [{rules}]"))
}

fn binding(kind: &str, metadata: &str, role: &str, subject: &str) -> String {
    let role = format!("roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: {role}}}");
    of_rbac(kind, &format!("metadata: {{{metadata}}}\n{role}\nsubjects: [{subject}]"))
}

#[test]
fn rights_behind_a_name_a_namespace_and_a_borrowed_account_are_found() {
    let Some(bed) = Bed::control_plane("rights_behind_a_name_a_namespace_and_a_borrowed_account_are_found") else {
        return;
    };
    let user = |name: &str| format!("{{apiGroup: rbac.authorization.k8s.io, kind: User, name: {name}}}");
    let yaml = [
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: hidden}\n".to_owned(),
        role(
            "hidden-names",
            "{apiGroups: [''], resources: [groups], verbs: [impersonate], resourceNames: ['system:masters']}, \
             {apiGroups: [rbac.authorization.k8s.io], resources: [clusterroles], verbs: [bind], resourceNames: [cluster-admin]}, \
             {apiGroups: [admissionregistration.k8s.io], resources: [mutatingwebhookconfigurations], verbs: [patch], \
             resourceNames: [guard]}",
        ),
        role("hidden-all", "{apiGroups: ['*'], resources: ['*'], verbs: ['*']}"),
        binding("ClusterRoleBinding", "name: hidden-names", "hidden-names", &user("frank")),
        binding("RoleBinding", "name: hidden-all, namespace: hidden", "hidden-all", &user("erin")),
        binding(
            "ClusterRoleBinding",
            "name: hidden-helm",
            "cluster-admin",
            "{kind: ServiceAccount, name: helm-evil, namespace: kube-system}",
        ),
    ]
    .concat();
    let _objects = bed.objects(&yaml);
    let findings = bed.scan(&[bed.as_user("admin"), vec!["--no-endpoints".to_owned()]]);
    for (control, told) in [
        ("rights-not-escalated", "User frank (ClusterRoleBinding hidden-names) for groups system:masters"),
        ("no-wildcard-rights", "User erin (RoleBinding hidden/hidden-all)"),
        ("cluster-admin-holders", "ServiceAccount kube-system/helm-evil (ClusterRoleBinding hidden-helm)"),
        ("webhook-changers", "for mutatingwebhookconfigurations guard"),
    ] {
        assert_eq!(findings.judged("cluster", control), "fail", "{control}");
        assert!(findings.json.to_string().contains(told), "{control}: {told}");
    }
}

#[test]
fn a_service_that_leads_to_the_api_server_by_a_slice_made_by_hand_is_found() {
    let Some(bed) = Bed::control_plane("a_service_that_leads_to_the_api_server_by_a_slice_made_by_hand_is_found")
    else {
        return;
    };
    let control = "control-plane-not-published";
    let scan = || bed.scan(&[bed.as_user("admin"), vec!["--no-endpoints".to_owned()]]);
    let own = ["get", "endpointslice", "kubernetes", "-o", "jsonpath={.endpoints[0].addresses[0]} {.ports[0].port}"];
    let own = bed.kubectl(&own, "");
    let (address, port) = own.trim().split_once(' ').expect("the API server's own slice");
    let service = "apiVersion: v1
kind: Service
metadata: {name: way, namespace: default}
spec: {type: NodePort, ports: [{port: 443, targetPort: 6443}]}
";
    let _service = bed.objects(service);
    assert_eq!(scan().judged("cluster", control), "pass", "it leads nowhere");
    let slice = format!(
        "apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: way-by-hand, namespace: default, labels: {{kubernetes.io/service-name: way}}}}
addressType: IPv4
ports: [{{port: {port}, protocol: TCP}}]
endpoints: [{{addresses: [{address}]}}]
"
    );
    let _slice = bed.objects(&slice);
    let findings = scan();
    assert_eq!(findings.judged("cluster", control), "fail");
    // The role that users are given is enough to see it.
    let by_reader = bed.scan(&[bed.as_user("reader"), vec!["--no-endpoints".to_owned()]]);
    assert_eq!(by_reader.judged("cluster", control), "fail");
    let told = format!("default/way (EndpointSlice default/way-by-hand leads to {address} port {port})");
    assert!(findings.json.to_string().contains(&told), "{told}");
}
