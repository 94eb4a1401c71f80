//! What a request is about, in words: `list pods in all namespaces`.

use super::error::shown;

/// Words for a request. `post`: a review is created.
pub(super) fn of_request(post: bool, path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    // /api/VERSION/... and /apis/GROUP/VERSION/...
    let rest = match parts.as_slice() {
        ["api", _, rest @ ..] | ["apis", _, _, rest @ ..] if !rest.is_empty() => rest,
        _ => return format!("read {}", shown(path)),
    };
    // `namespaces/X` alone is a namespace, not what is in it.
    let (namespace, rest) = match rest {
        ["namespaces", namespace, rest @ ..] if !rest.is_empty() => (Some(*namespace), rest),
        rest => (None, rest),
    };
    let place = namespace.map(|namespace| format!(" in the namespace {}", shown(namespace)));
    let text = match rest {
        [resource] if post => format!("create {}", shown(resource)),
        [resource] => {
            format!("list {}{}", shown(resource), if namespace.is_none() { " of the whole cluster" } else { "" })
        }
        [resource, name] => format!("get {} {}", shown(resource), shown(name)),
        [resource, name, below, ..] => format!("get {}/{} of {}", shown(resource), shown(below), shown(name)),
        [] => format!("read {}", shown(path)),
    };
    text + &place.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_in_words() {
        assert_eq!(of_request(false, "/api/v1/pods?limit=500"), "list pods of the whole cluster");
        assert_eq!(of_request(false, "/api/v1/namespaces/a/pods"), "list pods in the namespace a");
        assert_eq!(of_request(false, "/api/v1/namespaces/a"), "get namespaces a");
        assert_eq!(of_request(false, "/api/v1/namespaces/a/configmaps/b"), "get configmaps b in the namespace a");
        assert_eq!(of_request(false, "/api/v1/nodes/n1/proxy/configz"), "get nodes/proxy of n1");
        assert_eq!(
            of_request(true, "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"),
            "create selfsubjectrulesreviews"
        );
        assert_eq!(of_request(false, "/readyz?verbose"), "read /readyz");
        assert_eq!(of_request(false, "/api/v1/\x1b[2J"), "list [2J of the whole cluster");
    }
}
