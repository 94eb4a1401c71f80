//! Certificates of k3s on a real systemd node. k3s itself cannot be had here: a stand-in renews at its start by the rule of its
//! source (pkg/daemons/control/deps/deps.go, createClientCertKey: what is missing, has ended or ends within 90 days; the
//! kubelet's at every start; tls/dynamic-cert-regenerate as pkg/cluster/https.go), and has its `certificate rotate`
//! (pkg/cli/cert/cert.go). The certificates are real: OpenSSL has signed them here, in generations that the stand-in takes.

use crate::node::{Node, choices, run};
use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::BasicConstraints;
use openssl::x509::{X509, X509Name};
use sitewarden::assess::Verdict;
use sitewarden::catalog::RemedySpec;
use sitewarden::channel::NobodyToAsk;
use sitewarden::remedy::{prepare, script};
use sitewarden::store::{Outcome, Store};
use std::fmt::Write as _;

const DATA: &str = "/var/lib/rancher/k3s";
const SERVER: [&str; 5] =
    ["client-admin", "client-kube-apiserver", "serving-kube-apiserver", "etcd/client", "etcd/server-client"];
const AGENT: [&str; 2] = ["client-kubelet", "serving-kubelet"];
const CAS: [&str; 5] = ["client-ca", "server-ca", "request-header-ca", "etcd/server-ca", "etcd/peer-ca"];
const GENERATIONS: usize = 6;

/// `k3s` is a copy of bash: it runs the script `server` of its folder, `kubectl` or `certificate` of the PATH.
const STAND_IN: &str = r#"
BIN=/var/lib/rancher/k3s/data/0123abcd/bin
mkdir -p -m 755 $BIN /etc/rancher/k3s
cp /bin/bash $BIN/k3s
ln -s $BIN/k3s /usr/local/bin/k3s
cat >/opt/stand-in/lib <<'LIB'
T=/var/lib/rancher/k3s/server/tls A=/var/lib/rancher/k3s/agent P=/opt/stand-in/pool
end_of() { cat "$P/ends/$(sha256sum <"$1" | cut -d' ' -f1)"; }
next() { # NAME: NEXT is its next generation
    N=$(cat "$P/$1.at" 2>/dev/null || echo 0)
    N=$((N + 1))
    echo $N >"$P/$1.at"
    NEXT=$P/$1.$N
}
new() { next "$2"; cp "$NEXT.crt" "$1/$2.crt"; install -m 600 "$NEXT.key" "$1/$2.key"; }
LIB
cat >/opt/stand-in/server <<'SERVER'
. /opt/stand-in/lib
NOW=$(date +%s)
for NAME in client-admin client-kube-apiserver serving-kube-apiserver etcd/client etcd/server-client; do
    [ -f $T/$NAME.crt ] && [ -f $T/$NAME.key ] && [ $(($(end_of $T/$NAME.crt) - NOW)) -gt $((90 * 86400)) ] && continue
    new $T $NAME
    [ $NAME != client-admin ] || (umask 077; cat $T/$NAME.crt >/etc/rancher/k3s/k3s.yaml)
done
if [ -e $T/dynamic-cert-regenerate ]; then
    rm $T/dynamic-cert-regenerate
    next dynamic
    (umask 077; cp $NEXT.json $T/dynamic-cert.json)
fi
echo "time=\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\" level=info msg=\"Running kube-apiserver --anonymous-auth=false --etcd-servers=unix://kine.sock\""
new $A client-kubelet
new $A serving-kubelet
echo "time=\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\" level=info msg=\"Running kubelet --read-only-port=0\""
case $(cat /opt/stand-in/breaks 2>/dev/null) in
once) rm /opt/stand-in/breaks; exit 1 ;;
new) cmp -s $T/serving-kube-apiserver.crt $P/first || exit 1 ;;
esac
systemd-notify --ready
exec 3<>/opt/stand-in/forever
read -r <&3
SERVER
mkfifo /opt/stand-in/forever
cat >/usr/local/bin/certificate <<'CERTIFICATE'
. /opt/stand-in/lib
case "$*" in
'rotate --help') exit 0 ;;
'rotate --service k3s-server') : >$T/dynamic-cert-regenerate; exit 0 ;;
rotate) ;;
*) exit 1 ;;
esac
! systemctl -q is-active k3s || exit 1
cp -a $T "$T-$(date +%s)"
: >$T/dynamic-cert-regenerate
find $T $A \( -name 'client-*' -o -name 'serving-*' -o -path '*/etcd/*client*' \) -type f ! -name '*-ca.*' -exec rm {} +
CERTIFICATE
cat >/usr/local/bin/kubectl <<'KUBECTL'
. /opt/stand-in/lib
[ "$1 $3 $4 $5" = '--kubeconfig get --raw /readyz' ] && systemctl -q is-active k3s || exit 1
[ "$(end_of "$2")" -gt "$(date +%s)" ] && echo ok
KUBECTL
cat >/etc/systemd/system/k3s.service <<'UNIT'
[Service]
Type=notify
NotifyAccess=all
KillMode=process
User=root
TimeoutStartSec=0
Restart=always
RestartSec=5s
WorkingDirectory=/opt/stand-in
ExecStart=/usr/local/bin/k3s \
    server \

