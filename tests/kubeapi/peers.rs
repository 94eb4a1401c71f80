//! Servers on loopback, certificates for them, and kubeconfigs that lead to them.

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{SslAcceptor, SslMethod, SslVerifyMode};
use openssl::x509::extension::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName, SubjectKeyIdentifier,
};
use openssl::x509::{X509, X509NameBuilder};
use sitewarden::kubeapi::{Api, ApiError, ApiLimits, block_on};
use sitewarden::site::ClusterTarget;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

/// Far longer than anything takes that comes to its end.
pub const PATIENT: ApiLimits =
    ApiLimits { connect: Duration::from_secs(30), request: Duration::from_secs(30), answer: 4 << 20, items: 10_000 };

/// For peers that never come to an end.
pub const HASTY: ApiLimits =
    ApiLimits { connect: Duration::from_millis(400), request: Duration::from_millis(400), ..PATIENT };

/// A certificate with its key.
#[derive(Clone)]
pub struct Pair {
    pub certificate: X509,
    pub key: PKey<Private>,
}

/// How a certificate is to be.
#[derive(Clone)]
pub struct Form {
    pub name: &'static str,
    /// Days from now.
    pub from: i64,
    pub until: i64,
    pub ca: bool,
    pub names: Vec<&'static str>,
    pub organisation: Option<&'static str>,
}

impl Form {
    pub fn ca() -> Self {
        Form { name: "test-ca", from: -10, until: 3650, ca: true, names: vec![], organisation: None }
    }

    pub fn server() -> Self {
        Form { name: "kube-apiserver", ca: false, names: vec!["127.0.0.1", "localhost"], ..Form::ca() }
    }
}

impl Pair {
    /// Signed by another, or by itself.
    pub fn new(form: &Form, by: Option<&Pair>) -> Pair {
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
        let mut name = X509NameBuilder::new().unwrap();
        if let Some(organisation) = form.organisation {
            name.append_entry_by_text("O", organisation).unwrap();
        }
        name.append_entry_by_text("CN", form.name).unwrap();
        let name = name.build();
        let mut builder = X509::builder().unwrap();
        builder.set_version(2).unwrap();
        let mut serial = BigNum::new().unwrap();
        serial.rand(120, MsbOption::MAYBE_ZERO, false).unwrap();
        builder.set_serial_number(&serial.to_asn1_integer().unwrap()).unwrap();
        builder.set_subject_name(&name).unwrap();
        builder.set_issuer_name(by.map_or(&name, |by| by.certificate.subject_name())).unwrap();
        builder.set_pubkey(&key).unwrap();
        let now = jiff::Timestamp::now().as_second();
        let day = |days: i64| Asn1Time::from_unix(now + days * 86_400).unwrap();
        builder.set_not_before(&day(form.from)).unwrap();
        builder.set_not_after(&day(form.until)).unwrap();
        // As kubeadm's have them: by these a renewed CA is told from the old one of the same name.
        let context = builder.x509v3_context(by.map(|by| &*by.certificate), None);
        let own = SubjectKeyIdentifier::new().build(&context).unwrap();
        builder.append_extension(own).unwrap();
        if let Some(by) = by {
            let context = builder.x509v3_context(Some(&by.certificate), None);
            let issuers = AuthorityKeyIdentifier::new().keyid(false).build(&context).unwrap();
            builder.append_extension(issuers).unwrap();
        }
        if form.ca {
            builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
            builder.append_extension(KeyUsage::new().critical().key_cert_sign().build().unwrap()).unwrap();
        } else {
            let usage = ExtendedKeyUsage::new().server_auth().client_auth().build().unwrap();
            builder.append_extension(usage).unwrap();
        }
        if !form.names.is_empty() {
            let mut names = SubjectAlternativeName::new();
            for name in &form.names {
                if name.parse::<std::net::IpAddr>().is_ok() {
                    names.ip(name)
                } else {
                    names.dns(name)
                };
            }
            let context = builder.x509v3_context(by.map(|by| &*by.certificate), None);
            let names = names.build(&context).unwrap();
            builder.append_extension(names).unwrap();
        }
        builder.sign(by.map_or(&key, |by| &by.key), MessageDigest::sha256()).unwrap();
        Pair { certificate: builder.build(), key }
    }

    pub fn pem(&self) -> String {
        String::from_utf8(self.certificate.to_pem().unwrap()).unwrap()
    }

    pub fn key_pem(&self) -> String {
        String::from_utf8(self.key.private_key_to_pem_pkcs8().unwrap()).unwrap()
    }

    /// TLS with this certificate; `clients`: whose clients are asked for theirs.
    pub fn acceptor(&self, clients: Option<&Pair>) -> Arc<SslAcceptor> {
        let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).unwrap();
        acceptor.set_certificate(&self.certificate).unwrap();
        acceptor.set_private_key(&self.key).unwrap();
        if clients.is_some() {
            // As kube-apiserver: asked for, and judged by what answers, not by the handshake.
            acceptor.set_verify_callback(SslVerifyMode::PEER, |_, _| true);
        }
        Arc::new(acceptor.build())
    }
}

