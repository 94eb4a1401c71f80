//! With which arguments k3s runs a component within itself, as its log has said since its start: it stands nowhere else.

use super::rancher_config::Running;
use crate::probe::node::k3s_arguments;
use crate::remedy::fresh::Fresh;
use crate::remedy::words::quoted;

/// Asks for the line about it.
pub(super) fn line(unit: &str, component: &str) -> String {
    format!(
        "r=$(systemctl show -p InvocationID {} | cut -d= -f2); [ -n \"$r\" ] && timeout 10 journalctl --no-pager -q -o cat \
         \"_SYSTEMD_INVOCATION_ID=$r\" | grep -m 1 -F 'Running {component} --'",
        quoted(unit)
    )
}

/// The value of a flag in that line.
pub(super) fn running(fresh: &Fresh, unit: &str, component: &str, flag: &str) -> Running {
    let said = fresh.told(&line(unit, component)).and_then(|said| said.lines().next());
    let Some(args) = said.and_then(|said| k3s_arguments(said, component)) else { return Running::Hidden };
    let mut values = args.iter().filter_map(|arg| {
        let (name, value) = arg.strip_prefix("--")?.split_once('=')?;
        (name.replace('_', "-") == flag).then(|| value.to_owned())
    });
    match (values.next(), values.next()) {
        (value, None) => Running::Seen(value),
        // Which of them counts, or whether all do, is the flag's own affair.
        (_, Some(_)) => Running::Hidden,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_value_is_seen_where_the_line_has_it_once() {
        let mut fresh = Fresh::default();
        let args = "--anonymous-auth=false --enable-admission-plugins=NodeRestriction --feature-gates=A=true --feature-gates=B=true";
        let said = format!("time=\"2026-05-26T20:08:48Z\" level=info msg=\"Running kube-apiserver {args}\"\n");
        fresh.said(&line("k3s.service", "kube-apiserver"), 0, said);
        let of = |flag: &str| running(&fresh, "k3s.service", "kube-apiserver", flag);
        assert_eq!(of("enable-admission-plugins"), Running::Seen(Some("NodeRestriction".to_owned())));
        assert_eq!(of("audit-log-path"), Running::Seen(None));
        assert_eq!(of("feature-gates"), Running::Hidden);
        assert_eq!(running(&fresh, "k3s.service", "kubelet", "anonymous-auth"), Running::Hidden);
    }
}
