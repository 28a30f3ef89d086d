"""Between the program and the real API server: every question goes through, some are spoiled."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.http_kit import LocalServer, QuietHandler

CONFLICT = json.dumps({"kind": "Status", "code": 409, "reason": "Conflict", "message": "try again"})
FAILED = json.dumps({"kind": "Status", "code": 500, "message": "etcdserver: request timed out"})


@dataclass
class Spoiled:
    """What becomes of the first writes that are no dry run: each entry spoils one of them.

    `taken` says whether the server carries it out all the same; status 0 breaks the answer off.
    """

    ways: list[tuple[bool, int]]


@contextmanager
def between(kubeconfig: Path, folder: Path, spoiled: Spoiled) -> Iterator[Path]:
    """The kubeconfig of a way to the same server that spoils writes."""
    told = json.loads(kubeconfig.read_text())
    server = told["clusters"][0]["cluster"]["server"]
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE  # it is the lab's own, on loopback

    class Handler(QuietHandler):
        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
            way: tuple[bool, int] | None = None
            if self.command == "PATCH" and "dryRun" not in self.path:
                way = spoiled.ways.pop(0) if spoiled.ways else None
            status, content = (0, b"") if way and not way[0] else self.ask(body)
            if way is not None:
                status = way[1]
                content = (CONFLICT if status == 409 else FAILED).encode()
            if status == 0:
                self.close_connection = True
                return
            self.answer(status, content)

        def ask(self, body: bytes | None) -> tuple[int, bytes]:
            headers = {
                key: value
                for key, value in self.headers.items()
                if key.lower() in ("authorization", "content-type", "accept")
            }
            asked = urllib.request.Request(
                server + self.path, data=body, headers=headers, method=self.command
            )
            try:
                with urllib.request.urlopen(asked, context=trusting, timeout=30) as answer:
                    return answer.status, answer.read()
            except urllib.error.HTTPError as error:
                return error.code, error.read()

        do_GET = do_PATCH = do_POST = do_DELETE = pass_on

    with LocalServer(Handler) as way:
        told["clusters"][0]["cluster"] = {"server": way.url}
        path = folder / "between.kubeconfig"
        path.write_text(json.dumps(told))
        yield path
