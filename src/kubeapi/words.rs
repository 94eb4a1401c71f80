//! What a request is about, in words: `list pods in all namespaces`.

use super::error::shown;
use http::Method;

/// Words for a request: the verb is the one that a right to it would have.
pub(super) fn of_request(method: &Method, path: &str) -> String {
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
        [resource] if *method == Method::POST => format!("create {}", shown(resource)),
        [resource] => {
            format!("list {}{}", shown(resource), if namespace.is_none() { " of the whole cluster" } else { "" })
        }
        [resource, name] => format!("{} {} {}", verb(method), shown(resource), shown(name)),
        [resource, name, below, ..] => {
            format!("{} {}/{} of {}", verb(method), shown(resource), shown(below), shown(name))
        }
        [] => format!("read {}", shown(path)),
    };
    text + &place.unwrap_or_default()
}

fn verb(method: &Method) -> &'static str {
    match *method {
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE => "delete",
        _ => "get",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_in_words() {
        assert_eq!(of_request(&Method::GET, "/api/v1/pods?limit=500"), "list pods of the whole cluster");
        assert_eq!(of_request(&Method::GET, "/api/v1/namespaces/a/pods"), "list pods in the namespace a");
        assert_eq!(of_request(&Method::GET, "/api/v1/namespaces/a"), "get namespaces a");
        assert_eq!(
            of_request(&Method::GET, "/api/v1/namespaces/a/configmaps/b"),
            "get configmaps b in the namespace a"
        );
        assert_eq!(of_request(&Method::GET, "/api/v1/nodes/n1/proxy/configz"), "get nodes/proxy of n1");
        assert_eq!(
            of_request(&Method::POST, "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"),
            "create selfsubjectrulesreviews"
        );
        assert_eq!(
            of_request(&Method::PATCH, "/api/v1/namespaces/a/configmaps/b?dryRun=All"),
            "patch configmaps b in the namespace a"
        );
        assert_eq!(of_request(&Method::GET, "/readyz?verbose"), "read /readyz");
        assert_eq!(of_request(&Method::GET, "/api/v1/\x1b[2J"), "list [2J of the whole cluster");
    }
}
