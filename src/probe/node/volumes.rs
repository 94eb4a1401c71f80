//! The devices below the places where secrets lie.

use super::answer::{self, Answer};
use super::host::{unescape, yes_no};
use crate::evidence::{Fact, Listing, Reason, Volume};

/// Reads them.
pub(super) fn read(answer: &mut Answer<'_>) -> Listing<Volume> {
    let listed = answer.table("host.volumes", 6, "volumes", "the volumes where secrets lie");
    let mut hidden = false;
    let mut items = Vec::new();
    for row in &listed.items {
        let [purpose, encrypted, fstype, source, mount, path] = row.as_slice() else { continue };
        let encrypted = yes_no(encrypted).map_or(Fact::Unread, Fact::Known);
        hidden |= encrypted.is_unread();
        let named = |value: &str| answer::column(value).map_or(Fact::Unread, |v| Fact::Known(unescape(v)));
        let (source, place) = (named(source), answer::column(path).map_or_else(|| "?".to_owned(), unescape));
        let name = match source.known() {
            Some(device) if *device != place => format!("{purpose}, {place} on {device}"),
            _ => format!("{purpose}, {place}"),
        };
        let unread = encrypted.is_unread().then_some(Reason::NotVisible);
        items.push(Volume {
            name,
            purpose: purpose.clone(),
            path: place,
            mount: named(mount),
            source,
            fstype: named(fstype),
            encrypted,
            unread,
        });
    }
    if hidden {
        let detail = "the device below the file system cannot be seen from inside this node";
        answer.gap("volumes", Reason::NotVisible, detail);
    }
    Listing { items, complete: listed.complete }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::super::testing::{assembled, record};
    use super::*;

    #[test]
    fn each_place_says_what_lies_below_it_or_that_it_cannot_be_seen() {
        let body = "root\tyes\text4\t/dev/mapper/vg-root\t/\t/\netcd\tno\txfs\t/dev/sdb1\t/var/lib\t/var/lib/etcd\n\
            kubelet\t?\toverlay\toverlay\t/\t/var/lib/kubelet\netcd\t?\t?\t?\t?\t?\nswap\tno\tswap\t/dev/sda2\tswap\t/dev/sda2\n";
        let node = assembled(&[record("host.volumes", "-", body)]);
        assert!(node.volumes.complete);
        let items = &node.volumes.items;
        assert_eq!(
            (items[0].name.as_str(), &items[0].encrypted),
            ("root, / on /dev/mapper/vg-root", &Fact::Known(true))
        );
        assert_eq!((&items[1].mount, &items[1].encrypted), (&Fact::Known("/var/lib".into()), &Fact::Known(false)));
        assert_eq!((&items[2].encrypted, items[2].unread), (&Fact::Unread, Some(Reason::NotVisible)));
        assert_eq!((items[3].name.as_str(), &items[3].source), ("etcd, ?", &Fact::Unread));
        assert_eq!(items[4].name, "swap, /dev/sda2");
        assert!(!assembled(&[record("host.volumes", "-", "root\tyes\n")]).volumes.complete);
        assert!(!assembled(&[]).volumes.complete);
    }
}
