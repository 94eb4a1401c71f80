//! Which keys to offer, and in which order. Pure. A server ends the connection after a few keys (MaxAuthTries, 6 by
//! default), and newer ones then shut the address out for a while, so an agent's keys are not offered blindly.

use super::key_file::{KeyFile, Private};

/// Keys offered in one login at most.
const MOST: usize = 6;

/// Keys offered unasked where the server also takes a password: that must have its turn on the same connection.
const MOST_BEFORE_PASSWORD: usize = 4;

/// One key to offer.
#[derive(Debug)]
pub(super) enum Offer {
    /// A key of the agent, by its place in the agent's list.
    Agent(usize),
    /// A key file.
    File(KeyFile),
}

/// Keys in the order in which they are offered.
#[derive(Debug, Default)]
pub(super) struct Offers {
    /// The keys.
    pub(super) list: Vec<Offer>,
    /// How many keys were left out, so that the server does not end the connection before the last one.
    pub(super) left_out: usize,
    /// Why a file that was named is not offered.
    pub(super) notes: Vec<String>,
}

/// Plans the offers. `named`: the person named the files, so no other key is offered; else they are the usual files.
/// `agent`: the agent's public keys. A key that the agent holds is offered by the agent, which needs no passphrase.
/// `password`: the server takes one too.
pub(super) fn plan(named: bool, files: Vec<KeyFile>, agent: &[Vec<u8>], password: bool) -> Offers {
    let mut offers = Offers::default();
    let mut rest = Vec::new();
    for file in files {
        let held = file.public.as_ref().and_then(|key| agent.iter().position(|other| other == key));
        match (held, &file.private) {
            (Some(index), _) => offers.list.push(Offer::Agent(index)),
            (None, Private::Here { .. }) if named => offers.list.push(Offer::File(file)),
            (None, Private::Here { .. }) => rest.push(file),
            (None, Private::Elsewhere) => offers.notes.push(format!(
                "{} is a public key whose other half the agent does not hold: name the private key, or ssh-add it",
                file.path.display()
            )),
        }
    }
    if named {
        offers.left_out = offers.list.len().saturating_sub(MOST);
        offers.list.truncate(MOST);
        return offers;
    }
    let taken: Vec<usize> =
        offers.list.iter().filter_map(|offer| if let Offer::Agent(i) = offer { Some(*i) } else { None }).collect();
    let others: Vec<usize> = (0..agent.len()).filter(|index| !taken.contains(index)).collect();
    let most = if password { MOST_BEFORE_PASSWORD } else { MOST };
    let room = most.saturating_sub(offers.list.len() + rest.len());
    offers.left_out = others.len().saturating_sub(room);
    offers.list.extend(others.into_iter().take(room).map(Offer::Agent));
    offers.list.extend(rest.into_iter().map(Offer::File));
    offers
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    fn file(name: &str, public: Option<&[u8]>) -> KeyFile {
        let private = Private::Here { text: Zeroizing::new(String::new()), encrypted: false };
        KeyFile { path: name.into(), public: public.map(<[u8]>::to_vec), private }
    }

    fn show(offers: &Offers) -> Vec<String> {
        let show = |offer: &Offer| match offer {
            Offer::Agent(index) => format!("agent {index}"),
            Offer::File(file) => file.path.display().to_string(),
        };
        offers.list.iter().map(show).collect()
    }

    fn keys(count: u8) -> Vec<Vec<u8>> {
        (0..count).map(|number| vec![number]).collect()
    }

    #[test]
    fn a_named_key_is_the_only_one_offered() {
        let offers = plan(true, vec![file("site_key", Some(&[99]))], &keys(20), false);
        assert_eq!(show(&offers), ["site_key"]);
        assert_eq!(offers.left_out, 0);
    }

    #[test]
    fn a_key_that_the_agent_holds_needs_no_file() {
        let offers = plan(true, vec![file("other", Some(&[99])), file("held", Some(&[3]))], &keys(20), false);
        assert_eq!(show(&offers), ["other", "agent 3"]);
    }

    #[test]
    fn an_agent_full_of_keys_leaves_room_for_the_usual_files() {
        let files = vec![file("id_ed25519", Some(&[99])), file("id_rsa", Some(&[7]))];
        let offers = plan(false, files, &keys(20), false);
        assert_eq!(show(&offers), ["agent 7", "agent 0", "agent 1", "agent 2", "agent 3", "id_ed25519"]);
        assert_eq!(offers.left_out, 15);
    }

    #[test]
    fn a_password_has_its_turn_after_an_agent_full_of_keys() {
        let offers = plan(false, vec![file("id_ed25519", Some(&[99]))], &keys(20), true);
        assert_eq!(show(&offers), ["agent 0", "agent 1", "agent 2", "id_ed25519"]);
        assert_eq!(offers.left_out, 17);
    }

    #[test]
    fn a_public_key_alone_is_explained() {
        let alone = KeyFile { path: "key.pub".into(), public: Some(vec![99]), private: Private::Elsewhere };
        let offers = plan(true, vec![alone], &keys(1), false);
        assert!(offers.list.is_empty());
        assert!(offers.notes.iter().any(|note| note.contains("key.pub is a public key")));
    }
}
