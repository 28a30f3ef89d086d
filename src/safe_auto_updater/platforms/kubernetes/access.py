"""How a cluster is reached: kubeconfig and context, or the pod that we run in."""

from __future__ import annotations

import json
import os
import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Protocol

from safe_auto_updater.core.errors import PlatformError, PlatformUnreachable

CONNECT_S = 5.0
BEGINNING = 16 * 1024  # bytes
_KEPT = 100  # connections at most; for each one more its library prints a warning
_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
_INSTALL = "install the extra: pip install 'safe-auto-updater[kubernetes]'"


class Told(Protocol):
    """An answer that comes in for as long as there is something to tell."""

    status: int

    def lines(self) -> Iterator[bytes]:
        """Its lines as they come. Raises PlatformUnreachable where it breaks off."""
        ...

    def end(self) -> None:
        """Have `lines` end, from another thread."""
        ...

    def close(self) -> None:
        """Free what it holds."""
        ...


class Transport(Protocol):
    """One way to a server: who it is, and bytes there and back."""

    server: str

    def ask(
        self,
        method: str,
        target: str,
        body: bytes | None,
        content_type: str,
        accept: str,
        wait_s: float,
    ) -> tuple[int, bytes]:
        """Status and content. Raises PlatformUnreachable."""
        ...

    def begin(self, target: str, wait_s: float) -> tuple[int, bytes]:
        """Status of a GET, and how a refusal begins. Raises PlatformUnreachable."""
        ...

    def follow(self, target: str, accept: str, wait_s: float) -> Told:
        """A GET whose answer goes on. Raises PlatformUnreachable."""
        ...


@dataclass(frozen=True)
class Access:
    """Where the cluster is. Without a kubeconfig: the usual one, or our own pod's account."""

    kubeconfig: Path | None = None
    context: str | None = None

    @property
    def is_own_pods(self) -> bool:
        """Whether it is the cluster of the pod that we run in: nothing is said, and this is one."""
        said = self.kubeconfig or self.context
        return not said and "KUBERNETES_SERVICE_HOST" in os.environ

    @contextmanager
    def file(self) -> Iterator[Path | None]:
        """The kubeconfig for another program; of our pod's own account one that is made for it.

        Without one it would look for another first, and be whom it is told to be by none.
        """
        if not self.is_own_pods:
            yield self.kubeconfig
            return
        with NamedTemporaryFile("w", prefix="sau-pod-", suffix=".kubeconfig") as made:
            json.dump(_of_pod(os.environ), made)
            made.flush()
            yield Path(made.name)

    def open(self, name: str) -> Transport:
        """Read the configuration; nothing is asked yet. PlatformError where it cannot be used."""
        try:
            from kubernetes import config
            from kubernetes.client import Configuration
            from kubernetes.client.rest import RESTClientObject
        except ImportError as error:
            raise PlatformError(f"cluster {name}: {_INSTALL}") from error
        settings = Configuration()
        settings.connection_pool_maxsize = _KEPT
        try:
            if self.is_own_pods:
                config.load_incluster_config(  # type: ignore[no-untyped-call]
                    client_configuration=settings
                )
            else:
                config.load_kube_config(  # type: ignore[no-untyped-call]
                    config_file=str(self.kubeconfig) if self.kubeconfig else None,
                    context=self.context,
                    client_configuration=settings,
                )
        except Exception as error:  # it reads a stranger's file, and lets its parsers' errors out
            where, why = self.kubeconfig or "kubeconfig", " ".join(str(error).split())
            raise PlatformError(f"cluster {name}: {where} cannot be used: {why}") from error
        return _Official(name, settings, RESTClientObject(settings).pool_manager)


