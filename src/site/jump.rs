//! Jump hosts: machines by way of which a node is reached.

use super::target::{host_problem, user_problem};

/// Most jump hosts on the way to one node.
pub const MOST_JUMPS: usize = 8;

/// A machine by way of which a node is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JumpHost {
    /// Name or address, without brackets; may be a name of the SSH configuration.
    pub host: String,
    /// Port, where one was said.
    pub port: Option<u16>,
    /// User, where one was said.
    pub user: Option<String>,
}

/// Reads jump hosts as ssh takes them: `[USER@]HOST[:PORT]`, several with commas, the first of them being the first on
/// the way; `none` stands for none. The error says what is wrong.
pub fn jump_hosts(given: &str) -> Result<Vec<JumpHost>, &'static str> {
    if given.eq_ignore_ascii_case("none") {
        return Ok(Vec::new());
    }
    let hosts: Vec<JumpHost> = given.split(',').map(|one| jump_host(one.trim())).collect::<Result<_, _>>()?;
    if hosts.len() > MOST_JUMPS { Err("these are more than 8 jump hosts") } else { Ok(hosts) }
}

fn jump_host(given: &str) -> Result<JumpHost, &'static str> {
    let given = given.strip_prefix("ssh://").map_or(given, |rest| rest.trim_end_matches('/'));
    let (user, rest) = match given.rsplit_once('@') {
        Some((user, rest)) => (Some(user.to_owned()), rest),
        None => (None, given),
    };
    if let Some(why) = user.as_deref().and_then(user_problem) {
        return Err(why);
    }
    let (host, port) = split_port(rest)?;
    match host_problem(host) {
        Some(why) => Err(why),
        None => Ok(JumpHost { host: host.to_owned(), port, user }),
    }
}

/// Parts `HOST[:PORT]`; an IPv6 address with a port stands in brackets.
pub(super) fn split_port(given: &str) -> Result<(&str, Option<u16>), &'static str> {
    let (host, port) = if let Some(inner) = given.strip_prefix('[') {
        let (host, after) = inner.split_once(']').ok_or("the bracket is not closed")?;
        (host, after.strip_prefix(':').or(if after.is_empty() { None } else { Some("?") }))
    } else if given.matches(':').count() > 1 {
        (given, None)
    } else {
        match given.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (given, None),
        }
    };
    let port = match port {
        Some(text) => {
            Some(text.parse::<u16>().ok().filter(|port| *port > 0).ok_or("the port is not a number from 1 to 65535")?)
        }
        None => None,
    };
    Ok((host, port))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn several_are_read_in_their_order() {
        let hosts = jump_hosts("ana@gate:2222, [fd00::1]:22,inner,ssh://bea@last:33/").unwrap();
        let seen: Vec<_> = hosts.iter().map(|one| (one.user.as_deref(), one.host.as_str(), one.port)).collect();
        assert_eq!(
            seen,
            [
                (Some("ana"), "gate", Some(2222)),
                (None, "fd00::1", Some(22)),
                (None, "inner", None),
                (Some("bea"), "last", Some(33))
            ]
        );
        assert_eq!(jump_hosts("none").unwrap(), []);
    }

    #[test]
    fn what_is_wrong_is_told() {
        let many = ["gate"; 9].join(",");
        for bad in ["", "gate,", "-oProxyCommand=x", "@gate", "gate:0", "gate:ssh", "ga te", "[fd00::1", many.as_str()]
        {
            assert!(jump_hosts(bad).is_err(), "{bad}");
        }
    }
}