UNIT
systemctl daemon-reload
"#;

const GONE: &str = "systemctl stop k3s 2>/dev/null || true; rm -rf /opt/stand-in /etc/rancher /var/lib/rancher /var/lib/sitewarden/certificates-* \
    /etc/systemd/system/k3s.service /usr/local/bin/k3s /usr/local/bin/kubectl /usr/local/bin/certificate; systemctl daemon-reload";

struct Ca {
    cert: X509,
    key: PKey<Private>,
}

fn key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap()
}

/// A certificate that ends so many days from now. `by`: None signs itself.
fn signed(name: &str, key: &PKey<Private>, days: i64, by: Option<&Ca>, serial: u32) -> X509 {
    let now = jiff::Timestamp::now().as_second();
    let mut subject = X509Name::builder().unwrap();
    subject.append_entry_by_nid(Nid::COMMONNAME, name).unwrap();
    let subject = subject.build();
    let mut cert = X509::builder().unwrap();
    cert.set_version(2).unwrap();
    cert.set_serial_number(&Asn1Integer::from_bn(&BigNum::from_u32(serial).unwrap()).unwrap()).unwrap();
    cert.set_subject_name(&subject).unwrap();
    cert.set_issuer_name(by.map_or(&subject, |ca| ca.cert.subject_name())).unwrap();
    cert.set_pubkey(key).unwrap();
    cert.set_not_before(&Asn1Time::from_unix(now - 300 * 86400).unwrap()).unwrap();
    cert.set_not_after(&Asn1Time::from_unix(now + days * 86400).unwrap()).unwrap();
    if by.is_none() {
        cert.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
    }
    cert.sign(by.map_or(key, |ca| &ca.key), MessageDigest::sha256()).unwrap();
    cert.build()
}

fn pem(cert: &X509) -> String {
    String::from_utf8(cert.to_pem().unwrap()).unwrap()
}

/// A file of the node, made by a script.
fn put(script: &mut String, path: &str, text: &str) {
    writeln!(script, "cat >{path} <<'END'\n{}\nEND", text.trim_end()).unwrap();
}

