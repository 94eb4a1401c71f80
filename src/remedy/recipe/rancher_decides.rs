//! What decides over the configuration files of k3s and RKE2, so that a change of them would do nothing: the command line of
//! the unit, and its environment.

use super::rancher::{RancherOp, Which};
use super::static_flag::Flag;
use crate::remedy::fresh::Fresh;
use crate::remedy::plan::Refusal;
use crate::remedy::words::quoted;

impl RancherOp {
    /// What decides beside the files: names of flags on the unit's command line (never their values), options that name other
    /// files, and whether the folder is there.
    pub(super) fn facts(&self) -> String {
        let (unit, id) = (quoted(&self.unit), self.which.id());
        format!(
            "systemctl show -p ExecStart {unit} | tr ' ' '\\n' | tr -d \"'\\\"\" | awk 'k {{ sub(/=.*/, \"\"); print k, $0; k = \"\"; next }} \
             /[$]/ {{ print \"variable\" }} /^(--config|-c|--log|-l)(=|$)/ {{ sub(/=.*/, \"\"); print \"option\", $0 }} \
             /^--[a-z-]+-arg$/ {{ k = substr($0, 3) }} \
             /^--[a-z-]+-arg=/ {{ o = substr($0, 3, index($0, \"=\") - 3); sub(/^[^=]*=/, \"\"); sub(/=.*/, \"\"); print o, $0 }}'; \
             tr '\\0' '\\n' <\"/proc/$(systemctl show -p MainPID {unit} | cut -d= -f2)/environ\" 2>/dev/null | \
             sed -n 's/^\\(K3S_CONFIG_FILE\\|RKE2_CONFIG_FILE\\)=..*/option \\1/p'; [ -d /etc/rancher/{id} ] || echo no-folder; echo end"
        )
    }

    /// Refuses where something else than the files decides.
    pub(super) fn decides(&self, fresh: &Fresh) -> Result<(), Refusal> {
        let (name, unit, main) = (&self.node, &self.unit, self.which.main());
        let facts = fresh.told(&self.facts()).filter(|said| said.trim_end().ends_with("end"));
        let Some(facts) = facts else {
            return Err(Refusal::new(format!("{name}: how {unit} is started was not read. Try again as root")));
        };
        for fact in facts.lines().map(str::trim) {
            let refuse = |why: String| Err(Refusal::new(format!("{name}: {why}")));
            match fact.split_once(' ').unwrap_or((fact, "")) {
                ("no-folder", _) => {
                    let folder = main.rsplit_once('/').map_or("", |(folder, _)| folder);
                    return refuse(format!(
                        "{folder} is not there yet. Make it (`mkdir -p -m 755 {folder}`) and ask again"
                    ));
                }
                ("option", log @ ("--log" | "-l")) if self.which == Which::K3s => {
                    return refuse(format!(
                        "{unit} is started with {log}, so that its log does not tell with which flags the components run. Put the flag \
                         into {main} by hand, restart it and look"
                    ));
                }
                ("option", "--log" | "-l") => {}
                ("option", option) => {
                    return refuse(format!(
                        "{unit} is started with {option}, which names another file than {main}. Put the flag there by hand and restart it"
                    ));
                }
                ("variable", _) => {
                    return refuse(format!(
                        "the command line of {unit} has variables, which may bring flags over {main}. Put the flag in by hand \
                         (`systemctl cat {unit}`) and restart it"
                    ));
                }
                (key, given) => {
                    let same = |(component, flag, _): &&(String, String, Flag)| {
                        key.strip_suffix("-arg") == Some(component)
                            && given.trim_start_matches('-').trim_end_matches(['+', '-']).replace('_', "-") == **flag
                    };
                    if let Some((_, flag, _)) = self.flags.iter().find(same) {
                        return refuse(format!(
                            "{unit} is started with --{key} {flag}=..., which is over every file. Take it out there (`systemctl cat \
                             {unit}`), then `systemctl daemon-reload`; {main} counts from then on"
                        ));
                    }
                }
            }
        }
        if self.serves && fresh.told(self.which.ready()).is_none() {
            return Err(Refusal::new(format!(
                "{name}: its API server does not say now that it is ready, so that nobody could tell afterwards whether it still is. Ask \
                 it there: `{}`",
                self.which.ready()
            )));
        }
        Ok(())
    }
}
