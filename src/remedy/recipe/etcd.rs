//! Whether every member of etcd is well, asked on the node: a member that restarts while another one is away takes the
//! majority with it. And the snapshot that is kept before etcd is touched.

use crate::evidence::StaticPod;
use crate::remedy::change::Validate;
use crate::remedy::edit::manifest_flag::flag_values;
use crate::remedy::fresh::Fresh;
use crate::remedy::plan::Refusal;
use crate::remedy::words::quoted;

/// How the members are asked after: what this member's metrics tell of it and of its peers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Members {
    line: String,
}

impl Members {
    /// For the member that a manifest starts. Refused where its metrics cannot be asked without a certificate.
    pub(super) fn of(node: &str, pod: &StaticPod) -> Result<Self, Refusal> {
        let command = pod.command.known().map_or(&[][..], Vec::as_slice);
        let urls = command.iter().find_map(|word| word.strip_prefix("--listen-metrics-urls="));
        let place = urls.into_iter().flat_map(|urls| urls.split(',')).find_map(plain);
        let Some((host, port)) = place else {
            return Err(Refusal::new(format!(
                "{node}: whether every member of etcd is well cannot be asked there (its manifest has no --listen-metrics-urls with an \
                 http address). Ask with `etcdctl endpoint health --cluster`, then change {} by hand, one node after the other",
                pod.path
            )));
        };
        Ok(Members::at(host, port))
    }

    /// For a member whose metrics are at a plain address.
    pub(super) fn at(host: &str, port: u16) -> Self {
        let request = "GET /metrics HTTP/1.0\\r\\n\\r\\n";
        let line = format!(
            "if command -v curl >/dev/null; then curl -fs -m 10 http://{host}:{port}/metrics; \
             elif command -v bash >/dev/null; then bash -c 'exec 3<>/dev/tcp/{host}/{port} && printf \"{request}\" >&3 && cat <&3'; \
             else wget -q -T 10 -O - http://{host}:{port}/metrics; \
             fi | grep -E '^etcd_(network_(known|active)_peers|server_has_leader|server_is_learner)'"
        );
        Members { line }
    }

    /// The line of shell that asks.
    pub(super) fn line(&self) -> &str {
        &self.line
    }

    /// What a restart means, where all members are well; else why it must not be.
    pub(super) fn well(&self, fresh: &Fresh) -> Result<String, Refusal> {
        let Some(said) = fresh.told(&self.line) else {
            return Err(Refusal::new(
                "whether every member of etcd is well could not be asked on the node. Ask with `etcdctl endpoint health --cluster` and \
                 change it by hand, one node after the other",
            ));
        };
        let (mut known, mut active) = (Vec::new(), Vec::new());
        let mut leader = false;
        for line in said.lines() {
            let Some((name, value)) = line.trim().rsplit_once(' ') else { continue };
            let counts = value.parse::<f64>().is_ok_and(|value| value >= 1.0);
            let label = |key: &str| name.split_once(&format!("{key}=\"")).and_then(|(_, rest)| rest.split('"').next());
            let peer = label("Remote").filter(|remote| label("Local") != Some(remote));
            match (name.split('{').next(), peer) {
                (Some("etcd_server_has_leader"), _) => leader |= counts,
                (Some("etcd_network_known_peers"), Some(peer)) if counts => known.push(peer.to_owned()),
                (Some("etcd_network_active_peers"), Some(peer)) if counts => active.push(peer.to_owned()),
                _ => {}
            }
        }
        if !leader {
            return Err(Refusal::new("etcd has no leader now: nothing is changed until all its members are well"));
        }
        match known.iter().filter(|peer| !active.contains(peer)).count() {
            0 if known.is_empty() => {
                Ok("etcd has this one member: while it restarts, nothing can be read from or written to the cluster"
                    .to_owned())
            }
            0 => Ok(format!("etcd has {} members, all well; the others go on meanwhile", known.len() + 1)),
            away => Err(Refusal::new(format!(
                "{away} of etcd's {} members cannot be reached: a restart of this one could take the majority away. Bring them back \
                 first",
                known.len() + 1
            ))),
        }
    }
}

/// Whether there is an etcdctl that can be asked for a snapshot: the node's own, or the one in etcd's container.
pub(super) const CAN_KEEP: &str = "command -v etcdctl || crictl exec \"$(crictl ps -q --state Running --name '^etcd$' \
     --label io.kubernetes.pod.namespace=kube-system | head -n 1)\" etcdctl version";

fn given(text: &str, flag: &str) -> Option<String> {
    flag_values(text, "etcd", flag).ok()?.into_iter().flatten().next()
}

/// By which options etcdctl speaks with the member that a manifest starts, as a shell takes them. `Err`: why it cannot, a clause.
pub(super) fn options(text: &str) -> Result<String, &'static str> {
    let urls = given(text, "listen-client-urls").unwrap_or_default();
    let mut urls: Vec<&str> = urls.split(',').map(str::trim).filter(|url| !url.is_empty()).collect();
    urls.sort_by_key(|url| !url.contains("//127.0.0.1:"));
    let url = urls.first().ok_or("its manifest names no --listen-client-urls")?;
    let mut words = vec![format!("--endpoints={url}")];
    for (option, flag) in [("cacert", "trusted-ca-file"), ("cert", "cert-file"), ("key", "key-file")] {
        words.extend(given(text, flag).map(|file| format!("--{option}={file}")));
    }
    Ok(words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "))
}

