"""Admission policies of one namespace alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from tests.kubernetes.kit import Json, Namespace
from tests.lab_kit import eventually

API = "admissionregistration.k8s.io/v1"


@contextmanager
def refusing(
    namespace: Namespace,
    group: str,
    resource: str,
    operation: str,
    at: str,
    shown_by: tuple[str, ...],
) -> Iterator[None]:
    """Refuse whatever has an image of 1.1.0 at a pod spec; in force once `shown_by` is refused."""
    name = namespace.name
    rule = {
        "expression": f"!{at}.containers.exists(c, c.image.contains('1.1.0'))",
        "message": "1.1.0 is not approved here",
    }
    which: Json = {"apiGroups": [group], "apiVersions": ["v1"], "operations": [operation]}
    which["resources"] = [resource]
    mine = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}
    made = [
        {"apiVersion": API, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name},
         "spec": {"matchConstraints": {"resourceRules": [which]}, "validations": [rule]}},
        {"apiVersion": API, "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name},
         "spec": {"policyName": name, "validationActions": ["Deny"], "matchResources": mine}},
    ]  # fmt: skip
    for one in made:
        namespace.cluster.run("apply", "-f", "-", given=json.dumps(one))
    try:
        eventually(lambda: "not approved" in namespace.say(*shown_by, "--dry-run=server").err)
        yield
    finally:
        for one in reversed(made):
            namespace.cluster.run("delete", str(one["kind"]), name)
