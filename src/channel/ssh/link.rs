//! The stream beneath a session: a socket to the peer, or one end of a pair that a jump host's [`super::pump`] serves.

use std::net::{Shutdown, TcpStream};

/// A connected stream.
#[cfg(unix)]
pub(super) type Link = std::os::fd::OwnedFd;
/// A connected stream.
#[cfg(not(unix))]
pub(super) type Link = TcpStream;

/// A socket to a peer as a link that does not block.
pub(super) fn of_socket(stream: TcpStream) -> std::io::Result<Link> {
    // Without it Nagle's algorithm and delayed acknowledgements cost 40 ms in the handshake and per command.
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Ok(stream.into())
}

/// Two ends of one stream, neither of which blocks.
#[cfg(unix)]
pub(super) fn pair() -> std::io::Result<(Link, Link)> {
    let (here, there) = std::os::unix::net::UnixStream::pair()?;
    here.set_nonblocking(true)?;
    there.set_nonblocking(true)?;
    Ok((here.into(), there.into()))
}

/// Two ends of one stream, neither of which blocks. Over the loopback interface, where somebody else on this machine
/// could connect first: then it is an error.
#[cfg(not(unix))]
pub(super) fn pair() -> std::io::Result<(Link, Link)> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
    let here = TcpStream::connect(listener.local_addr()?)?;
    let (there, from) = listener.accept()?;
    if from != here.local_addr()? {
        return Err(std::io::Error::other("another program took the connection"));
    }
    Ok((of_socket(here)?, of_socket(there)?))
}

/// Reads what is there.
#[cfg(unix)]
pub(super) fn read(link: &Link, buffer: &mut [u8]) -> std::io::Result<usize> {
    Ok(rustix::io::read(link, buffer)?)
}

/// Reads what is there.
#[cfg(not(unix))]
pub(super) fn read(mut link: &Link, buffer: &mut [u8]) -> std::io::Result<usize> {
    std::io::Read::read(&mut link, buffer)
}

/// Looks at the next byte without taking it: how many there are of it, so 0 at the stream's end.
#[cfg(unix)]
pub(super) fn peek(link: &Link) -> std::io::Result<usize> {
    let flags = rustix::net::RecvFlags::PEEK | rustix::net::RecvFlags::DONTWAIT;
    let (_, count) = rustix::net::recv(link, &mut [0u8; 1][..], flags)?;
    Ok(count)
}

/// Looks at the next byte without taking it: how many there are of it, so 0 at the stream's end.
#[cfg(not(unix))]
pub(super) fn peek(link: &Link) -> std::io::Result<usize> {
    link.peek(&mut [0])
}

/// Writes what is taken.
#[cfg(unix)]
pub(super) fn write(link: &Link, bytes: &[u8]) -> std::io::Result<usize> {
    Ok(rustix::io::write(link, bytes)?)
}

/// Writes what is taken.
#[cfg(not(unix))]
pub(super) fn write(mut link: &Link, bytes: &[u8]) -> std::io::Result<usize> {
    std::io::Write::write(&mut link, bytes)
}

/// Shuts a link down: the other side sees its end.
#[cfg(unix)]
pub(super) fn shut(link: &Link, how: Shutdown) {
    let how = match how {
        Shutdown::Read => rustix::net::Shutdown::Read,
        Shutdown::Write => rustix::net::Shutdown::Write,
        Shutdown::Both => rustix::net::Shutdown::Both,
    };
    let _ = rustix::net::shutdown(link, how);
}

/// Shuts a link down: the other side sees its end.
#[cfg(not(unix))]
pub(super) fn shut(link: &Link, how: Shutdown) {
    let _ = link.shutdown(how);
}

/// Ends a connection so that nothing can be read from it any more. On Linux a shutdown alone goes on to deliver what the
/// peer sends.
pub(super) fn cut(link: &Link) {
    shut(link, Shutdown::Both);
    #[cfg(target_os = "linux")]
    let _ = rustix::net::connect_unspec(link);
}
