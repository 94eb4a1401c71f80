//! Options on sshd's command line, which are over every file that it reads: a setting that one of them decides is not changed by
//! an edit, and the person is told where the option stands.

use crate::evidence::SshdDaemon;
use crate::evidence::effective::{sshd_canonical, sshd_options};
use crate::remedy::fresh::Fresh;
use crate::remedy::plan::Refusal;
use crate::remedy::words::quoted;
use std::collections::BTreeSet;

/// What is over the files of one daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Options {
    /// Keywords that the running daemon was given. None where no daemon runs whose command line was read: then what its unit
    /// would give it counts.
    given: Option<BTreeSet<String>>,
    /// Units that start it.
    units: Vec<String>,
}

impl Options {
    /// Of a daemon, by its service unit, and by the socket unit where one starts a service for each connection.
    pub(super) fn of(daemon: &SshdDaemon, unit: Option<&str>, socket: Option<&str>) -> Self {
        let args = daemon.process.known().and_then(|process| process.args.known());
        let own = unit.map(str::to_owned).into_iter();
        let base = socket.and_then(|socket| socket.strip_suffix(".socket")).filter(|_| unit.is_none());
        let instance = base.into_iter().flat_map(|base| [format!("{base}.service"), format!("{base}@x.service")]);
        Options {
            given: args.map(|_| sshd_options(daemon).into_keys().collect()),
            units: own.chain(instance).collect(),
        }
    }

    /// A line that tells in which files of the units an option stands: `KEYWORD FILE`, and `-f FILE` for one that names the
    /// configuration file.
    pub(super) fn line<'k>(&self, keywords: impl Iterator<Item = &'k String>) -> String {
        let keywords: Vec<String> =
            keywords.map(|keyword| quoted(sshd_canonical(&keyword.to_ascii_lowercase()))).collect();
        let units: Vec<String> = self.units.iter().map(|unit| quoted(unit)).collect();
        let units = if units.is_empty() { "''".to_owned() } else { units.join(" ") };
        format!(
            "for U in {units}; do systemctl show -p FragmentPath -p DropInPaths -p EnvironmentFiles \"$U\" 2>/dev/null; done | \
             sed 's/^[A-Za-z]*=//; s/ (ignore_errors=[a-z]*)$//' | tr ' ' '\\n' | while read -r F; do [ -f \"$F\" ] || continue; \
             for K in {}; do case $K in port) O='|-p *[0-9]' ;; logingracetime) O='|-g *[0-9]' ;; *) O= ;; esac; \
             ! grep -qiE \"^[^#;]*(-o *[\\\"']?$K[ =]$O)\" \"$F\" || echo \"$K $F\"; done; \
             ! grep -qE \"^[^#;]*[ \\\"'=]-f *[^ ]\" \"$F\" || echo \"-f $F\"; done; echo end",
            keywords.join(" ")
        )
    }

    /// Refuses where one of these keywords is decided by the command line. `main`: the configuration file that would be changed.
    pub(super) fn refuse<'k>(
        &self,
        keywords: impl Iterator<Item = &'k String> + Clone,
        main: &str,
        fresh: &Fresh,
    ) -> Result<(), Refusal> {
        let told = fresh.told(&self.line(keywords.clone())).unwrap_or_default();
        let place = |wanted: &str| {
            told.lines()
                .filter_map(|line| line.trim().split_once(' '))
                .find(|(of, _)| *of == wanted)
                .map(|(_, file)| file)
        };
        for keyword in keywords {
            let name = sshd_canonical(&keyword.to_ascii_lowercase()).to_owned();
            let file = place(&name);
            if !self.given.as_ref().map_or(file.is_some(), |given| given.contains(&name)) {
                continue;
            }
            let unit = self.units.first().map_or("its unit", String::as_str);
            let place = match file {
                Some(file) => format!("It stands in {file}"),
                None => format!("Where it stands shows `systemctl cat {unit}`"),
            };
            return Err(Refusal::new(format!(
                "sshd gets {keyword} as an option of its command line, which is over every file, so that a change of {main} would change \
                 nothing. {place}: take it out there, `systemctl daemon-reload && systemctl restart {unit}`, and scan again"
            )));
        }
        // Of a daemon that runs, the file that -f names is the one that was read.
        match place("-f").filter(|_| self.given.is_none()) {
            Some(file) => Err(Refusal::new(format!(
                "sshd is started with -f by {file}, which may name another file than {main}. Change that one by hand"
            ))),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn fresh(options: &Options, keywords: &[String], said: &str) -> Fresh {
        let mut fresh = Fresh::default();
        fresh.said(&options.line(keywords.iter()), 0, format!("{said}end\n"));
        fresh
    }

    #[test]
    fn what_the_command_line_decides_is_refused_with_its_place() {
        let keywords = ["MaxAuthTries".to_owned(), "ChallengeResponseAuthentication".to_owned()];
        let ask = |options: &Options, said: &str| {
            options.refuse(keywords.iter(), "/etc/ssh/sshd_config", &fresh(options, &keywords, said))
        };
        let units = vec!["ssh.service".to_owned()];
        let runs = |given: &[&str]| Options {
            given: Some(given.iter().map(|word| (*word).to_owned()).collect()),
            units: units.clone(),
        };
        let said = "maxauthtries /etc/default/ssh\n-f /etc/default/ssh\n";
        let refused = ask(&runs(&["maxauthtries"]), said).unwrap_err();
        assert!(refused.0.contains("MaxAuthTries") && refused.0.contains("It stands in /etc/default/ssh"), "{refused}");
        let refused = ask(&runs(&["kbdinteractiveauthentication"]), "").unwrap_err();
        assert!(refused.0.contains("systemctl cat ssh.service"), "{refused}");
        // What stands in a file and was not given to the one that runs decides nothing now.
        assert_eq!(ask(&runs(&["port"]), said), Ok(()));
        let at_need = Options { given: None, units };
        assert!(ask(&at_need, said).unwrap_err().0.contains("It stands in /etc/default/ssh"));
        assert!(ask(&at_need, "-f /x.service\n").unwrap_err().0.contains("with -f by /x.service"));
        assert_eq!(ask(&at_need, ""), Ok(()));
    }
}
