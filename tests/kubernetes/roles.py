"""The shipped roles, applied as operators apply them, and the accounts that they are bound to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from tests.kubernetes.kit import Json, Namespace

FILES = Path(__file__).resolve().parents[2] / "deploy" / "kubernetes"


def shipped(file: str) -> Path:
    """The one of this name."""
    (found,) = FILES.rglob(file)
    return found


def account(
    namespace: Namespace, file: str, folder: Path, without: tuple[str, str] | None = None
) -> Path:
    """Apply a file to the namespace; the kubeconfig of its account.

    `without` takes one verb of one resource out of it: (verb, resource).
    """
    text = _text(file, without)
    namespace.run("apply", "-f", "-", given=text)
    return kubeconfig(namespace, _account_of(text), folder)


def helm_viewer(namespace: Namespace) -> None:
    """Let the accounts of the other files see releases too."""
    namespace.run("apply", "-f", str(shipped("helm-viewer.yaml")))


def everywhere(namespace: Namespace, folder: Path, without: tuple[str, str] | None = None) -> Path:
    """Apply the role for all namespaces, under names of this test's own; `nowhere` removes it."""
    text = _text("clusterrole.yaml", without)
    text = text.replace("name: safe-auto-updater", f"name: {namespace.name}")
    text = text.replace("namespace: safe-auto-updater", f"namespace: {namespace.name}")
    namespace.cluster.run("apply", "-f", "-", given=text)
    return kubeconfig(namespace, namespace.name, folder)


def nowhere(namespace: Namespace) -> None:
    """Remove what `everywhere` made."""
    kinds = "clusterrole,clusterrolebinding"
    namespace.cluster.run("delete", kinds, namespace.name, "--ignore-not-found")


def kubeconfig(namespace: Namespace, account: str, folder: Path) -> Path:
    """How a program is this account of the namespace."""
    token = namespace.run("create", "token", account, "--duration=1h").strip()
    cluster = namespace.cluster.run("config", "view", "--raw", "--minify", "-o", "json")
    told: Json = json.loads(cluster)
    told["users"] = [{"name": account, "user": {"token": token}}]
    told["contexts"][0]["context"]["user"] = account
    path = folder / f"{account}.kubeconfig"
    path.write_text(json.dumps(told))
    return path


def _account_of(text: str) -> str:
    (found,) = (one for one in yaml.safe_load_all(text) if one["kind"] == "ServiceAccount")
    return str(found["metadata"]["name"])


def _text(file: str, without: tuple[str, str] | None) -> str:
    text = shipped(file).read_text()
    if without is None:
        return text
    return yaml.safe_dump_all(_without(*without, one) for one in yaml.safe_load_all(text))


def _without(verb: str, resource: str, document: Any) -> Any:
    rules = []
    for rule in document.get("rules", ()):
        for one in rule["resources"]:
            verbs = [each for each in rule["verbs"] if (each, one) != (verb, resource)]
            rules += [{**rule, "resources": [one], "verbs": verbs}] if verbs else []
    return {**document, "rules": rules} if rules else document