/// A request that came.
pub struct Request {
    pub line: String,
    pub head: String,
    pub body: Vec<u8>,
}

impl Request {
    pub fn path(&self) -> &str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            line.split_once(':').filter(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
        })
    }
}

/// Reads a request. None: the connection ended.
pub fn request(stream: &mut dyn Read) -> Option<Request> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).ok()?;
    let line = head.lines().next()?.to_owned();
    let mut request = Request { line, head, body: Vec::new() };
    let length: usize = request.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    request.body = vec![0; length];
    stream.read_exact(&mut request.body).ok()?;
    Some(request)
}

/// What both kinds of connection are.
pub trait Wire: Read + Write {}
impl<S: Read + Write> Wire for S {}

/// A port of 127.0.0.1 where every connection is handed to `talk`, in a thread of its own.
pub fn listen(talk: impl Fn(TcpStream) + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let talk = Arc::new(talk);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let talk = Arc::clone(&talk);
            thread::spawn(move || talk(stream));
        }
    });
    port
}

/// A server whose answers `answer` writes, as long as it gives true.
pub fn serve(
    acceptor: Option<Arc<SslAcceptor>>,
    answer: impl Fn(&Request, &mut dyn Wire) -> bool + Send + Sync + 'static,
) -> u16 {
    listen(move |stream| {
        let mut stream: Box<dyn Wire> = match &acceptor {
            None => Box::new(stream),
            Some(acceptor) => match acceptor.accept(stream) {
                Ok(stream) => Box::new(stream),
                Err(_) => return,
            },
        };
        while let Some(request) = request(&mut stream) {
            if !answer(&request, &mut stream) {
                break;
            }
        }
    })
}

/// Writes an answer.
pub fn send(stream: &mut dyn Wire, status: &str, more: &str, body: &[u8]) -> bool {
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{more}\r\n", body.len());
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).and_then(|()| stream.flush()).is_ok()
}

pub const VERSION: &[u8] = br#"{"major":"1","minor":"36","gitVersion":"v1.36.2","platform":"linux/amd64"}"#;

/// A healthy server but for what `answer` says: None leaves a request to it.
pub fn healthy(answer: impl Fn(&Request, &mut dyn Wire) -> Option<bool> + Send + Sync + 'static) -> u16 {
    serve(None, move |request, stream| {
        if request.path() == "/version" {
            return send(stream, "200 OK", "Date: Tue, 25 Nov 2025 21:34:07 GMT\r\n", VERSION);
        }
        answer(request, stream).unwrap_or_else(|| send(stream, "404 Not Found", "", b"{}"))
    })
}

/// A kubeconfig in a folder of its own.
pub struct Config {
    pub folder: TempDir,
    pub target: ClusterTarget,
}

impl Config {
    /// `cluster` and `user` are the entries' contents in YAML's flow style: `server: https://..., ...`.
    pub fn new(cluster: &str, user: &str) -> Config {
        Config::in_folder(tempfile::tempdir().unwrap(), cluster, user)
    }

    pub fn in_folder(folder: TempDir, cluster: &str, user: &str) -> Config {
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: here\ncontexts:\n- {{name: here, context: {{cluster: c, user: u}}}}\nclusters:\n- {{name: c, cluster: {{{cluster}}}}}\nusers:\n- {{name: u, user: {{{user}}}}}\n"
        );
        let path = folder.path().join("config");
        std::fs::write(&path, text).unwrap();
        let target = ClusterTarget { kubeconfig: vec![path], ..ClusterTarget::default() };
        Config { folder, target }
    }

    /// To a plain HTTP server on a port of loopback.
    pub fn plain(port: u16, user: &str) -> Config {
        Config::new(&format!("server: 'http://127.0.0.1:{port}'"), user)
    }

    /// To a TLS server, with a CA.
    pub fn tls(port: u16, ca: &Pair, user: &str) -> Config {
        let ca = data(&ca.pem());
        Config::new(&format!("server: 'https://127.0.0.1:{port}', certificate-authority-data: {ca}"), user)
    }

    pub fn put(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    pub fn connect(&self, limits: ApiLimits) -> Result<Api, ApiError> {
        block_on(Api::connect(&self.target, limits)).unwrap()
    }

    /// The error of connecting. Every one names where it is or what it is about, and none what was sent.
    pub fn fails(&self, limits: ApiLimits) -> ApiError {
        let error = self.connect(limits).map(|api| api.server().to_owned()).unwrap_err();
        assert!(!error.message.contains("geheim") && !error.message.contains("<html"), "{}", error.message);
        error
    }

    /// Connects and does something with the client.
    pub fn with<T>(&self, limits: ApiLimits, work: impl AsyncFnOnce(&Api) -> T) -> T {
        block_on(async {
            let api = Api::connect(&self.target, limits).await.unwrap();
            work(&api).await
        })
        .unwrap()
    }
}

/// Text as a kubeconfig's `-data`.
pub fn data(text: &str) -> String {
    openssl::base64::encode_block(text.as_bytes())
}
