#![allow(clippy::unwrap_used)]
use super::*;
use crate::site::{AzureSource, ClusterTarget};
use std::path::PathBuf;

fn read(text: &str) -> Result<SiteFile, SiteFileError> {
    SiteFile::parse(text, Path::new("/sites/edge.toml"), &["kubeadm", "k3s", "rke2"])
}

/// What a person is told, without the file's name.
fn told(text: &str) -> String {
    read(text).unwrap_err().to_string().replace("/sites/edge.toml:", "")
}

#[test]
fn a_whole_file_is_read() {
    let site = read(
        r#"
        name = "edge-042"
        management_networks = ["10.20.0.0/24", "fd00:20::/64"]
        catalog = ["controls", "/usr/share/controls"]
        known_hosts = "known_hosts"

        [[node]]
        name = "node1"
        address = "10.20.0.11"
        user = "admin"
        port = 2222
        identity = "keys/site"
        jump = ["gate", "ana@inner:2222"]

        [[node]]
        name = "here"
        local = true
        "#,
    )
    .unwrap();
    assert_eq!(site.name.as_deref(), Some("edge-042"));
    assert_eq!(site.management_networks.unwrap(), ["10.20.0.0/24", "fd00:20::/64"]);
    assert_eq!(site.catalog, [Path::new("/sites/controls"), Path::new("/usr/share/controls")]);
    assert_eq!(site.known_hosts.as_deref(), Some(Path::new("/sites/known_hosts")));
    let node1 = Way::Ssh {
        host: "10.20.0.11".into(),
        port: Some(2222),
        user: Some("admin".into()),
        identity: Some("/sites/keys/site".into()),
        jump: Some(vec![
            JumpHost { host: "gate".into(), port: None, user: None },
            JumpHost { host: "inner".into(), port: Some(2222), user: Some("ana".into()) },
        ]),
    };
    let expected = [("node1", node1), ("here", Way::Local)].map(|(name, way)| NodeTarget::new(name, way));
    assert_eq!(site.nodes, expected);
}

#[test]
fn an_empty_file_says_nothing() {
    assert_eq!(read("").unwrap(), SiteFile::default());
    assert_eq!(read("management_networks = []").unwrap().management_networks, Some(Vec::new()));
}

#[test]
fn the_home_folder_is_written_as_in_a_shell() {
    let site = read("known_hosts = \"~/.ssh/known_hosts\"").unwrap();
    assert_eq!(site.known_hosts, dirs::home_dir().map(|home| home.join(".ssh/known_hosts")));
}

#[test]
fn unknown_keys_are_told_with_line_and_near_match() {
    assert_eq!(told("nmae = \"x\""), "1: a site file has no key `nmae`: did you mean `name`?");
    assert_eq!(
        told("name = \"x\"\nmanagement-networks = []"),
        "2: a site file has no key `management-networks`: did you mean `management_networks`?"
    );
    assert_eq!(
        told("[[node]]\nname = \"a\"\nadress = \"10.0.0.1\"\naddress = \"10.0.0.1\""),
        "3: a [[node]] has no key `adress`: did you mean `address`?"
    );
    assert!(told("[colours]").contains("it may have: name, management_networks, cluster, node, catalog, known_hosts"));
}

#[test]
fn everything_that_is_wrong_is_told_in_the_order_of_the_lines() {
    let text = "name = 5\nmanagement_networks = [\n  \"10.20.0.0/24\",\n  \"10.20.0.4/24\",\n]\n\n\
                [[node]]\nname = \"a\"\nport = 70000\n\n[[node]]\naddress = \"10.0.0.4:2222\"\nuser = true\n";
    let told = told(text);
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(
        lines,
        [
            "1: `name` is of the wrong type (integer): write name = \"edge-042\"",
            "4: `management_networks`: \"10.20.0.4/24\" starts in the middle of its range: write 10.20.0.0/24",
            "7: this [[node]] has no `address`: write address = \"10.20.0.11\", or local = true for this machine",
            "9: `port` is not a number from 1 to 65535: write port = 22",
            "11: this [[node]] has no `name`: write name = \"node1\"",
            "12: `address` \"10.0.0.4:2222\": the port has a key of its own: write port = 2222",
            "13: `user` is of the wrong type (boolean): write user = \"admin\"",
        ]
    );
}

#[test]
fn nodes_have_names_of_their_own() {
    let node = |name: &str| format!("[[node]]\nname = \"{name}\"\naddress = \"10.0.0.4\"\n");
    assert!(read(&format!("{}{}", node("a"), node("b"))).is_ok());
    assert_eq!(
        told(&format!("{}{}", node("a"), node("a"))),
        "5: two nodes have the name \"a\" (the other in line 2): give each its own"
    );
}

#[test]
fn this_machine_has_no_address() {
    let told = told("[[node]]\nname = \"a\"\nlocal = true\naddress = \"10.0.0.4\"\n");
    assert!(told.starts_with("4: `address` makes no sense with local = true"), "{told}");
}

#[test]
fn addresses_are_addresses() {
    for (address, words) in [
        ("admin@10.0.0.4", "user = "),
        ("[fd00::4]:22", "port = "),
        ("10.0.0.4/24", "no host name"),
        ("", "no host name"),
        ("a\\u001b[2J", "no host name"),
    ] {
        let told = told(&format!("[[node]]\nname = \"a\"\naddress = \"{address}\"\n"));
        assert!(told.starts_with("3: `address`") && told.contains(words), "{told}");
        assert!(!told.contains('\u{1b}'));
    }
    assert!(read("[[node]]\nname = \"a\"\naddress = \"fd00::4\"").is_ok());
}

