"""The few registry requests that publishing needs, over one kept connection."""

from __future__ import annotations

import http.client
import json
from types import TracebackType
from typing import Self

from lab.errors import LabError
from lab.layers import digest_of

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
MANIFEST_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
_ANY = f"{MANIFEST}, {MANIFEST_LIST}, {OCI_MANIFEST}, {OCI_INDEX}"


class Push:
    """A connection to one repository (``with Push(registry, name) as push``)."""

    def __init__(self, registry: str, name: str) -> None:
        self._registry, self._name = registry, name
        self._connection = http.client.HTTPConnection(registry, timeout=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._connection.close()

    def _ask(
        self, method: str, url: str, body: bytes | None = None, kind: str = "*/*"
    ) -> tuple[http.client.HTTPResponse, bytes]:
        headers = {"Content-Type": kind, "Accept": _ANY}
        try:
            self._connection.request(method, url, body, headers)
            answer = self._connection.getresponse()
            content = answer.read()
        except OSError as error:
            raise LabError(
                f"registry {self._registry} does not answer ({error}): it is seen from inside "
                "the lab only, so start this with `python -m lab run -- COMMAND`"
            ) from error
        if answer.status >= 400 and not (method == "HEAD" and answer.status == 404):
            raise LabError(f"{method} {url}: {answer.status} {content.decode(errors='replace')}")
        return answer, content

    def blob(self, content: bytes) -> str:
        """Upload unless it is there; its digest."""
        digest = digest_of(content)
        answer, _ = self._ask("HEAD", f"/v2/{self._name}/blobs/{digest}")
        if answer.status == 404:
            begun, _ = self._ask("POST", f"/v2/{self._name}/blobs/uploads/")
            place = begun.headers["Location"].removeprefix(f"http://{self._registry}")
            mark = "&" if "?" in place else "?"
            self._ask("PUT", f"{place}{mark}digest={digest}", content, "application/octet-stream")
        return digest

    def manifest(self, reference: str, document: dict[str, object] | bytes, kind: str) -> bytes:
        """Put a manifest under a tag or its digest; the bytes as stored."""
        content = document if isinstance(document, bytes) else json.dumps(document).encode()
        at = reference or digest_of(content)
        self._ask("PUT", f"/v2/{self._name}/manifests/{at}", content, kind)
        return content

    def read(self, reference: str) -> tuple[bytes, str]:
        """Manifest bytes and media type of a tag or digest."""
        answer, content = self._ask("GET", f"/v2/{self._name}/manifests/{reference}")
        return content, answer.headers["Content-Type"]

    def delete(self, digest: str) -> None:
        """Delete a manifest, and with it every tag that points to it."""
        self._ask("DELETE", f"/v2/{self._name}/manifests/{digest}")

    def delete_blob(self, digest: str) -> None:
        """Take a layer or configuration away; manifests still name it."""
        self._ask("DELETE", f"/v2/{self._name}/blobs/{digest}")
