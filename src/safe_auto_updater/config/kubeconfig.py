"""Which cluster `kubectl` would ask, for those who configure none, or no context of theirs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def usual_context(kubeconfig: str | None, environ: Mapping[str, str]) -> str | None:
    """The context that is meant where none is named; None in a pod, whose own account is meant.

    It is said to whoever asks the cluster. Left to themselves they differ: of several files the
    client library goes by the last, helm by the first; and people change it while we run.
    """
    if kubeconfig:
        return current_context({"KUBECONFIG": kubeconfig})
    return None if "KUBERNETES_SERVICE_HOST" in environ else current_context(environ)


def current_context(environ: Mapping[str, str]) -> str | None:
    """The current context of the usual kubeconfig; None where there is none, or none can be read.

    Several files count as `kubectl` counts them: the first that names one.
    """
    listed = environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    for file in filter(None, listed.split(os.pathsep)):
        try:
            text = Path(file).read_text()
        except (OSError, UnicodeDecodeError):
            continue
        found = _current(text)
        if found:
            return found
    return None


def _current(text: str) -> str | None:
    import yaml  # here, because most machines have no kubeconfig

    try:
        said = yaml.safe_load(text)
    except yaml.YAMLError:
        return None
    found = said.get("current-context") if isinstance(said, dict) else None
    return found if isinstance(found, str) and found else None
