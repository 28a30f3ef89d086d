"""A chart with one of everything, and each way in which a new version of it can be broken.

The parts are called `<release>-<part>`: web (Deployment), db (StatefulSet with a claim), agent
(DaemonSet), config, secret, a Service, hooks, a Widget whose kind is in crds/, the kind Gadget
among the templates, and a subchart.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.kubernetes.charts import RELEASE, Chart, bare, config_map
from tests.kubernetes.kit import Json, Namespace, deployment
from tests.kubernetes.workloads import daemon_set, stateful_set

Templates = dict[str, Any]
EVENTS = ("pre-upgrade", "post-upgrade", "pre-rollback", "post-rollback", "test")


@dataclass(frozen=True)
class Images:
    """What the parts run: `well` serves, `ends` ends with 0, `crashes` and `hangs` say it."""

    well: str
    ends: str
    crashes: str
    hangs: str

    @classmethod
    def publish(cls, namespace: Namespace) -> Images:
        """Those of one test."""
        return cls(
            well=namespace.publish("1.0.0").reference,
            ends=namespace.publish("1.0.0", name="job", behaviour="one_shot").reference,
            crashes=namespace.publish("1.0.0", name="crash", behaviour="crash").reference,
            hangs=namespace.publish("1.0.0", name="hang", behaviour="never_ready").reference,
        )


def whole(namespace: Namespace, images: Images, version: str = "1.0.0", broken: str = "") -> Chart:
    """The chart; `broken` names the way in which this version is (`BROKEN`)."""
    well, group = images.well, group_of(namespace)
    templates: Templates = {
        "web.yaml": _web(well),
        "db.yaml": _db(well, storage_class(namespace)),
        "agent.yaml": daemon_set(f"{RELEASE}-agent", well),
        "config.yaml": config_map(f"{RELEASE}-config", greeting="{{ .Values.greeting }}"),
        "secret.yaml": _secret(),
        "service.yaml": _service(),
        "widget.yaml": custom_resource(group),
        "gadgets.yaml": definition(group, "Gadget"),
        **{f"{event}.yaml": hook(event, images.ends) for event in EVENTS},
    }
    sub = Chart("sub", templates={"sub.yaml": deployment(f"{RELEASE}-sub", well)})
    chart = Chart(
        version=version,
        app_version=version,
        templates=templates,
        values={"greeting": "hello", "replicas": 1, "sub": {}},
        schema=_schema(),
        crds={"widgets.yaml": definition(group)},
        subcharts=(sub,),
    )
    return BROKEN[broken](chart, templates, images) if broken else chart


def group_of(namespace: Namespace) -> str:
    """The API group of a test's own kind `Widget`."""
    return f"{namespace.name}.example.org"


def storage_class(namespace: Namespace) -> str:
    """What claims of a test ask for, so that they get its own volumes."""
    return namespace.name


@contextmanager
def surroundings(namespace: Namespace, folder: Path, volumes: int = 2) -> Iterator[None]:
    """The volumes that claims are given; they and what charts leave on the cluster are removed."""
    name, cluster = namespace.name, namespace.cluster
    made = [_volume(f"{name}-{n}", name, folder / f"volume-{n}") for n in range(volumes)]
    cluster.run("apply", "-f", "-", given=json.dumps({"kind": "List", "apiVersion": "v1",
                                                      "items": made}))  # fmt: skip
    try:
        yield
    finally:
        gone = ("--ignore-not-found", "--wait=false")
        cluster.run("delete", "persistentvolume", *(one["metadata"]["name"] for one in made), *gone)
        kinds = (f"{plural}.{group_of(namespace)}" for plural in ("widgets", "gadgets"))
        cluster.run("delete", "crd", *kinds, *gone)


def hook(event: str, image: str, name: str = "") -> Json:
    """A Job that Helm runs at one event, and makes anew each time."""
    pod = {"restartPolicy": "Never", "containers": [{"name": "job", "image": image}],
           "terminationGracePeriodSeconds": 1}  # fmt: skip
    notes = {"helm.sh/hook": event, "helm.sh/hook-delete-policy": "before-hook-creation"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": f"{RELEASE}-{name or event}", "annotations": notes},
        "spec": {"backoffLimit": 0, "template": {"spec": pod}},
    }


def definition(group: str, kind: str = "Widget") -> Json:
    """A kind whose size is a number."""
    size = {"type": "object", "properties": {"size": {"type": "integer"}}}
    schema = {"type": "object", "properties": {"spec": size}}
    version = {"name": "v1", "served": True, "storage": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.lower()}s.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": f"{kind.lower()}s", "singular": kind.lower()},
            "versions": [version | {"schema": {"openAPIV3Schema": schema}}],
        },
    }


def custom_resource(group: str, kind: str = "Widget", name: str = f"{RELEASE}-widget") -> Json:
    """One object of such a kind."""
    meta = {"name": name}
    return {"apiVersion": f"{group}/v1", "kind": kind, "metadata": meta, "spec": {"size": 1}}


def _web(image: str) -> Json:
    from_map = {"configMapKeyRef": {"name": f"{RELEASE}-config", "key": "greeting"}}
    from_secret = {"secretKeyRef": {"name": f"{RELEASE}-secret", "key": "token"}}
    env = [{"name": "GREETING", "valueFrom": from_map}, {"name": "TOKEN", "valueFrom": from_secret}]
    found = deployment(f"{RELEASE}-web", image, env=env)
    found["spec"]["replicas"] = bare(".Values.replicas")
    return found


