//! Who is being logged in to, and as whom: for messages and for known_hosts.

use std::fmt;
use std::path::Path;

/// A node to log in to.
#[derive(Debug, Clone, Copy)]
pub struct Login<'a> {
    /// The target's name, for questions and messages.
    pub node: &'a str,
    /// Name or address, without brackets.
    pub host: &'a str,
    /// Port.
    pub port: u16,
    /// User on the node. None: the same as on this seat.
    pub user: Option<&'a str>,
    /// Key file for this node alone; tried before [`super::SshOptions::identities`].
    pub identity: Option<&'a Path>,
}

impl fmt::Display for Login<'_> {
    /// `node1 (10.0.0.4 port 22)`, or without the brackets where the node's name says it all.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.node == self.host {
            write!(f, "{} port {}", self.host, self.port)
        } else {
            write!(f, "{} ({} port {})", self.node, self.host, self.port)
        }
    }
}

/// The user of this seat, where the system says who that is.
pub(super) fn own_user() -> Option<String> {
    let named = ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok());
    named.filter(|name| !name.is_empty()).or_else(by_number)
}

#[cfg(unix)]
fn by_number() -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let number = std::fs::metadata("/proc/self").ok()?.uid().to_string();
    let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == number).then(|| name.to_owned())
    })
}

#[cfg(not(unix))]
fn by_number() -> Option<String> {
    None
}