def _of_pod(environ: Mapping[str, str]) -> dict[str, Any]:
    """A kubeconfig of a pod's own account, which holds no secret itself."""
    host, port = environ["KUBERNETES_SERVICE_HOST"], environ.get("KUBERNETES_SERVICE_PORT", "443")
    server = f"https://{f'[{host}]' if ':' in host else host}:{port}"
    cluster = {"server": server, "certificate-authority": f"{_ACCOUNT}/ca.crt"}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "pod",
        "contexts": [{"name": "pod", "context": {"cluster": "pod", "user": "pod"}}],
        "clusters": [{"name": "pod", "cluster": cluster}],
        "users": [{"name": "pod", "user": {"tokenFile": f"{_ACCOUNT}/token"}}],
    }


class _Official:
    """The official client's connections, asked without its models."""

    def __init__(self, name: str, settings: Any, pool: Any) -> None:
        self.server = str(settings.host)
        self._name = name
        self._settings = settings
        self._pool = pool

    def ask(
        self,
        method: str,
        target: str,
        body: bytes | None,
        content_type: str,
        accept: str,
        wait_s: float,
    ) -> tuple[int, bytes]:
        headers = {"Accept": accept, "Content-Type": content_type}
        with self._answering():
            answer = self._request(method, target, headers, wait_s, body=body)
        return int(answer.status), bytes(answer.data)

    def begin(self, target: str, wait_s: float) -> tuple[int, bytes]:
        """The rest is not read, and its connection not used again."""
        with self._answering():
            answer = self._request("GET", target, {}, wait_s, preload_content=False)
            try:
                status = int(answer.status)
                return status, _beginning(answer, wait_s) if status >= 400 else b""
            finally:
                answer.close()

    def follow(self, target: str, accept: str, wait_s: float) -> Told:
        with self._answering():
            headers = {"Accept": accept}
            answer = self._request("GET", target, headers, wait_s, preload_content=False)
        return _Following(answer, self._answering)

    def _request(
        self, method: str, target: str, headers: dict[str, str], wait_s: float, **more: Any
    ) -> Any:
        from urllib3 import Timeout

        for setting in self._settings.auth_settings().values():
            if setting["value"]:
                headers[setting["key"]] = setting["value"]
        return self._pool.request(
            method,
            self.server + target,
            headers=headers,
            timeout=Timeout(connect=CONNECT_S, read=wait_s),
            retries=False,
            redirect=False,
            **more,
        )

    @contextmanager
    def _answering(self) -> Iterator[None]:
        from urllib3.exceptions import HTTPError

        try:
            yield
        except (HTTPError, OSError) as error:
            why = re.sub(r"^.*?: |<[^>]*>[:,]? ?", "", str(error)) or str(error)
            raise PlatformUnreachable(
                f"cluster {self._name} at {self.server} does not answer: {why}"
            ) from error


class _Following:
    """An answer of the official client's connections, read as it comes."""

    def __init__(self, answer: Any, answering: Callable[[], AbstractContextManager[None]]) -> None:
        self.status = int(answer.status)
        self._answer = answer
        self._answering = answering
        self._sock = getattr(answer.connection, "sock", None)

    def lines(self) -> Iterator[bytes]:
        begun = b""
        with self._answering():
            while part := self._answer.read1(BEGINNING):
                *whole, begun = (begun + part).split(b"\n")
                yield from whole
        if begun:
            yield begun

    def end(self) -> None:
        if self._sock is not None:
            with suppress(OSError):  # it is over already
                socket.socket.shutdown(self._sock, socket.SHUT_RDWR)  # of TLS, what is below

    def close(self) -> None:
        self._answer.close()


def _beginning(answer: Any, wait_s: float) -> bytes:
    """Up to the limit, in however many parts it comes; what there is where the rest does not."""
    from urllib3.exceptions import HTTPError

    end, read = time.monotonic() + wait_s, b""
    try:
        while len(read) < BEGINNING and time.monotonic() < end:
            part = answer.read1(BEGINNING - len(read))
            if not part:
                break
            read += part
    except HTTPError:
        pass  # its status has been said
    return read
