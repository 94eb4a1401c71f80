//! What programs gave, kept in memory until it expires: a second scan, or one after an interactive login, does not run
//! the program again. client-go keeps the same (`globalCache` of its exec plugin).

use super::credentials::Credentials;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// SHA-256 of everything that decides what a program gives.
pub(super) type Key = [u8; 32];

/// Logins that are kept at most.
const MOST: usize = 256;

static KEPT: Mutex<BTreeMap<Key, Arc<Credentials>>> = Mutex::new(BTreeMap::new());

/// What was given and still holds.
pub(super) fn get(key: &Key) -> Option<Arc<Credentials>> {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let found = Arc::clone(kept.get(key)?);
    if found.until.is_some_and(|until| until <= Timestamp::now()) {
        kept.remove(key);
        return None;
    }
    Some(found)
}

/// Keeps what was given.
pub(super) fn put(key: Key, credentials: Credentials) -> Arc<Credentials> {
    let credentials = Arc::new(credentials);
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    if kept.len() >= MOST {
        kept.clear();
    }
    kept.insert(key, Arc::clone(&credentials));
    credentials
}
