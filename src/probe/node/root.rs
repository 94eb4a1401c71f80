//! Running a script as root: as the login is where that is root, through sudo without a question where that works, else
//! with a password that a person is asked for.

use super::sudo::{Settled, Sudo};
use super::{Aid, Step, collector, random};
use crate::channel::{Channel, ChannelError, Limits, Output, Overheard, Whole};
use crate::evidence::Reason;

/// What to do where this login cannot become root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Otherwise {
    /// Run as the login is; the person is told.
    AsTheLoginIs,
    /// Run nothing.
    Fail,
}

/// Runs `script` (the text of a POSIX shell script, which `sh -s NONCE PRIVILEGE USER UID SSH_CONNECTION` reads) as root
/// on the node called `name`, within `limits`. Gives the output and the nonce that the script was given; `hear` gets both
/// while it runs. Where this login cannot become root nothing is run, which is an error with its sentence. A script that
/// finds itself to be somebody else must end by itself: a login without sudo runs it as it is.
pub fn as_root(
    channel: &mut dyn Channel,
    name: &str,
    script: &[u8],
    limits: &Limits,
    aid: &Aid<'_>,
    hear: &dyn Fn(&str, &[u8]),
) -> Result<(Output, String), ChannelError> {
    run(channel, name, script, limits, aid, Otherwise::Fail, hear)
}

pub(super) fn run(
    channel: &mut dyn Channel,
    name: &str,
    script: &[u8],
    limits: &Limits,
    aid: &Aid<'_>,
    otherwise: Otherwise,
    hear: &dyn Fn(&str, &[u8]),
) -> Result<(Output, String), ChannelError> {
    let run = |channel: &mut dyn Channel, ask| -> Result<(Output, String), ChannelError> {
        let nonce = random()?;
        (aid.tell)(Step::Reading);
        let hear = |bytes: &[u8]| hear(&nonce, bytes);
        let mut whole = Whole(script);
        let mut talk = Overheard { inner: &mut whole, hear: &hear };
        let output = channel.converse(&collector::command(&nonce, ask), &mut talk, limits)?;
        Ok((output, nonce))
    };
    let (first, nonce) = run(channel, true)?;
    let Some(user) = collector::wants_password(&first.stdout, &nonce) else { return Ok((first, nonce)) };
    let words = match otherwise {
        Otherwise::AsTheLoginIs => "Until then the node is read only as far as this login sees",
        Otherwise::Fail => "Nothing was run on the node",
    };
    let mut sudo = Sudo { channel, node: name, user: &user, limits, aid, script, hear, otherwise: words };
    match (sudo.settle(&first.stderr), otherwise) {
        (Settled::Ran(output, nonce), _) => Ok((output, nonce)),
        (Settled::Lost(error), _) => Err(error),
        (Settled::Without(why), Otherwise::Fail) => Err(ChannelError::new(Reason::Forbidden, format!("{why}."))),
        (Settled::Without(why), Otherwise::AsTheLoginIs) => {
            (aid.tell)(Step::Warning(why));
            run(channel, false)
        }
    }
}
