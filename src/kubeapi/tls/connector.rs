//! The TLS configuration of one cluster, and the handshake.

use super::super::error::ApiError;
use super::anchors::Anchors;
use super::refused::{Refused, Witness};
use crate::evidence::Reason;
use hyper_openssl::SslStream;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Private};
use openssl::ssl::{Ssl, SslConnector, SslMethod, SslVerifyMode, SslVersion};
use openssl::x509::X509;
use openssl::x509::verify::X509CheckFlags;
use std::net::IpAddr;
use std::pin::Pin;
use tokio::io::{AsyncRead, AsyncWrite};

/// A client certificate with its key.
#[derive(Clone)]
pub(in crate::kubeapi) struct Identity {
    /// The certificate, then those that lead to its CA.
    chain: Vec<X509>,
    key: PKey<Private>,
    /// Where it is from, for sentences.
    pub(in crate::kubeapi) place: String,
    /// Until when it is valid.
    pub(in crate::kubeapi) until: Option<Timestamp>,
}

impl Identity {
    /// Takes a chain and a key that must fit its first certificate.
    pub(in crate::kubeapi) fn new(chain: Vec<X509>, key: PKey<Private>, place: String) -> Result<Self, ApiError> {
        let fits = chain.first().and_then(|first| first.public_key().ok()).is_some_and(|public| public.public_eq(&key));
        if !fits {
            let text = format!("{place}: the key does not belong to the certificate. Fetch both again");
            return Err(ApiError::new(Reason::Malformed, text));
        }
        let until = chain.first().and_then(|first| super::moment(first.not_after()));
        Ok(Identity { chain, key, place, until })
    }
}

/// Builds the configuration. TLS 1.2 is the oldest version, as Go's clients have it.
pub(in crate::kubeapi) fn connector(anchors: &Anchors, identity: Option<&Identity>) -> Result<SslConnector, ApiError> {
    let own = |_: ErrorStack| ApiError::new(Reason::Unsupported, "OpenSSL does not start on this machine. Report it");
    let store = anchors.store()?;
    let mut builder = SslConnector::builder(SslMethod::tls_client()).map_err(own)?;
    builder.set_cert_store(store);
    builder.set_min_proto_version(Some(SslVersion::TLS1_2)).map_err(own)?;
    builder.set_alpn_protos(b"\x08http/1.1").map_err(own)?;
    if matches!(anchors, Anchors::Anybody) {
        builder.set_verify(SslVerifyMode::NONE);
    }
    if let Some(identity) = identity {
        let weak = |_: ErrorStack| {
            let text = format!(
                "{}: OpenSSL refuses it, since its key or signature is too weak. Have a new one issued",
                identity.place
            );
            ApiError::new(Reason::Unsupported, text)
        };
        let mut chain = identity.chain.iter();
        if let Some(first) = chain.next() {
            builder.set_certificate(first).map_err(weak)?;
        }
        for more in chain {
            builder.add_extra_chain_cert(more.clone()).map_err(weak)?;
        }
        builder.set_private_key(&identity.key).map_err(weak)?;
    }
    Ok(builder.build())
}

/// One handshake to come.
pub(in crate::kubeapi) struct Handshake {
    ssl: Ssl,
    witness: Witness,
}

impl Handshake {
    /// For a name or address that the certificate must be for, and which the server is told (not an address).
    pub(in crate::kubeapi) fn new(connector: &SslConnector, name: &str) -> Result<Self, ApiError> {
        let own = |_: ErrorStack| {
            ApiError::new(
                Reason::Unsupported,
                "the server's name cannot be used with TLS. Correct it in the kubeconfig",
            )
        };
        let mut configuration = connector.configure().map_err(own)?;
        let verified = configuration.verify_mode() != SslVerifyMode::NONE;
        configuration.set_verify_hostname(verified);
        configuration.set_use_server_name_indication(name.parse::<IpAddr>().is_err());
        let mut ssl = configuration.into_ssl(name).map_err(own)?;
        let witness = Witness::default();
        if verified {
            // A certificate without alternative names is for nobody, as Go has it.
            let flags = X509CheckFlags::NO_PARTIAL_WILDCARDS | X509CheckFlags::NEVER_CHECK_SUBJECT;
            ssl.param_mut().set_hostflags(flags);
            ssl.set_verify_callback(SslVerifyMode::PEER, witness.callback());
        }
        Ok(Handshake { ssl, witness })
    }

    /// Shakes hands.
    pub(in crate::kubeapi) async fn make<S>(self, stream: S) -> Result<TokioIo<SslStream<TokioIo<S>>>, Refused>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut stream = SslStream::new(self.ssl, TokioIo::new(stream)).map_err(Refused::own)?;
        match Pin::new(&mut stream).connect().await {
            Ok(()) => Ok(TokioIo::new(stream)),
            Err(error) => Err(Refused::new(&error, self.witness)),
        }
    }
}