#[test]
fn tables_in_the_wrong_shape() {
    assert!(told("[node]\nname = \"a\"").starts_with("1: `node` is a list: write [[node]]"));
    assert!(told("node = [1]").contains("list of tables"));
    assert!(told("catalog = \"controls\"").contains("write catalog = ["));
    assert!(told("catalog = [1]").contains("write catalog = ["));
    assert!(told("[[node]]\nname = \"a\"\nlocal = \"yes\"").contains("3: `local` is of the wrong type (string)"));
}

#[test]
fn what_is_no_toml_names_the_line() {
    assert!(told("name = \"x\"\nname = \"y\"").starts_with("2: this is not TOML"));
    assert!(told("name = \"x\"\n\nnode = [").starts_with("3: this is not TOML"));
    assert!(told("= 5").starts_with("1: this is not TOML"));
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = SiteFile::read(&folder.path().join("none.toml"), &[]).unwrap_err();
    assert!(missing.to_string().contains("none.toml: the site file cannot be read"));
    let broken = folder.path().join("broken.toml");
    std::fs::write(&broken, b"name = \"\xff\"").unwrap();
    assert!(SiteFile::read(&broken, &[]).unwrap_err().to_string().contains("UTF-8"));
    std::fs::write(&broken, "name = \"edge\"").unwrap();
    assert_eq!(SiteFile::read(&broken, &[]).unwrap().name.as_deref(), Some("edge"));
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[a-z\"=\\[\\]\n .0-9é]{0,120}") {
        let _ = read(&text);
    }
}

#[test]
fn jump_hosts_are_one_text_or_a_list_and_may_be_none() {
    let jump = |written: &str| {
        let site = read(&format!("[[node]]\nname = \"a\"\naddress = \"10.0.0.4\"\njump = {written}"));
        site.map(|site| match &site.nodes[0].way {
            Way::Ssh { jump, .. } => jump.as_ref().unwrap().len(),
            Way::Local => 0,
        })
    };
    assert_eq!(jump("\"gate,inner\"").unwrap(), 2);
    assert_eq!(jump("\"none\"").unwrap(), 0);
    assert!(jump("\"gate:0\"").unwrap_err().to_string().contains("edge.toml:4: `jump` \"gate:0\": the port"));
    assert!(jump("5").is_err());
}

#[test]
fn the_cluster_has_a_table_of_its_own() {
    let site = read(
        r#"
        [cluster]
        kubeconfig = "kube/config"
        context = "edge-042"
        platform = "k3s"
        azure = "az"
        no_endpoints = true

        [[node]]
        name = "a"
        address = "10.0.0.4"
        kubernetes = "node1"
        "#,
    )
    .unwrap();
    let cluster = site.cluster.unwrap();
    assert_eq!(
        cluster.target,
        ClusterTarget {
            kubeconfig: vec!["/sites/kube/config".into()],
            context: Some("edge-042".into()),
            platform: Some("k3s".into()),
        }
    );
    assert_eq!(cluster.azure, AzureSource { run: true, files: Vec::new() });
    assert!(cluster.no_endpoints);
    assert_eq!(site.nodes[0].kubernetes.as_deref(), Some("node1"));

    let several = read("[cluster]\nkubeconfig = [\"a\", \"/b\"]\nazure = [\"x.json\"]").unwrap().cluster.unwrap();
    assert_eq!(several.target.kubeconfig, [PathBuf::from("/sites/a"), "/b".into()]);
    assert_eq!(several.azure, AzureSource { run: false, files: vec!["/sites/x.json".into()] });
    assert_eq!(read("[cluster]").unwrap().cluster, Some(ClusterSection::default()), "the current context");
    assert_eq!(read("").unwrap().cluster, None);
}

#[test]
fn what_is_wrong_about_the_cluster_is_told_with_its_line() {
    assert_eq!(told("[cluster]\nplatform = \"k3\""), "2: `platform` \"k3\" is not known: did you mean \"k3s\"?");
    assert!(told("[cluster]\nplatform = \"windows\"").ends_with("it may be: kubeadm, k3s, rke2"));
    assert!(told("[cluster]\nkubconfig = \"x\"").contains("2: a [cluster] has no key `kubconfig`: did you mean `kube"));
    assert!(told("cluster = \"edge\"").starts_with("1: `cluster` is one table: write [cluster]"));
    assert!(told("[[cluster]]\ncontext = \"a\"").starts_with("1: `cluster` is one table"));
    assert!(
        told("[cluster]\nazure = true").contains("2: `azure` is of the wrong type (boolean): write azure = \"az\"")
    );
    assert!(told("[cluster]\nkubeconfig = \"\"").starts_with("2: `kubeconfig` names no file"));
    assert!(told("[cluster]\ncontext = \"\"").starts_with("2: `context` is empty"));
    let node = "[[node]]\nname = \"a\"\naddress = \"b\"\nkubernetes = \"\"";
    assert!(told(node).starts_with("4: `kubernetes` is no name of a node"));
}
