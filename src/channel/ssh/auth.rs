//! Logging in on one connection: with the keys of the agent and of files, then with what a person types.

use super::asker::Asker;
use super::key_file::{KeyFile, Private};
use super::offers::{self, Offer};
use super::password::{Taken, Typed};
use super::wire::{Stop, Wire};
use super::{Login, SshOptions, blob, errors, user_cert};
use crate::channel::{Answer, ChannelError, Question, Secret};
use crate::evidence::Reason;
use ssh2::PublicKey;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::Duration;

/// Times that a passphrase is asked for.
const TRIES: usize = 3;

/// Methods that a node may want one after the other, after a key.
const STEPS: usize = 3;

/// Why nobody was logged in.
pub(super) struct Refusal {
    /// For the person.
    pub(super) error: ChannelError,
    /// Whether the node ended the connection, which it also does when a person thinks for long.
    pub(super) dropped: bool,
}

impl From<ChannelError> for Refusal {
    fn from(error: ChannelError) -> Self {
        Refusal { error, dropped: false }
    }
}

/// What came of one key.
enum Outcome {
    LoggedIn,
    /// The node does not take this key.
    Refused,
    /// The node took the key and wants something else besides.
    WantsMore(Vec<String>),
    /// The key could not be used; a clause that says why.
    Unusable(String),
}

/// One login in progress.
struct Attempt<'a> {
    wire: &'a Wire,
    login: &'a Login<'a>,
    user: &'a str,
    options: &'a SshOptions,
    asker: &'a Asker<'a>,
    /// How many keys the node was asked about.
    offered: usize,
    /// How many passwords and answers it was sent.
    sent: usize,
}

/// Logs in on a session whose host key was proved. All calls together have the time that the wire allows.
pub(super) fn log_in(
    wire: &Wire,
    login: &Login<'_>,
    user: &str,
    options: &SshOptions,
    asker: &Asker<'_>,
    limit: Duration,
) -> Result<(), Refusal> {
    let mut attempt = Attempt { wire, login, user, options, asker, offered: 0, sent: 0 };
    attempt.run().map_err(|end| match end {
        End::Told(error) => error.into(),
        End::Stopped(stop) => {
            let tries = (attempt.offered, attempt.sent);
            Refusal { error: errors::login(login, user, &stop, tries, limit), dropped: stop.is_link_lost() }
        }
    })
}

enum End {
    Told(ChannelError),
    Stopped(Stop),
}

impl From<Stop> for End {
    fn from(stop: Stop) -> Self {
        End::Stopped(stop)
    }
}

