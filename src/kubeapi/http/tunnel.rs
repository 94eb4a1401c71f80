//! Through a proxy: HTTP's CONNECT, or SOCKS 5 (RFC 1928, RFC 1929). What a proxy says is bounded and never shown.

use super::super::error::ApiError;
use super::super::kubeconfig::authority;
use super::route::Proxy;
use crate::evidence::Reason;
use openssl::base64::encode_block;
use std::io;
use std::net::IpAddr;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use zeroize::Zeroizing;

/// Longest answer of a proxy before the tunnel begins.
const LONGEST: usize = 16 << 10;

/// The value of `Proxy-Authorization`.
pub(super) fn basic(proxy: &Proxy) -> Option<Zeroizing<String>> {
    let (user, password) = proxy.login.as_ref()?;
    let pair = Zeroizing::new(format!("{}:{}", user.expose(), password.expose()));
    Some(Zeroizing::new(format!("Basic {}", encode_block(pair.as_bytes()))))
}

/// Asks an HTTP proxy for a tunnel.
pub(super) async fn connect<S>(stream: &mut S, proxy: &Proxy, host: &str, port: u16) -> Result<(), ApiError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let to = authority(host, port);
    let login = basic(proxy).map_or_else(Zeroizing::default, |value| {
        Zeroizing::new(format!("Proxy-Authorization: {}\r\n", value.as_str()))
    });
    let request = Zeroizing::new(format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n{}\r\n", login.as_str()));
    stream.write_all(request.as_bytes()).await.map_err(|error| cut(proxy, &error))?;
    stream.flush().await.map_err(|error| cut(proxy, &error))?;
    let mut answer = Vec::new();
    // Byte by byte: what follows the empty line belongs to the tunnel.
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() >= LONGEST {
            return Err(no_proxy(proxy));
        }
        answer.push(stream.read_u8().await.map_err(|error| cut(proxy, &error))?);
    }
    let line = answer.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let words = std::str::from_utf8(line).unwrap_or_default();
    let status = words.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)).and_then(|word| word.parse().ok());
    match status {
        Some(200..=299) => Ok(()),
        Some(407) => Err(wants_login(proxy)),
        Some(status @ 100..=599) => Err(refuses(proxy, &format!("status {status}")).with_status(status)),
        _ => Err(no_proxy(proxy)),
    }
}

/// Asks a SOCKS 5 proxy for a tunnel. Names are resolved by the proxy, as with kubectl.
pub(super) async fn socks5<S>(stream: &mut S, proxy: &Proxy, host: &str, port: u16) -> Result<(), ApiError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let broken = |error: io::Error| cut(proxy, &error);
    let offer: &[u8] = if proxy.login.is_some() { &[5, 2, 0, 2] } else { &[5, 1, 0] };
    stream.write_all(offer).await.map_err(broken)?;
    let mut chosen = [0; 2];
    stream.read_exact(&mut chosen).await.map_err(broken)?;
    match (chosen, &proxy.login) {
        ([5, 0], _) => {}
        ([5, 2], Some((user, password))) => {
            let mut login = Zeroizing::new(vec![1]);
            for part in [user, password] {
                login.push(u8::try_from(part.expose().len()).map_err(|_| wants_login(proxy))?);
                login.extend_from_slice(part.expose().as_bytes());
            }
            stream.write_all(&login).await.map_err(broken)?;
            let mut said = [0; 2];
            stream.read_exact(&mut said).await.map_err(broken)?;
            if said[1] != 0 {
                return Err(wants_login(proxy));
            }
        }
        ([5, _], _) => return Err(wants_login(proxy)),
        _ => return Err(no_proxy(proxy)),
    }
    let mut request = vec![5, 1, 0];
    match host.parse() {
        Ok(IpAddr::V4(address)) => {
            request.push(1);
            request.extend_from_slice(&address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            request.push(4);
            request.extend_from_slice(&address.octets());
        }
        Err(_) => {
            request.push(3);
            request.push(u8::try_from(host.len()).map_err(|_| refuses(proxy, "the name is too long"))?);
            request.extend_from_slice(host.as_bytes());
        }
    }
    request.extend_from_slice(&port.to_be_bytes());
    stream.write_all(&request).await.map_err(broken)?;
    let mut head = [0; 4];
    stream.read_exact(&mut head).await.map_err(broken)?;
    if head[0] != 5 {
        return Err(no_proxy(proxy));
    }
    if head[1] != 0 {
        return Err(refuses(proxy, &format!("SOCKS reply {}", head[1])));
    }
    let rest = match head[3] {
        1 => 4,
        4 => 16,
        3 => usize::from(stream.read_u8().await.map_err(broken)?),
        _ => return Err(no_proxy(proxy)),
    };
    let mut bound = vec![0; rest + 2];
    stream.read_exact(&mut bound).await.map_err(broken)?;
    Ok(())
}

fn cut(proxy: &Proxy, error: &io::Error) -> ApiError {
    let text = format!("the proxy {} ended the connection ({}). Check {}", proxy.shown, error.kind(), proxy.named_by);
    ApiError::new(Reason::Unreachable, text)
}

fn no_proxy(proxy: &Proxy) -> ApiError {
    let text = format!("what answers at {} is no such proxy. Check {}", proxy.shown, proxy.named_by);
    ApiError::new(Reason::Malformed, text)
}

fn wants_login(proxy: &Proxy) -> ApiError {
    let text = format!(
        "the proxy {} wants a login, or another one. Write it into {} as ://USER:PASSWORD@",
        proxy.shown, proxy.named_by
    );
    ApiError::new(Reason::Forbidden, text)
}

fn refuses(proxy: &Proxy, how: &str) -> ApiError {
    let text = format!(
        "the proxy {} does not lead to the API server ({how}). Check the server's address, and whether {} is meant for it (else name the server in NO_PROXY)",
        proxy.shown, proxy.named_by
    );
    ApiError::new(Reason::Unreachable, text)
}
