//! The text of a kubeconfig in kube's types, as tolerant as kubectl.
//!
//! Checked with kube 5.0: its types read a name or password that is a number, as it is written. They refuse a whole file
//! for `config: null` of an `auth-provider` (which kubectl writes), for any other null where they want a list or a text, for
//! an entry without a name, a context without a cluster, and for an `interactiveMode` that they do not know, though none of
//! these may be about the context that is wanted. Such a file is read a second time as plain values, mended, and taken then.

use super::files::KUBECONFIG_LIMIT;
use kube::config::Kubeconfig;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use serde_saphyr::Location;

/// Where an `interactiveMode` goes that kube's type cannot hold: among the unknown fields of `exec`.
pub(in crate::kubeapi) const ODD_MODE: &str = "interactiveMode that is not known";

/// Fields that are true or false; all others are text, lists or records.
const TRUTHS: [&str; 4] = ["insecure-skip-tls-verify", "disable-compression", "provideClusterInfo", "colors"];

/// Reads a text. Fails with the place where it is no kubeconfig, if that is known: the parser's own message may hold a
/// part of the text, and that may be a secret.
pub(super) fn read(text: &str) -> Result<Kubeconfig, Option<Location>> {
    match parse::<Option<Kubeconfig>>(text, false) {
        Ok(config) => Ok(config.unwrap_or_default()),
        Err(error) => {
            let mended = parse(text, true).ok().and_then(|mut value| {
                mend(&mut value);
                serde_json::from_value(value).ok()
            });
            mended.ok_or_else(|| error.location())
        }
    }
}

/// `values`: into plain values, of which texts that other fields would take for truths or numbers must stay as written.
fn parse<T: DeserializeOwned>(text: &str, values: bool) -> Result<T, serde_saphyr::Error> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_reader_input_bytes: Some(KUBECONFIG_LIMIT),
            max_documents: 1,
            max_total_scalar_bytes: KUBECONFIG_LIMIT,
            max_recorded_anchor_bytes: KUBECONFIG_LIMIT,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 20_000,
            max_replay_stack_depth: 8,
        },
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::Error,
        leading_zero_numbers_as_strings: values,
        underscored_numbers_as_strings: values,
        strict_booleans: values,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options)
}

/// Makes of plain values what kube's types take and kubectl does.
fn mend(config: &mut Value) {
    plain(config);
    for (list, entry) in [("clusters", "cluster"), ("users", "user"), ("contexts", "context")] {
        for named in config.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            let Some(named) = named.as_object_mut() else { continue };
            have(named, "name");
            let Some(inner) = named.get_mut(entry).and_then(Value::as_object_mut) else { continue };
            if entry == "context" {
                have(inner, "cluster");
            }
            for extension in inner.get_mut("extensions").and_then(Value::as_array_mut).into_iter().flatten() {
                let Some(extension) = extension.as_object_mut() else { continue };
                have(extension, "name");
                extension.entry("extension").or_insert(Value::Null);
            }
            if let Some(provider) = inner.get_mut("auth-provider").and_then(Value::as_object_mut) {
                have(provider, "name");
            }
            let Some(exec) = inner.get_mut("exec").and_then(Value::as_object_mut) else { continue };
            let known = |mode: &Value| matches!(mode.as_str(), Some("Never" | "IfAvailable" | "Always") | None);
            if exec.get("interactiveMode").is_some_and(|mode| !known(mode))
                && let Some(mode) = exec.remove("interactiveMode")
            {
                exec.insert(ODD_MODE.to_owned(), mode);
            }
        }
    }
}

/// Takes nulls away, and makes texts of numbers.
fn plain(value: &mut Value) {
    match value {
        Value::Number(number) => *value = Value::String(number.to_string()),
        Value::Array(items) => {
            items.retain(|item| !item.is_null());
            items.iter_mut().for_each(plain);
        }
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            for (name, field) in fields.iter_mut() {
                match field {
                    // What other programs left there is theirs; a plugin gets it as it is.
                    _ if name == "extension" => {}
                    Value::Bool(truth) if !TRUTHS.contains(&name.as_str()) => *field = Value::String(truth.to_string()),
                    Value::String(text) if TRUTHS.contains(&name.as_str()) => match text.to_lowercase().as_str() {
                        "yes" | "on" | "y" => *field = Value::Bool(true),
                        "no" | "off" | "n" => *field = Value::Bool(false),
                        _ => {}
                    },
                    field => plain(field),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

fn have(fields: &mut Map<String, Value>, text: &str) {
    fields.entry(text).or_insert_with(|| Value::String(String::new()));
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    /// What one user's entry says.
    fn user(text: &str) -> kube::config::AuthInfo {
        let whole = format!("users: [{{name: u, user: {{{text}}}}}]");
        read(&whole).unwrap().auth_infos.remove(0).auth_info.unwrap()
    }

    #[test]
    fn what_kubes_types_refuse_alone_and_kubectl_takes() {
        for text in [
            "users: [{name: u, user: {auth-provider: {name: gcp, config: null}}}]",
            "users: [{name: u, user: {exec: {command: x, provideClusterInfo: null}}}]",
            "users: [{name: u, user: {exec: {command: x, interactiveMode: Maybe}}}]",
            "users: [{name: u, user: {as: x, as-user-extra: {a: null}}}]",
            "contexts: [{name: c, context: {user: u}}]",
            "contexts: [{context: {cluster: c}}]",
        ] {
            assert!(serde_saphyr::from_str::<Kubeconfig>(text).is_err(), "kube takes this by itself now: {text}");
            assert!(read(text).is_ok(), "{text}");
        }
        // This is no reason to mend anything.
        assert!(serde_saphyr::from_str::<Kubeconfig>("users: [{name: 1, user: {username: 2, password: 3}}]").is_ok());
    }

    #[test]
    fn texts_stay_as_they_are_written_though_another_field_is_mended() {
        let odd = "auth-provider: {name: x, config: null}";
        let read = user(&format!("username: 007, password: 1_000, as: 12, as-uid: true, as-groups: [1, yes], {odd}"));
        assert_eq!(read.username.as_deref(), Some("007"));
        assert_eq!(super::super::kept(read.password.as_ref()), Some("1_000"));
        assert_eq!((read.impersonate.as_deref(), read.impersonate_uid.as_deref()), (Some("12"), Some("true")));
        assert_eq!(read.impersonate_groups.unwrap(), ["1", "yes"]);
        let text = format!(
            "clusters: [{{name: c, cluster: {{insecure-skip-tls-verify: yes, extensions: [{{name: n, extension: {{a: null, b: 1}}}}]}}}}]\nusers: [{{name: u, user: {{{odd}}}}}]"
        );
        let cluster = super::read(&text).unwrap().clusters.remove(0).cluster.unwrap();
        assert_eq!(cluster.insecure_skip_tls_verify, Some(true));
        assert_eq!(cluster.extensions.unwrap()[0].extension, serde_json::json!({"a": null, "b": 1}));
    }

    #[test]
    fn what_is_no_kubeconfig_is_told_by_its_place() {
        for (text, line) in [("clusters: x", 1), ("kind: Config\nusers:\n- name: a\n  user: [x]\n", 4), ("a: [", 1)] {
            assert_eq!(read(text).unwrap_err().map(|at| at.line()), Some(line), "{text}");
        }
    }
}