/// The snapshot of the member that a manifest starts. Refused where it cannot be taken.
pub(super) fn snapshot(manifest: &str, text: &str, fresh: &Fresh) -> Result<Validate, Refusal> {
    let refuse = |why: &str| {
        Err(Refusal::new(format!(
            "no snapshot of etcd can be taken before it is touched: {why}. Take one by hand (`etcdctl snapshot save FILE`), then \
             change {manifest} by hand"
        )))
    };
    if fresh.told(CAN_KEEP).is_none() {
        return refuse("the node has no etcdctl, and none in the container of etcd answers to crictl");
    }
    let words = match options(text) {
        Ok(words) => words,
        Err(why) => return refuse(why),
    };
    let Some(data) = given(text, "data-dir").filter(|data| data.starts_with('/')) else {
        return refuse("its manifest names no --data-dir");
    };
    let data = quoted(data.trim_end_matches('/'));
    // In the container nothing but the data's folder can be written to, and it is the same one outside.
    let line = format!(
        "( umask 077; D={data}; T=$D/.sitewarden-snapshot; \
         for F in \"${{KEPT%/*}}\" \"$D\"; do \
         [ \"$(df -Pk \"$F\" | awk 'NR == 2 {{ print $4 }}')\" -gt $((2 * $(du -sk \"$D\" | cut -f1))) ] || \
         {{ echo \"there is no room for it in $F\"; exit 1; }}; done; \
         if command -v etcdctl >/dev/null; then ETCDCTL_API=3 etcdctl {words} snapshot save \"$KEPT\" || exit 1; else \
         C=$(crictl ps -q --state Running --name '^etcd$' --label io.kubernetes.pod.namespace=kube-system | head -n 1); \
         rm -f \"$T\"; crictl exec \"$C\" etcdctl {words} snapshot save \"$T\" && mv \"$T\" \"$KEPT\" || \
         {{ rm -f \"$T\" \"$T.part\"; exit 1; }}; fi; \
         chmod 600 \"$KEPT\" && [ -s \"$KEPT\" ] && sync && echo \"The snapshot of etcd is $KEPT\" )"
    );
    Ok(Validate::Keep { what: "a snapshot of etcd".to_owned(), at: "etcd-snapshot.db".to_owned(), line })
}

/// Host and port of an http address of plain words.
fn plain(url: &str) -> Option<(&str, u16)> {
    let (host, port) = url.trim().strip_prefix("http://")?.trim_end_matches('/').rsplit_once(':')?;
    let word = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
    word.then_some((host, port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::evidence::Fact;

    fn members(flag: &str) -> Result<Members, Refusal> {
        let pod = StaticPod {
            path: "/m/etcd.yaml".to_owned(),
            image: Fact::Unread,
            command: Fact::Known(vec!["etcd".to_owned(), flag.to_owned()]),
            environment_names: Fact::Unread,
            host_network: Fact::Unread,
            unread: None,
        };
        Members::of("n1", &pod)
    }

    fn asked(said: &str) -> Result<String, Refusal> {
        let members = members("--listen-metrics-urls=http://127.0.0.1:2381").unwrap();
        let mut fresh = Fresh::default();
        fresh.said(members.line(), 0, said.to_owned());
        members.well(&fresh)
    }

    const OWN: &str = "etcd_network_known_peers{Local=\"a\",Remote=\"a\"} 1\netcd_server_has_leader 1\n";

    #[test]
    fn a_member_that_is_away_refuses_the_restart_of_another() {
        assert!(asked(OWN).unwrap().contains("this one member"));
        let two = format!(
            "{OWN}etcd_network_known_peers{{Local=\"a\",Remote=\"b\"}} 1\netcd_network_known_peers{{Local=\"a\",Remote=\"c\"}} 1\n\
             etcd_network_active_peers{{Local=\"a\",Remote=\"b\"}} 1\n"
        );
        assert!(asked(&two).unwrap_err().0.contains("1 of etcd's 3 members"));
        let gone = format!("{two}etcd_network_active_peers{{Local=\"a\",Remote=\"c\"}} 0\n");
        assert!(asked(&gone).is_err());
        let all = format!("{two}etcd_network_active_peers{{Local=\"a\",Remote=\"c\"}} 1\n");
        assert!(asked(&all).unwrap().contains("3 members, all well"));
        assert!(asked(&OWN.replace("leader 1", "leader 0")).unwrap_err().0.contains("no leader"));
        assert!(asked("").is_err(), "nothing said is not well");
        assert!(members("--x=1").unwrap_err().0.contains("etcdctl"));
        for hostile in ["http://127.0.0.1'; reboot;':1", "https://127.0.0.1:2381", "http://$(x):1"] {
            assert!(members(&format!("--listen-metrics-urls={hostile}")).is_err(), "{hostile}");
        }
    }
}