def _db(image: str, storage_class: str) -> Json:
    mounts = [{"name": "data", "mountPath": "/data"}]
    found = stateful_set(f"{RELEASE}-db", image, 1, volumeMounts=mounts)
    asked = {"accessModes": ["ReadWriteOnce"], "storageClassName": storage_class,
             "resources": {"requests": {"storage": "1Mi"}}}  # fmt: skip
    found["spec"]["volumeClaimTemplates"] = [{"metadata": {"name": "data"}, "spec": asked}]
    return found


def _secret() -> Json:
    made = config_map(f"{RELEASE}-secret")
    return made | {"kind": "Secret", "data": {"token": "czNjcmV0"}}


def _service() -> Json:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": f"{RELEASE}-web"},
        "spec": {
            "selector": {"app": f"{RELEASE}-web"},
            "ports": [{"port": 80, "targetPort": 8080}],
        },
    }


def _volume(name: str, storage_class: str, path: Path) -> Json:
    spec = {
        "capacity": {"storage": "1Mi"},
        "accessModes": ["ReadWriteOnce"],
        "storageClassName": storage_class,
        "persistentVolumeReclaimPolicy": "Retain",
        "hostPath": {"path": str(path), "type": "DirectoryOrCreate"},
    }
    meta = {"name": name}
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": meta, "spec": spec}


def _schema(*required: str) -> Json:
    known = {"greeting": {"type": "string"}, "replicas": {"type": "integer"}}
    return {"type": "object", "properties": known, "required": list(required)}


def _container(templates: Templates, file: str) -> Json:
    spec = templates[file]["spec"]["template"]["spec"]
    found: Json = spec["containers"][0]
    return found


def _crash(file: str) -> Callable[[Chart, Templates, Images], Chart]:
    def made(chart: Chart, templates: Templates, images: Images) -> Chart:
        _container(templates, file)["image"] = images.crashes
        return chart

    return made


def _hang(file: str) -> Callable[[Chart, Templates, Images], Chart]:
    def made(chart: Chart, templates: Templates, images: Images) -> Chart:
        _container(templates, file)["image"] = images.hangs
        return chart

    return made


def _pull(chart: Chart, templates: Templates, images: Images) -> Chart:
    _container(templates, "web.yaml")["image"] = f"{images.well}-never-pushed"
    return chart


def _lost(file: str) -> Callable[[Chart, Templates, Images], Chart]:
    """What web needs of it is there no more, and web is made anew."""

    def made(chart: Chart, templates: Templates, images: Images) -> Chart:
        templates[file]["data"] = {"another": "a2V5"}
        _container(templates, "web.yaml")["env"].append({"name": "NEW", "value": "1"})
        return chart

    return made


def _refused_service(chart: Chart, templates: Templates, images: Images) -> Chart:
    templates["service.yaml"]["spec"]["ports"] = [{"port": 80}, {"port": 81}]  # without names
    return chart


def _selector(chart: Chart, templates: Templates, images: Images) -> Chart:
    spec, labels = templates["web.yaml"]["spec"], {"app": f"{RELEASE}-web", "new": "label"}
    spec["selector"] = {"matchLabels": labels}
    spec["template"]["metadata"]["labels"] = labels
    return chart


def _claims(chart: Chart, templates: Templates, images: Images) -> Chart:
    (claim,) = templates["db.yaml"]["spec"]["volumeClaimTemplates"]
    claim["spec"]["resources"]["requests"]["storage"] = "2Mi"
    return chart


def _widget(chart: Chart, templates: Templates, images: Images) -> Chart:
    templates["widget.yaml"]["spec"]["size"] = "large"
    return chart


def _gadgets(chart: Chart, templates: Templates, images: Images) -> Chart:
    del templates["gadgets.yaml"]
    return chart


def _sub(chart: Chart, templates: Templates, images: Images) -> Chart:
    sub = Chart(
        "sub", "1.1.0", templates={"sub.yaml": deployment(f"{RELEASE}-sub", images.crashes)}
    )
    return chart.at(chart.version, subcharts=(sub,))


def _strict(chart: Chart, templates: Templates, images: Images) -> Chart:
    return chart.at(chart.version, schema=_schema("must-be-given"))


def _syntax(chart: Chart, templates: Templates, images: Images) -> Chart:
    templates["config.yaml"] = "a: {{ .Values.greeting.is.no.object }}\n"
    return chart


BROKEN: dict[str, Callable[[Chart, Templates, Images], Chart]] = {
    "web crashes": _crash("web.yaml"),
    "web is never ready": _hang("web.yaml"),
    "web's image is not there": _pull,
    "db crashes": _crash("db.yaml"),
    "agent crashes": _crash("agent.yaml"),
    "config has lost a key": _lost("config.yaml"),
    "secret has lost a key": _lost("secret.yaml"),
    "service is refused": _refused_service,
    "selector is another": _selector,
    "claims are larger": _claims,
    "widget is refused": _widget,
    "gadgets are gone": _gadgets,
    "sub crashes": _sub,
    "values are refused": _strict,
    "template fails": _syntax,
    "pre-upgrade fails": _crash("pre-upgrade.yaml"),
    "pre-upgrade hangs": _hang("pre-upgrade.yaml"),
    "post-upgrade fails": _crash("post-upgrade.yaml"),
    "post-upgrade hangs": _hang("post-upgrade.yaml"),
    "pre-rollback fails": _crash("pre-rollback.yaml"),
    "post-rollback fails": _crash("post-rollback.yaml"),
    "test fails": _crash("test.yaml"),
}
"""The way, in words -> how the chart is changed. Those of rollback hooks break only the way back,
that is, where this version is the one that is gone back to."""
