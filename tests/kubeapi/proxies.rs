//! Through HTTP and SOCKS proxies.

use super::peers::*;
use sitewarden::evidence::Reason;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Passes bytes between two connections until one ends.
fn join(one: TcpStream, other: TcpStream) {
    let (mut from, mut to) = (one.try_clone().unwrap(), other.try_clone().unwrap());
    let back = thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
    let (mut from, mut to) = (other, one);
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Both);
    let _ = back.join();
}

/// An HTTP proxy that wants this login, where one is given; keeps what it is asked.
fn http_proxy(login: Option<&'static str>) -> (u16, Arc<Mutex<Vec<String>>>) {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&asked);
    let port = listen(move |mut stream| {
        let Some(request) = request(&mut stream) else { return };
        kept.lock().unwrap().push(request.line.clone());
        let wanted = login.map(|login| format!("Basic {}", data(login)));
        if wanted.is_some() && request.header("proxy-authorization") != wanted.as_deref() {
            let _ = stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
            return;
        }
        if let Some(to) = request.line.strip_prefix("CONNECT ") {
            let to = to.split(' ').next().unwrap();
            match TcpStream::connect(to) {
                Ok(server) => {
                    stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
                    join(stream, server);
                }
                Err(_) => {
                    let _ = stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\n\r\n");
                }
            }
        } else {
            send(&mut stream, "200 OK", "", VERSION);
        }
    });
    (port, asked)
}

/// A TLS server and the cluster's entry for it by a proxy.
fn behind(proxy: &str) -> Config {
    let ca = Pair::new(&Form::ca(), None);
    let server = Pair::new(&Form::server(), Some(&ca));
    let port = serve(Some(server.acceptor(None)), |_, stream| send(stream, "200 OK", "", VERSION));
    let ca = data(&ca.pem());
    Config::new(
        &format!("server: 'https://127.0.0.1:{port}', certificate-authority-data: {ca}, proxy-url: '{proxy}'"),
        "",
    )
}

#[test]
fn an_http_proxy_makes_a_tunnel() {
    let (port, asked) = http_proxy(None);
    assert!(behind(&format!("http://127.0.0.1:{port}")).connect(PATIENT).is_ok());
    assert!(asked.lock().unwrap()[0].starts_with("CONNECT 127.0.0.1:"));
}

#[test]
fn a_proxy_that_wants_a_login_gets_it_or_is_named() {
    let (port, _) = http_proxy(Some("jane:p@ss:word"));
    assert!(behind(&format!("http://jane:p%40ss%3Aword@127.0.0.1:{port}")).connect(PATIENT).is_ok());
    let error = behind(&format!("http://jane:geheim@127.0.0.1:{port}")).fails(PATIENT);
    assert_eq!(error.reason, Reason::Forbidden);
    assert!(error.message.contains(&format!("the proxy http://127.0.0.1:{port} wants a login")), "{}", error.message);
}

#[test]
fn plain_http_is_asked_of_the_proxy_itself() {
    let (port, asked) = http_proxy(None);
    let config = Config::new(&format!("server: 'http://api.invalid:8080', proxy-url: 'http://127.0.0.1:{port}'"), "");
    assert!(config.connect(PATIENT).is_ok());
    assert_eq!(asked.lock().unwrap()[0], "GET http://api.invalid:8080/version HTTP/1.1");
}

#[test]
fn a_proxy_that_is_none_or_is_not_there_is_named() {
    let (port, _) = http_proxy(None);
    let config = Config::new(&format!("server: 'https://127.0.0.1:1', proxy-url: 'http://127.0.0.1:{port}'"), "");
    let message = config.fails(PATIENT).message;
    assert!(message.contains("status 502"), "{message}");
    let message = behind("http://127.0.0.1:1").fails(PATIENT).message;
    assert!(message.contains("the proxy http://127.0.0.1:1: connection refused"), "{message}");
    let odd = listen(|mut stream| {
        let _ = stream.write_all(b"SSH-2.0-x\r\n\r\n");
        let _ = stream.read(&mut [0; 64]);
    });
    let message = behind(&format!("http://127.0.0.1:{odd}")).fails(PATIENT).message;
    assert!(message.contains("is no such proxy"), "{message}");
    let silent = listen(|mut stream| {
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let error = behind(&format!("http://127.0.0.1:{silent}")).fails(HASTY);
    assert_eq!(error.reason, Reason::Timeout);
}

/// A SOCKS proxy that wants this user and password, where they are given.
fn socks_proxy(login: Option<(&'static str, &'static str)>) -> u16 {
    listen(move |mut stream| {
        let mut head = [0; 2];
        stream.read_exact(&mut head).unwrap();
        let mut ways = vec![0; usize::from(head[1])];
        stream.read_exact(&mut ways).unwrap();
        if let Some((user, password)) = login {
            if !ways.contains(&2) {
                let _ = stream.write_all(&[5, 0xff]);
                return;
            }
            stream.write_all(&[5, 2]).unwrap();
            let mut given = vec![0; 3 + user.len() + password.len()];
            stream.read_exact(&mut given).unwrap();
            let right = given[2..2 + user.len()] == *user.as_bytes() && given[3 + user.len()..] == *password.as_bytes();
            stream.write_all(&[1, u8::from(!right)]).unwrap();
            if !right {
                return;
            }
        } else {
            stream.write_all(&[5, 0]).unwrap();
        }
        let mut wanted = [0; 10];
        stream.read_exact(&mut wanted).unwrap();
        let port = u16::from_be_bytes([wanted[8], wanted[9]]);
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(server) => {
                stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
                join(stream, server);
            }
            Err(_) => {
                let _ = stream.write_all(&[5, 5, 0, 1, 0, 0, 0, 0, 0, 0]);
            }
        }
    })
}

#[test]
fn socks_proxies_make_a_tunnel() {
    let port = socks_proxy(None);
    assert!(behind(&format!("socks5://127.0.0.1:{port}")).connect(PATIENT).is_ok());
    let port = socks_proxy(Some(("jane", "word")));
    assert!(behind(&format!("socks5://jane:word@127.0.0.1:{port}")).connect(PATIENT).is_ok());
    let error = behind(&format!("socks5://jane:nope@127.0.0.1:{port}")).fails(PATIENT);
    assert!(error.message.contains("wants a login"), "{}", error.message);
    let error = behind(&format!("socks5://127.0.0.1:{port}")).fails(PATIENT);
    assert!(error.message.contains("wants a login"), "{}", error.message);
    let port = socks_proxy(None);
    let config = Config::new(&format!("server: 'https://127.0.0.1:1', proxy-url: 'socks5://127.0.0.1:{port}'"), "");
    assert!(config.fails(PATIENT).message.contains("SOCKS reply 5"));
}