impl Attempt<'_> {
    fn run(&mut self) -> Result<(), End> {
        let methods = self.methods()?;
        // The node still answers, so if it hangs up later that is not because a person took long until now.
        self.asker.take_asked();
        if self.wire.session().authenticated() {
            return Ok(());
        }
        let mut told = Vec::new();
        let mut left = methods.clone();
        if offers_method(&methods, "publickey") {
            match self.by_key(&methods, &mut told)? {
                None => return Ok(()),
                Some(more) => left = more,
            }
        } else {
            told.push(format!("it takes no keys from {}", self.user));
        }
        self.by_typing(left, told)
    }

    /// With keys. None: logged in; else the methods that are left.
    fn by_key(&mut self, methods: &[String], told: &mut Vec<String>) -> Result<Option<Vec<String>>, Stop> {
        let (named, files, unread) = self.files();
        told.extend(unread);
        let agent = self.agent(told);
        let held: Vec<Vec<u8>> = agent.iter().flat_map(|(_, keys)| keys).map(|key| key.blob().to_vec()).collect();
        let offers = offers::plan(named, files, &held, offers_typing(methods));
        told.extend(offers.notes);
        for offer in offers.list {
            let (label, outcome) = match &offer {
                Offer::Agent(index) => {
                    let Some((agent, key)) = agent.as_ref().and_then(|(agent, keys)| Some((agent, keys.get(*index)?)))
                    else {
                        continue;
                    };
                    (format!("agent key {}", name_of(key.blob())), self.offer_agent(agent, key)?)
                }
                Offer::File(file) => (label(file), self.offer_file(file)?),
            };
            self.asker.take_asked();
            match outcome {
                Outcome::LoggedIn => return Ok(None),
                Outcome::Refused => told.push(format!("{label} was refused")),
                Outcome::WantsMore(more) => {
                    told.push(format!(
                        "it took {label} and wants more from {}: {} (AuthenticationMethods)",
                        self.user,
                        more.join(", ")
                    ));
                    return Ok(Some(more));
                }
                Outcome::Unusable(why) => told.push(format!("{label}: {why}")),
            }
        }
        if offers.left_out > 0 {
            told.push(format!(
                "{} more keys were not offered, since servers end the connection after a few: name the right one with --identity FILE",
                offers.left_out
            ));
        }
        if told.is_empty() {
            told.push("there is no key: no agent, and no key file in ~/.ssh".to_owned());
        }
        Ok(Some(methods.to_vec()))
    }

    /// With what a person types, as far as the node takes that and wants it.
    fn by_typing(&mut self, mut left: Vec<String>, mut told: Vec<String>) -> Result<(), End> {
        let mut nobody = false;
        for _step in 0..STEPS {
            let typed = Typed {
                wire: self.wire,
                login: self.login,
                user: self.user,
                options: self.options,
                asker: self.asker,
                sent: Cell::new(0),
            };
            // A password is a question of ours, in our words; a node's own questions come where it takes nothing else.
            let taken = if offers_method(&left, "password") {
                typed.password(|| self.methods())
            } else if offers_method(&left, "keyboard-interactive") {
                typed.interactive()
            } else {
                break;
            };
            self.sent += typed.sent.get();
            match taken? {
                Taken::LoggedIn => return Ok(()),
                Taken::WantsMore(more) => {
                    left = more;
                    told.push(format!(
                        "it took the password and wants more: {} (AuthenticationMethods)",
                        left.join(", ")
                    ));
                }
                Taken::No(why) => {
                    told.push(why);
                    break;
                }
                Taken::Nobody => {
                    nobody = true;
                    break;
                }
            }
        }
        Err(End::Told(self.nothing_worked(&told, &left, nobody)))
    }

    /// The methods that the node offers, of those that have a name here. Asking is itself a login attempt, by `none`.
    fn methods(&self) -> Result<Vec<String>, Stop> {
        let list = self.wire.drive(|session| {
            // The crate panics on a list that is not UTF-8, and the list comes from the node.
            catch_unwind(AssertUnwindSafe(|| session.auth_methods(self.user).map(str::to_owned)))
                .unwrap_or_else(|_| Ok(String::new()))
        })?;
        const KNOWN: [&str; 5] = ["publickey", "password", "keyboard-interactive", "hostbased", "gssapi-with-mic"];
        Ok(KNOWN
            .iter()
            .filter(|known| list.split(',').any(|method| method == **known))
            .map(|&m| m.to_owned())
            .collect())
    }

    /// The key files to use, and whether the person named them.
    fn files(&self) -> (bool, Vec<KeyFile>, Vec<String>) {
        let mut paths: Vec<PathBuf> = self.login.identity.iter().map(|path| path.to_path_buf()).collect();
        paths
            .extend(self.options.identities.iter().filter(|path| Some(path.as_path()) != self.login.identity).cloned());
        let named = !paths.is_empty();
        if !named && !self.options.usual.is_empty() {
            paths.clone_from(&self.options.usual);
        } else if !named {
            paths.extend(usual_files().into_iter().filter(|path| path.exists()));
        }
        let (mut files, mut told) = (Vec::new(), Vec::new());
        for path in paths {
            match KeyFile::read(&path) {
                Ok(file) => {
                    let (with, notes) = user_cert::with_certificates(file, &self.options.certificates, self.user);
                    files.extend(with);
                    told.extend(notes);
                }
                Err(why) => told.push(format!("{} cannot be used: {why}", path.display())),
            }
        }
        (named, files, told)
    }

    /// The agent and its keys, where there is one.
    fn agent(&self, told: &mut Vec<String>) -> Option<(ssh2::Agent, Vec<PublicKey>)> {
        if self.options.agent.is_none() && std::env::var_os("SSH_AUTH_SOCK").is_none_or(|path| path.is_empty()) {
            return None;
        }
        let open = || -> Result<_, ssh2::Error> {
            let mut agent = self.wire.session().agent()?;
            if let Some(path) = &self.options.agent {
                agent.set_identity_path(path)?;
            }
            agent.connect()?;
            agent.list_identities()?;
            let keys = agent.identities()?;
            Ok((agent, keys))
        };
        open().map_err(|_| told.push("the agent does not answer (SSH_AUTH_SOCK)".to_owned())).ok()
    }

    fn offer_agent(&mut self, agent: &ssh2::Agent, key: &PublicKey) -> Result<Outcome, Stop> {
        self.offered += 1;
        match self.wire.drive(|_| agent.userauth(self.user, key)) {
            Ok(()) => Ok(Outcome::LoggedIn),
            Err(stop) => self.judge(stop, "the agent would not sign with it"),
        }
    }

    /// Offers a key file. The node is asked about the key first; only for one that it would take is a person asked for
    /// the passphrase.
    fn offer_file(&mut self, file: &KeyFile) -> Result<Outcome, Stop> {
        let Private::Here { text, encrypted } = &file.private else { return Ok(Outcome::Refused) };
        self.offered += 1;
        if !encrypted {
            return self.try_file(file, text, None).or_else(|stop| self.judge(stop, "it cannot be read as a key"));
        }
        let remembered = self.wire.paused(|| self.asker.hold(&self.options.passphrases).get(&file.path).cloned());
        if remembered.is_some() || file.public.is_some() {
            match self.try_file(file, text, remembered.as_ref()) {
                Err(stop) if passphrase_is_wrong(&stop) => {}
                other => return other.or_else(|stop| self.judge(stop, "")),
            }
        }
        self.ask_passphrase(file, text)
    }

    fn ask_passphrase(&mut self, file: &KeyFile, text: &str) -> Result<Outcome, Stop> {
        let (wire, path) = (self.wire, file.path.as_path());
        // Another node's login may be asking for the same file: wait for what it learns.
        let mut known = wire.paused(|| self.asker.hold(&self.options.passphrases));
        if let Some(learnt) = known.get(path).cloned() {
            match self.try_file(file, text, Some(&learnt)) {
                Err(stop) if passphrase_is_wrong(&stop) => {}
                other => return other.or_else(|stop| self.judge(stop, "")),
            }
        }
        for number in 0..TRIES {
            let question = Question::Passphrase {
                node: self.login.node.to_owned(),
                file: path.display().to_string(),
                again: number > 0,
            };
            let secret = match wire.paused(|| self.asker.ask(&question)) {
                Answer::Secret(secret) => secret,
                Answer::Nobody => {
                    return Ok(Outcome::Unusable(format!(
                        "it is encrypted and nobody is there to be asked for its passphrase: run ssh-add {} first, or run this from a terminal",
                        path.display()
                    )));
                }
                Answer::Yes | Answer::No => return Ok(Outcome::Unusable("its passphrase was not given".to_owned())),
            };
            match self.try_file(file, text, Some(&secret)) {
                Err(stop) if passphrase_is_wrong(&stop) => {}
                Err(stop) => {
                    // Told apart from a wrong passphrase, so this one opened the file; a new connection can use it.
                    known.insert(path.to_owned(), secret);
                    return self.judge(stop, "");
                }
                Ok(outcome) => {
                    known.insert(path.to_owned(), secret);
                    return Ok(outcome);
                }
            }
        }
        Ok(Outcome::Unusable(format!("its passphrase was wrong {TRIES} times: check it with ssh-keygen -y")))
    }

    fn try_file(&self, file: &KeyFile, text: &str, passphrase: Option<&Secret>) -> Result<Outcome, Stop> {
        let line = file
            .public
            .as_deref()
            .and_then(|key| Some(format!("{} {}", blob::kind(key)?, openssl::base64::encode_block(key))));
        let passphrase = passphrase.map(|secret| secret.as_str());
        self.wire
            .drive(|session| session.userauth_pubkey_memory(self.user, line.as_deref(), text, passphrase))
            .map(|()| Outcome::LoggedIn)
    }

    /// What a failed offer means. `unusable`: what to say where the key could not sign.
    fn judge(&self, stop: Stop, unusable: &str) -> Result<Outcome, Stop> {
        match &stop {
            Stop::Deadline => Err(stop),
            _ if stop.is_link_lost() => Err(stop),
            Stop::Failed(-18, _) => Ok(Outcome::Refused),
            Stop::Failed(-19, words) if words.starts_with("Invalid signature") => {
                // The key was taken and the signature did not do: either refused, or one of several steps.
                let methods = self.methods()?;
                Ok(match methods.iter().any(|method| method == "publickey") {
                    true => Outcome::Refused,
                    false => Outcome::WantsMore(methods),
                })
            }
            Stop::Failed(-17 | -33 | -51, _) => {
                Ok(Outcome::Unusable("the node takes no signature that this kind of key can make".to_owned()))
            }
            Stop::Failed(code, _) if unusable.is_empty() => {
                Ok(Outcome::Unusable(format!("it cannot be used (libssh2 {code})")))
            }
            Stop::Failed(..) => Ok(Outcome::Unusable(unusable.to_owned())),
        }
    }

    fn nothing_worked(&self, told: &[String], methods: &[String], nobody: bool) -> ChannelError {
        let (login, user) = (self.login, self.user);
        let offers = if methods.is_empty() { "nothing that is known here".to_owned() } else { methods.join(", ") };
        let advice = match (nobody, offers_method(methods, "publickey")) {
            (true, true) => {
                "Nobody is there to be asked for a password: run this from a terminal, or name a key that the node knows with --identity FILE"
            }
            (true, false) => {
                "Nobody is there to be asked for what it wants: run this from a terminal, or allow keys alone on the node (PubkeyAuthentication, AuthenticationMethods)"
            }
            (false, true) => "Name a key that it knows with --identity FILE, or put yours there with ssh-copy-id",
            (false, false) => "Log in as another user, or allow PubkeyAuthentication on the node",
        };
        ChannelError::new(
            Reason::Forbidden,
            format!(
                "{login}: the login as {user} was refused: {}. The node offers: {offers}. {advice}",
                told.join("; ")
            ),
        )
    }
}

