//! Deployments, DaemonSets and StatefulSets.

use super::Item;
use super::parts::{Many, Meta, Text, full_name};
use crate::evidence::Fact;
use crate::evidence::cluster::Workload;
use serde::Deserialize;

/// A Deployment or StatefulSet.
#[derive(Debug, Deserialize)]
pub(in crate::probe::cluster) struct Replicated {
    metadata: Meta,
    spec: ReplicatedSpec,
    #[serde(default)]
    status: Option<ReplicatedStatus>,
}

#[derive(Debug, Deserialize)]
struct ReplicatedSpec {
    replicas: Option<i64>,
    template: Template,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ReplicatedStatus {
    ready_replicas: Option<i64>,
    observed_generation: Option<i64>,
}

/// A DaemonSet.
#[derive(Debug, Deserialize)]
pub(in crate::probe::cluster) struct DaemonSet {
    metadata: Meta,
    spec: DaemonSpec,
    #[serde(default)]
    status: Option<DaemonStatus>,
}

#[derive(Debug, Deserialize)]
struct DaemonSpec {
    template: Template,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct DaemonStatus {
    desired_number_scheduled: Option<i64>,
    number_ready: Option<i64>,
    observed_generation: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct Template {
    #[serde(default)]
    spec: Option<TemplateSpec>,
}

#[derive(Debug, Default, Deserialize)]
struct TemplateSpec {
    #[serde(default)]
    containers: Many<Container, 512>,
}

#[derive(Debug, Deserialize)]
struct Container {
    image: Option<Text>,
}

/// A Deployment.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(in crate::probe::cluster) struct Deployment(Replicated);

/// A StatefulSet.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(in crate::probe::cluster) struct StatefulSet(Replicated);

impl Replicated {
    fn workload(self, kind: &str) -> Option<Workload> {
        // The API server fills in one replica where none is said, and leaves out a count of none that are ready.
        let desired = Fact::Known(self.spec.replicas.unwrap_or(1));
        let status = self.status.unwrap_or_default();
        let ready = status.ready_replicas.unwrap_or(0);
        workload(kind, &self.metadata, (desired, ready, status.observed_generation), self.spec.template)
    }
}

impl Item for Deployment {
    type Evidence = Workload;

    fn evidence(self) -> Option<Workload> {
        self.0.workload("Deployment")
    }
}

impl Item for StatefulSet {
    type Evidence = Workload;

    fn evidence(self) -> Option<Workload> {
        self.0.workload("StatefulSet")
    }
}

impl Item for DaemonSet {
    type Evidence = Workload;

    fn evidence(self) -> Option<Workload> {
        let status = self.status.unwrap_or_default();
        // How many nodes want it is the controller's word: before it spoke, that is not known.
        let desired = status.desired_number_scheduled.map_or(Fact::Unread, Fact::Known);
        let counts = (desired, status.number_ready.unwrap_or(0), status.observed_generation);
        workload("DaemonSet", &self.metadata, counts, self.spec.template)
    }
}

fn workload(
    kind: &str,
    meta: &Meta,
    (desired, ready, observed): (Fact<i64>, i64, Option<i64>),
    template: Template,
) -> Option<Workload> {
    let (namespace, short) = meta.split()?;
    let images = template.spec.unwrap_or_default().containers.0.into_iter();
    Some(Workload {
        name: format!("{kind} {}", full_name(&namespace, &short)),
        kind: kind.to_owned(),
        namespace,
        workload: short,
        desired,
        ready: Fact::Known(ready),
        observed: meta.generation.map_or(Fact::Unread, |now| Fact::Known(observed.is_some_and(|seen| seen >= now))),
        images: images.filter_map(|container| Some(container.image?.0)).collect(),
    })
}
