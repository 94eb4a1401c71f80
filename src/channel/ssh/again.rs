//! Trying again where a server turns an address away for a while: too many logins at once (MaxStartups), or a penalty
//! for failed ones (PerSourcePenalties).

use std::time::Duration;

/// Waits before the second, third, ... try, in milliseconds. They are varied, so that many nodes behind one address do
/// not come again all at once.
const WAITS: [u64; 6] = [300, 700, 1500, 3000, 6000, 12_000];

/// The waits of one login.
#[derive(Debug, Default)]
pub(super) struct Waits {
    waited: usize,
}

impl Waits {
    /// How long to wait before the next try; None where it is time to give up. `left`: how long there is in all.
    pub(super) fn next(&mut self, left: Duration) -> Option<Duration> {
        let wait = Duration::from_millis(*WAITS.get(self.waited)?);
        // From half of it to one and a half of it.
        let wait = wait / 2 + wait.mul_f64(random());
        if wait > left {
            return None;
        }
        self.waited += 1;
        Some(wait)
    }

    /// How many tries there were, with the one that follows the last wait.
    pub(super) fn tries(&self) -> usize {
        self.waited + 1
    }
}

/// Evenly between 0 and 1.
fn random() -> f64 {
    let mut byte = [128];
    // Without it the waits do not vary, which is no harm.
    let _ = openssl::rand::rand_bytes(&mut byte);
    f64::from(byte[0]) / 255.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_waits_grow_and_end() {
        let mut waits = Waits::default();
        let all: Vec<u64> = std::iter::from_fn(|| waits.next(Duration::MAX))
            .map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))
            .collect();
        assert_eq!(all.len(), WAITS.len());
        for (wait, planned) in all.iter().zip(WAITS) {
            assert!((planned / 2..=planned * 3 / 2).contains(wait), "{all:?}");
        }
    }

    #[test]
    fn nothing_is_begun_that_takes_longer_than_there_is_time() {
        assert_eq!(Waits::default().next(Duration::from_millis(100)), None);
    }
}