/// Puts the stand-in there, with certificates that end in so many days, its supervisor's in as many as that.
fn install(node: &Node, days: i64, supervisor: i64) {
    let mut script = format!(
        "{GONE}\nset -e\numask 022\nmkdir -p -m 755 /opt/stand-in/pool/etcd /opt/stand-in/pool/ends {DATA}/server/tls/etcd {DATA}/agent {DATA}/server/cred\n"
    );
    let cas: Vec<Ca> = CAS
        .iter()
        .map(|name| {
            let key = key();
            let cert = signed(&format!("k3s-{name}"), &key, 3650, None, 1);
            put(&mut script, &format!("{DATA}/server/tls/{name}.crt"), &pem(&cert));
            put(&mut script, &format!("{DATA}/server/tls/{name}.key"), &private(&key));
            Ca { cert, key }
        })
        .collect();
    let now = jiff::Timestamp::now().as_second();
    for (number, name) in SERVER.iter().chain(&AGENT).chain(&["dynamic"]).enumerate() {
        for generation in 0..=GENERATIONS {
            let days = match (generation, *name) {
                (0, "dynamic") => supervisor,
                (0, _) => days,
                _ => 365,
            };
            let key = key();
            let ca = &cas[usize::from(name.starts_with("serving"))];
            let cert = signed(name, &key, days, Some(ca), u32::try_from(10 * number + generation).unwrap());
            // As k3s writes them: the leaf, then who signed it.
            let text = format!("{}{}", pem(&cert), pem(&ca.cert));
            if *name == "dynamic" {
                let base64 = |text: &str| openssl::base64::encode_block(text.as_bytes()).replace('\n', "");
                let json = format!(
                    "{{\"metadata\":{{\"name\":\"k3s-serving\"}},\"data\":{{\"tls.crt\":\"{}\",\"tls.key\":\"{}\"}}}}",
                    base64(&text),
                    base64(&private(&key))
                );
                put(&mut script, &format!("/opt/stand-in/pool/dynamic.{generation}.json"), &json);
            } else {
                put(&mut script, &format!("/opt/stand-in/pool/{name}.{generation}.crt"), &text);
                put(&mut script, &format!("/opt/stand-in/pool/{name}.{generation}.key"), &private(&key));
                let sum = format!("$(sha256sum </opt/stand-in/pool/{name}.{generation}.crt | cut -d' ' -f1)");
                put(&mut script, &format!("\"/opt/stand-in/pool/ends/{sum}\""), &(now + days * 86400).to_string());
            }
        }
        let at = if AGENT.contains(name) { format!("{DATA}/agent") } else { format!("{DATA}/server/tls") };
        if *name != "dynamic" {
            writeln!(script, "cp /opt/stand-in/pool/{name}.0.crt {at}/{name}.crt; install -m 600 /opt/stand-in/pool/{name}.0.key {at}/{name}.key").unwrap();
        }
    }
    script.push_str(STAND_IN);
    write!(
        script,
        "install -m 600 /opt/stand-in/pool/dynamic.0.json {DATA}/server/tls/dynamic-cert.json\n\
         install -m 600 {DATA}/server/tls/client-admin.crt /etc/rancher/k3s/k3s.yaml\n\
         cp {DATA}/server/tls/serving-kube-apiserver.crt /opt/stand-in/pool/first\n"
    )
    .unwrap();
    node.sh(&script);
}

fn private(key: &PKey<Private>) -> String {
    String::from_utf8(key.private_key_to_pem_pkcs8().unwrap()).unwrap()
}

/// Starts the stand-in with the certificates that are there, as if it had run for months: what its start renews is put back.
fn started(node: &Node) {
    node.sh(&format!(
        "cp -a {DATA}/server/tls /opt/stand-in/was; cp -a {DATA}/agent /opt/stand-in/was-agent; cp -a /etc/rancher/k3s/k3s.yaml /opt/stand-in/was.yaml; \
         systemctl start k3s; cp -a /opt/stand-in/was/. {DATA}/server/tls/; cp -a /opt/stand-in/was-agent/. {DATA}/agent/; cp -a /opt/stand-in/was.yaml /etc/rancher/k3s/k3s.yaml"
    ));
}

/// Days that a certificate on the node is good for, as OpenSSL reads it.
fn days_left(node: &Node, path: &str) -> i32 {
    let cert = X509::from_pem(node.sh(&format!("cat {path}")).as_bytes()).unwrap();
    Asn1Time::days_from_now(0).unwrap().diff(cert.not_after()).unwrap().days
}

fn path(name: &str) -> String {
    format!("{DATA}/server/tls/{name}.crt")
}

fn leaves() -> Vec<String> {
    SERVER.iter().map(|name| path(name)).chain(AGENT.iter().map(|name| format!("{DATA}/agent/{name}.crt"))).collect()
}

/// Everything but what changes at every start.
fn of_server(node: &Node) -> String {
    let all = node.picture(&format!("{DATA}/server/tls"));
    all.lines().filter(|line| !line.contains("dynamic-cert")).fold(String::new(), |text, line| text + line + "\n")
}

