//! Azure Arc as its agents leave it, and as somebody who switched something off leaves it.

use crate::bed::{Bed, Told};

const SETTINGS: [&str; 3] = ["-n", "azure-arc", "configmap/azure-clusterconfig"];
const DEFENDER: [&str; 3] = ["-n", "azure-arc", "extensionconfigs.clusterconfig.azure.com/microsoft-defender"];

#[test]
fn what_the_agents_leave_is_found_and_well() {
    let Some(bed) = Bed::cluster("what_the_agents_leave_is_found_and_well") else { return };
    let findings = bed.scan(&[bed.as_user("admin")]);
    assert_eq!(findings.json["platform"], "kubeadm", "Arc is an attribute, not a platform");
    for control in [
        "arc-agents-upgrade-themselves",
        "arc-agents-available",
        "extensions-upgrade-themselves",
        "extensions-installed",
    ] {
        assert_eq!(findings.judged("cluster", control), "pass", "{}", findings.on("cluster", control));
    }
    // Nobody asked Azure, so that nothing is said of what only Azure knows.
    let alive = findings.on("cluster", "arc-connection-alive");
    assert_eq!(alive["verdict"], "unknown", "{alive}");
    assert_eq!(alive["reason"], "not-visible", "{alive}");
}

#[test]
fn agents_that_do_not_upgrade_themselves_fail_until_they_do() {
    let Some(bed) = Bed::cluster("agents_that_do_not_upgrade_themselves_fail_until_they_do") else { return };
    let judged = || bed.scan(&[bed.as_user("admin")]).judged("cluster", "arc-agents-upgrade-themselves").to_owned();
    let (off, on) = (r#"{"data":{"AZURE_ARC_AUTOUPDATE":"false"}}"#, r#"{"data":{"AZURE_ARC_AUTOUPDATE":"true"}}"#);
    let switched = bed.patched(&SETTINGS, off, on);
    assert_eq!(judged(), "fail");
    drop(switched);
    assert_eq!(judged(), "pass");
    // What is neither is not believed to be on.
    let _odd = bed.patched(&SETTINGS, r#"{"data":{"AZURE_ARC_AUTOUPDATE":"\u202etrue"}}"#, on);
    assert_ne!(judged(), "pass");
}

#[test]
fn an_extension_that_does_not_upgrade_itself_fails_until_it_does() {
    let Some(bed) = Bed::cluster("an_extension_that_does_not_upgrade_itself_fails_until_it_does") else { return };
    let on = r#"{"spec":{"autoUpgradeMinorVersion":true}}"#;
    // The agents read a field that is missing as false.
    for off in [r#"{"spec":{"autoUpgradeMinorVersion":false}}"#, r#"{"spec":{"autoUpgradeMinorVersion":null}}"#] {
        let _switched = bed.patched(&DEFENDER, off, on);
        let findings = bed.scan(&[bed.as_user("admin")]);
        let finding = findings.on("cluster", "extensions-upgrade-themselves");
        assert_eq!(finding["verdict"], "fail", "{off}: {finding}");
        assert!(finding["items"].to_string().contains("microsoft-defender"), "it is named: {finding}");
    }
    let _failed = bed.patched(
        &DEFENDER,
        r#"{"status":{"status":"Failed to install the extension"}}"#,
        r#"{"status":{"status":"Successfully installed the extension"}}"#,
    );
    let findings = bed.scan(&[bed.as_user("admin")]);
    assert_eq!(findings.judged("cluster", "extensions-upgrade-themselves"), "pass");
    assert_eq!(findings.judged("cluster", "extensions-installed"), "fail");
}

#[test]
fn an_agent_that_is_not_available_fails() {
    let Some(bed) = Bed::cluster("an_agent_that_is_not_available_fails") else { return };
    let image = |image: &str| {
        let containers = format!(r#"[{{"name":"extension-manager","image":"{image}","imagePullPolicy":"Never"}}]"#);
        format!(
            r#"{{"spec":{{"strategy":{{"type":"Recreate","rollingUpdate":null}},"template":{{"spec":{{"containers":{containers}}}}}}}}}"#
        )
    };
    let object = ["-n", "azure-arc", "deployment/extension-manager", "--type", "strategic"];
    let _broken = bed.patched(&object, &image("docker.io/library/none:1"), &image("docker.io/library/busybox:1.35"));
    let gone = [
        "wait",
        "-n",
        "azure-arc",
        "deployment/extension-manager",
        "--for",
        "jsonpath={.status.unavailableReplicas}=1",
    ];
    bed.kubectl(&[&gone[..], &["--timeout=60s"]].concat(), "");
    let findings = bed.scan(&[bed.as_user("admin")]);
    let finding = findings.on("cluster", "arc-agents-available");
    assert_eq!(finding["verdict"], "fail", "{finding}");
    assert!(finding["items"].to_string().contains("extension-manager"), "it is named: {finding}");
}
