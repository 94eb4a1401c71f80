//! Names of Azure resources, by Azure's own naming rules. They come out of a cluster that anybody may have written to, and
//! become arguments of a program.

/// Longest ARM id of a connected cluster: its parts at their longest, and room.
const ARM_ID: usize = 300;

/// A subscription: a GUID.
pub(in crate::probe) fn subscription(text: &str) -> bool {
    text.len() == 36
        && text.char_indices().all(|(place, c)| match place {
            8 | 13 | 18 | 23 => c == '-',
            _ => c.is_ascii_hexdigit(),
        })
}

/// A resource group: 1 to 90 letters, digits, `_`, `-`, `.`, `(` and `)`, no `.` at the end. One that begins with `-`
/// Azure allows; here it is refused, since it would be an option.
pub(in crate::probe) fn resource_group(text: &str) -> bool {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '(' | ')');
    let length = text.chars().count();
    (1..=90).contains(&length) && text.chars().all(fits) && !text.starts_with('-') && !text.ends_with('.')
}

/// A connected cluster: 1 to 63 letters, digits, `_` and `-`, with a letter or digit at both ends.
pub(in crate::probe) fn cluster(text: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    (1..=63).contains(&text.len())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
        && edge(text.chars().next())
        && edge(text.chars().last())
}

/// A region: `westeurope`.
pub(in crate::probe) fn region(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric())
}

/// The ARM id of a connected cluster of these names.
pub(in crate::probe) fn arm_id(subscription: &str, group: &str, name: &str) -> String {
    format!(
        "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Kubernetes/connectedClusters/{name}"
    )
}

/// Subscription, resource group and name in the ARM id of a connected cluster. None where it is no such id.
pub(in crate::probe) fn split_arm_id(id: &str) -> Option<(&str, &str, &str)> {
    if id.len() > ARM_ID * 4 {
        return None;
    }
    let parts: Vec<&str> = id.split('/').collect();
    let ["", subscriptions, subscription, groups, group, providers, provider, kind, name] = parts.as_slice() else {
        return None;
    };
    let words = [
        (subscriptions, "subscriptions"),
        (groups, "resourceGroups"),
        (providers, "providers"),
        (provider, "Microsoft.Kubernetes"),
        (kind, "connectedClusters"),
    ];
    let shape = words.iter().all(|(found, word)| found.eq_ignore_ascii_case(word));
    let names = self::subscription(subscription) && resource_group(group) && cluster(name);
    (shape && names).then_some((subscription, group, name))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "/subscriptions/df56d048-2e20-4ab6-82b7-11643163aa53/resourceGroups/iot-edge01/providers/Microsoft.Kubernetes/connectedClusters/otedge001";

    #[test]
    fn ids_as_azure_writes_them() {
        let parts = split_arm_id(ID).unwrap();
        assert_eq!(parts, ("df56d048-2e20-4ab6-82b7-11643163aa53", "iot-edge01", "otedge001"));
        assert_eq!(arm_id(parts.0, parts.1, parts.2), ID);
        assert!(split_arm_id(&ID.to_ascii_lowercase()).is_some());
        for bad in [
            "",
            "/",
            "//",
            &format!("{ID}/x"),
            &ID.replace("otedge001", "--query"),
            &ID.replace("Kubernetes", "Compute"),
        ] {
            assert_eq!(split_arm_id(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_would_be_an_option_or_a_shell_word_is_no_name() {
        for bad in ["-x", "--help", "a b", "a;b", "a$(b)", "a\nb", "", "a/b", "@file", "a'"] {
            assert!(!cluster(bad) && !subscription(bad), "{bad}");
        }
        for bad in ["-x", "a b", "a;b", "$(b)", "a\n", "", "a/b", "@file", "a.", &"x".repeat(91)] {
            assert!(!resource_group(bad), "{bad}");
        }
        for good in ["rg-1", "Gruppe_(ost)", "r\u{e9}seau", "a.b"] {
            assert!(resource_group(good), "{good}");
        }
    }

    proptest! {
        #[test]
        fn a_name_that_passes_is_one_plain_word(text in "(?s).{0,80}") {
            for fits in [subscription, resource_group, cluster, region] {
                if fits(&text) {
                    prop_assert!(!text.starts_with('-') && !text.contains(char::is_whitespace) && !text.contains('/'));
                }
            }
            let _ = split_arm_id(&text);
        }
    }
}
