//! Where the program runs, and as whom.

use crate::evidence::Seat;
use std::env;
use std::fs;

/// The seat. What cannot be found out is `unknown`.
pub(super) fn seat() -> Seat {
    Seat { host: host().unwrap_or_else(unknown), user: user().unwrap_or_else(unknown) }
}

fn unknown() -> String {
    "unknown".to_owned()
}

fn host() -> Option<String> {
    let kernel = fs::read_to_string("/proc/sys/kernel/hostname").ok();
    kernel
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .or_else(|| variable("HOSTNAME"))
        .or_else(|| variable("COMPUTERNAME"))
}

fn user() -> Option<String> {
    variable("USER").or_else(|| variable("LOGNAME")).or_else(|| variable("USERNAME")).or_else(account)
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// The account of this process, for a service or a container that sets no variable.
fn account() -> Option<String> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let uid = status.lines().find_map(|line| line.strip_prefix("Uid:"))?.split_whitespace().nth(1)?.to_owned();
    let name = fs::read_to_string("/etc/passwd").ok().and_then(|accounts| account_name(&accounts, &uid));
    Some(name.unwrap_or_else(|| format!("uid {uid}")))
}

fn account_name(accounts: &str, uid: &str) -> Option<String> {
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_number() {
        let accounts = "root:x:0:0:root:/root:/bin/sh\nbroken\nana:x:1000:1000::/home/ana:/bin/sh\n";
        assert_eq!(account_name(accounts, "1000").as_deref(), Some("ana"));
        assert_eq!(account_name(accounts, "10"), None);
    }

    #[test]
    fn this_process_has_a_seat() {
        let seat = seat();
        assert!(!seat.host.is_empty() && !seat.user.is_empty());
    }
}