fn offers_method(methods: &[String], name: &str) -> bool {
    methods.iter().any(|method| method == name)
}

/// Whether a person could log in by typing something.
fn offers_typing(methods: &[String]) -> bool {
    offers_method(methods, "password") || offers_method(methods, "keyboard-interactive")
}

/// Whether a key could not sign, or not be opened at all: which is how libssh2 says that a passphrase is wrong.
fn passphrase_is_wrong(stop: &Stop) -> bool {
    match stop {
        Stop::Failed(-16, _) => true,
        Stop::Failed(-19, words) => words.starts_with("Callback"),
        _ => false,
    }
}

fn name_of(key: &[u8]) -> String {
    format!("{} {}", blob::kind(key).unwrap_or("of an unknown type"), blob::fingerprint(key))
}

fn label(file: &KeyFile) -> String {
    match &file.public {
        Some(key) => format!("{} ({})", file.path.display(), name_of(key)),
        None => file.path.display().to_string(),
    }
}
/// The key files that are looked for where none was named, whether they are there or not.
pub(super) fn usual_files() -> Vec<PathBuf> {
    let home = dirs::home_dir();
    let files = ["id_ed25519", "id_ecdsa", "id_rsa"].into_iter();
    files.filter_map(|name| Some(home.as_ref()?.join(".ssh").join(name))).collect()
}