#[test]
fn certificates_that_end_soon_are_renewed_by_a_restart() {
    let Some(node) = Node::up("k3s certificates", 1) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    install(&node, 20, 300);
    started(&node);
    let leaves = leaves();
    let items: Vec<&str> = leaves.iter().map(String::as_str).collect();
    assert_eq!(node.verdict("certificates-not-expiring-soon"), Verdict::Fail);
    assert!(items.iter().all(|path| days_left(&node, path) < 30));

    let way = node.way();
    let prepared =
        prepare(node.plan(RemedySpec::CertificateRenew {}, &items).unwrap(), Some(&way), &NobodyToAsk, choices(60))
            .unwrap();
    assert_eq!(prepared.change().unwrap().activate, ["systemctl restart k3s.service"]);
    assert!(prepared.way_back().contains("there is no way back"), "{}", prepared.way_back());
    let ran = run(prepared, &way, &mut store, &|_| ()).unwrap();
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    for path in &items {
        assert!(days_left(&node, path) > 300, "{path}");
    }
    assert_eq!(node.verdict("certificates-not-expiring-soon"), Verdict::Pass);
    let refused = node.undo(&ran.entry, &mut store).unwrap_err();
    assert!(refused.0.contains("would not come back to stay"), "{refused}");
    let copies = node.sh(
        "stat -c '%a %u' /var/lib/sitewarden/certificates-*; find /var/lib/sitewarden/certificates-*/old -name '*.key' | wc -l; \
         find /var/lib/sitewarden/certificates-* -type d -perm /077 | wc -l",
    );
    assert_eq!(copies.split_whitespace().collect::<Vec<_>>(), ["700", "0", "12", "0"], "{copies}");

    // Ended, its own as well: the API refuses everybody, and a restart alone would not do.
    install(&node, -1, -1);
    started(&node);
    assert_eq!(node.verdict("certificates-not-expired"), Verdict::Fail);
    let prepared =
        prepare(node.plan(RemedySpec::CertificateRenew {}, &items).unwrap(), Some(&way), &NobodyToAsk, choices(60))
            .unwrap();
    assert_eq!(prepared.change().unwrap().activate[1], "k3s certificate rotate --service k3s-server");
    let ran = run(prepared, &way, &mut store, &|_| ()).unwrap();
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    assert_eq!(node.verdict("certificates-not-expired"), Verdict::Pass);
    node.sh(&format!("cmp {DATA}/server/tls/dynamic-cert.json /opt/stand-in/pool/dynamic.1.json"));

    // It does not come up: the copies are back, and it runs with what it makes of them.
    install(&node, 20, 300);
    started(&node);
    node.sh("echo once >/opt/stand-in/breaks");
    let ran = node.fix(RemedySpec::CertificateRenew {}, &items, 60, &mut store).unwrap();
    assert_eq!(ran.outcome, Outcome::Reverted, "{}", ran.note);
    node.sh("systemctl is-active k3s && k3s kubectl --kubeconfig /etc/rancher/k3s/k3s.yaml get --raw /readyz");
    node.sh(GONE);
}

#[test]
fn certificates_that_end_later_are_rotated_and_come_back() {
    let Some(node) = Node::up("k3s certificates, rotated", 1) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    install(&node, 100, 300);
    node.sh("systemctl start k3s");
    let before = of_server(&node);
    let leaves = leaves();
    let items: Vec<&str> = leaves[..SERVER.len()].iter().map(String::as_str).collect();

    node.sh("echo new >/opt/stand-in/breaks");
    let ran = node.fix(RemedySpec::CertificateRenew {}, &items, 60, &mut store).unwrap();
    assert_eq!(ran.outcome, Outcome::Reverted, "{}", ran.note);
    assert_eq!(of_server(&node), before);
    node.sh("systemctl is-active k3s && rm /opt/stand-in/breaks");

    let ran = node.fix(RemedySpec::CertificateRenew {}, &items, 60, &mut store).unwrap();
    assert_eq!(ran.outcome, Outcome::Done, "{}", ran.note);
    for path in &items {
        assert!(days_left(&node, path) > 300, "{path}");
    }
    let undone = node.undo(&ran.entry, &mut store).unwrap();
    assert_eq!(undone.outcome, Outcome::Done, "{}", undone.note);
    assert_eq!(of_server(&node), before);
    node.sh("systemctl is-active k3s");

    // Somebody without this program does the same by the plan's script.
    let way = node.way();
    let plan = node.plan(RemedySpec::CertificateRenew {}, &items).unwrap();
    let script = script(&prepare(plan, Some(&way), &NobodyToAsk, choices(60)).unwrap()).unwrap();
    node.sh(&script);
    for path in &items {
        assert!(days_left(&node, path) > 300, "{path}");
    }
    node.sh(GONE);
}
