//! Texts in ConfigMaps: the settings of one text become one change of it; where pods run with it they are made anew then.

use super::act::{How, named};
use super::owners;
use super::prepare::Making;
use super::rollout;
use super::show::text_of;
use super::{now, pods, refused};
use crate::remedy::plan::{Refusal, Risk};
use crate::remedy::recipe::{Held, KubeOp, TextOp, runs_with};
use jiff::Timestamp;
use serde_json::{Value, json};

/// Who else may stand among the managers: kubeadm writes these texts when somebody runs it, keeps what was changed in them,
/// and is no controller that would set it back meanwhile.
const KUBEADM: &str = "kubeadm";

/// Now, as `kubectl rollout restart` writes it.
pub(super) fn restarted_at() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// All settings of the text that an operation is about; none where an operation before it was about that text.
pub(super) fn of_same_text<'o>(ops: &'o [KubeOp], op: &TextOp) -> Vec<&'o TextOp> {
    let texts = ops.iter().filter_map(|other| match other {
        KubeOp::Text(other) if other.held == op.held => Some(other),
        _ => None,
    });
    let all: Vec<&TextOp> = texts.collect();
    if all.first().is_some_and(|first| *first == op) { all } else { Vec::new() }
}

impl Making<'_> {
    /// One change of a text.
    pub(super) async fn text(&mut self, held: Held, ops: &[&TextOp]) -> Result<(), Refusal> {
        let (place, key) = (held.place(), held.key());
        let path = format!("f:{key}");
        let fields: [&[&str]; 1] = [&["f:data", &path]];
        let Some((object, _)) = self.free(&place, &fields, &[KUBEADM]).await? else { return Ok(()) };
        let Some(before) = text_of(&object, key) else {
            self.leave(&place, &format!("it has no {key}. Look where these settings come from"));
            return Ok(());
        };
        let mut text = before.to_owned();
        let mut done = Vec::new();
        for op in ops {
            let edited = match op.edit(&text) {
                Ok(edited) => edited,
                // Another text of the same plan may be understood.
                Err(why) => {
                    self.leave(&place, &why.0);
                    return Ok(());
                }
            };
            if edited != text {
                done.push(op.in_words());
            }
            text = edited;
        }
        if text == before {
            self.leave_as_it_is(&place, "it is set so already");
            return Ok(());
        }
        let restart = match held.runs() {
            None => None,
            Some(set) => match self.restart(held, &set, &object).await? {
                Some(restart) => Some((set, restart)),
                None => return Ok(()),
            },
        };
        let wanted = json!({"data": {key: &text}});
        let how = How::Text { key: key.to_owned(), text, what: done.join("; ") };
        self.add(place, how, Some(object), Some(&wanted)).await?;
        if let Some((set, (object, how))) = restart {
            self.add(set, how, Some(object), None).await?;
        }
        Ok(())
    }

    /// The pods that run with a text, and how they are made anew. None where they are not to be touched, which is said.
    async fn restart(
        &mut self,
        held: Held,
        set: &crate::kubeapi::ObjectPlace,
        text: &Value,
    ) -> Result<Option<(Value, How)>, Refusal> {
        let Some(object) = now(self.api, set).await.map_err(|error| refused(&error))? else {
            self.leave(&held.place(), &format!("there is no {}, so it is not known what runs with it", named(set)));
            return Ok(None);
        };
        if let Some(owner) = owners::owner(&object) {
            self.leave(set, &format!("it belongs to {owner}. Change it there, where it comes from"));
            return Ok(None);
        }
        if !runs_with(&object, &held.place().name, held.key()) {
            let why = format!(
                "its pods are not started with {} of the ConfigMap in the way that kubeadm does it, so it is not sure that the setting \
                 would reach them. Look at its `--config`",
                held.key()
            );
            self.leave(set, &why);
            return Ok(None);
        }
        if object.pointer("/spec/updateStrategy/type").and_then(Value::as_str) != Some("RollingUpdate") {
            self.leave(
                set,
                "its pods are made anew only when somebody deletes them (updateStrategy). Change both by hand",
            );
            return Ok(None);
        }
        let (wanted, available) = rollout::counts(&object);
        if available < wanted {
            let why = format!(
                "{available} of its {wanted} pods are available, and the restart would stop at the others. Put them right first: \
                 kubectl -n kube-system get pods -o wide"
            );
            self.leave(set, &why);
            return Ok(None);
        }
        let written = pods::written(text, &["f:data", &format!("f:{}", held.key())]);
        let (Some(written), Some(all)) = (written, pods::of_set(self.api, set, &object).await) else {
            let why = "whether its pods run with the text as it is now could not be seen (managedFields of the ConfigMap, pods of \
                       kube-system), so that a restart might bring more than this change. Change both by hand";
            self.leave(set, why);
            return Ok(None);
        };
        if pods::any_older(&all, &written) {
            let why = format!(
                "{} was changed at {written}, and some of its pods are from before that, so that this restart would bring that change too. \
                 Look at it first (kubectl -n kube-system get configmap {} -o yaml); then restart it by itself and see that it works: \
                 kubectl -n kube-system rollout restart daemonset {}",
                named(&held.place()),
                held.place().name,
                set.name
            );
            self.leave(set, &why);
            return Ok(None);
        }
        self.risk = self.risk.max(Risk::Disruptive);
        self.remark(interrupts(&set.name));
        let within = rollout::within(&object);
        Ok(Some((object, How::Restart { at: restarted_at(), within })))
    }
}

/// What a restart means.
pub(super) fn interrupts(name: &str) -> String {
    format!(
        "{name} is started anew on one node after the other. Connections that stand go on; for some seconds a node does not hear of \
         services and pods that come or go"
    )
}
