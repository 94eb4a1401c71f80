//! Services that nodes open to the outside.

use super::Item;
use super::parts::{All, Labels, Many, Meta, Text, fact, full_name};
use crate::evidence::cluster::{Service, ServicePort};
use crate::probe::text::marked;
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use std::fmt;

/// Components that a service may lead to.
const COMPONENTS: [&str; 4] = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd"];

/// A Service.
#[derive(Debug, Deserialize)]
pub(in crate::probe::cluster) struct SlimService {
    metadata: Meta,
    spec: Spec,
}

#[derive(Debug, Deserialize)]
struct Spec {
    #[serde(rename = "type")]
    kind: Option<Text>,
    #[serde(default)]
    selector: Labels<All>,
    #[serde(default)]
    ports: Many<Port, 1024>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Port {
    port: i64,
    target_port: Option<NumberOrName>,
    node_port: Option<i64>,
    protocol: Option<Text>,
}

/// A port by number or by name.
#[derive(Debug)]
struct NumberOrName(String);

impl<'de> Deserialize<'de> for NumberOrName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Seen;
        impl Visitor<'_> for Seen {
            type Value = NumberOrName;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or a name")
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<NumberOrName, E> {
                Ok(NumberOrName(number.to_string()))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<NumberOrName, E> {
                Ok(NumberOrName(number.to_string()))
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<NumberOrName, E> {
                if name.len() > 256 {
                    return Err(E::custom("a port's name beyond its bound"));
                }
                Ok(NumberOrName(marked(name)))
            }
        }
        deserializer.deserialize_any(Seen)
    }
}

impl Item for SlimService {
    type Evidence = Service;

    fn wanted(&self) -> bool {
        self.spec.kind.as_ref().is_some_and(|kind| matches!(kind.0.as_str(), "NodePort" | "LoadBalancer"))
    }

    fn evidence(self) -> Option<Service> {
        let (namespace, name) = self.metadata.split()?;
        let selector = self.spec.selector.0;
        let label = |key: &str| selector.get(key).map(String::as_str);
        let by_label = ["component", "k8s-app", "app.kubernetes.io/name"]
            .iter()
            .any(|key| label(key).is_some_and(|value| COMPONENTS.contains(&value)))
            || label("tier") == Some("control-plane");
        // Without a selector its addresses are written by hand; of `default/kubernetes` by the API server itself.
        let itself = selector.is_empty() && (namespace.as_str(), name.as_str()) == ("default", "kubernetes");
        let ports = self.spec.ports.0.into_iter().map(|port| ServicePort {
            port: port.port,
            target: fact(port.target_port.map(|target| target.0)),
            node_port: fact(port.node_port.filter(|number| *number != 0)),
            protocol: port.protocol.map_or_else(|| "TCP".to_owned(), |protocol| protocol.0),
        });
        Some(Service {
            name: full_name(&namespace, &name),
            kind: self.spec.kind.map(|kind| kind.0).unwrap_or_default(),
            ports: ports.collect(),
            control_plane: by_label || itself,
            namespace,
        })
    }
}
