"""A classic repository: an `index.yaml`, and archives at the URLs that it names."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from safe_auto_updater.core.answers import Answers
from safe_auto_updater.core.chart_archive import LARGEST_ARCHIVE
from safe_auto_updater.core.charts import ListedChart
from safe_auto_updater.core.errors import RegistryError
from safe_auto_updater.platforms.charts.errors import REMEDY, malformed, refused, unusable
from safe_auto_updater.platforms.charts.index import LARGEST_INDEX, Index, NotAnIndex
from safe_auto_updater.platforms.charts.listing import listed_chart
from safe_auto_updater.platforms.charts.ports import Answered, RepositoryAccess, Web

_KEPT = ("appVersion", "created", "deprecated", "digest", "kubeVersion", "name", "urls", "version")


class ClassicRepository:
    """One repository, asked for its index once in a run. Thread-safe.

    What it lists of a chart is kept between runs, with what tells whether the index is still the
    same; so what did not change is neither sent nor read again.
    """

    def __init__(self, access: RepositoryAccess, web: Web, answers: Answers) -> None:
        self.access = access
        self._web = web
        self._answers = answers
        self._lock = threading.Lock()
        self._index: Index | None = None
        self._current: str | None = None  # the validators of the index as it is now
        self._failure: RegistryError | None = None
        self._known: dict[str, tuple[ListedChart, ...]] = {}

    @property
    def url(self) -> str:
        """Its URL without the query, which may hold a secret."""
        return urlsplit(self.access.url)._replace(query="", fragment="").geturl().rstrip("/")

    @property
    def what(self) -> str:
        """What people call it."""
        return f"repository {self.access.name} ({self.url})" if self.access.name else self.url

    def listed(self, chart: str) -> tuple[ListedChart, ...]:
        """Every version of a chart that it lists, none where it has no such chart."""
        with self._lock:
            if chart not in self._known:
                url = self.access.url
                found = (listed_chart(one, chart, url) for one in self._entries(chart))
                self._known[chart] = tuple(one for one in found if one is not None)
            return self._known[chart]

    def reachable(self) -> None:
        """Ask for the index. Raises RegistryError where that fails."""
        self.listed("")

    def archive(self, location: str) -> bytes:
        """What is at an archive's URL."""
        answer = self._ask(location, {}, LARGEST_ARCHIVE)
        if answer.status != 200:
            raise refused(f"{location.partition('?')[0]}", answer.status, self.access)
        return answer.body

    def _entries(self, chart: str) -> Sequence[Mapping[str, Any]]:
        kept = self._kept(chart)
        if self._index is None and self._current is None:
            self._look(kept)
        if kept is not None and kept[0] == self._current:
            return kept[1]
        if self._index is None:
            self._look(None)
        assert self._index is not None, "asked without a condition it comes whole"
        try:
            entries = self._index.entries(chart)
        except NotAnIndex as error:
            raise self._unreadable(error) from error
        short = [{key: one[key] for key in _KEPT if key in one} for one in entries]
        if self._current:
            body = json.dumps([self._current, short]).encode()
            self._answers.put(self._key(chart), None, body)
        return short

    def _look(self, kept: tuple[str, Sequence[Mapping[str, Any]]] | None) -> None:
        """The index, or that it is still what was kept. Who failed once is not asked again."""
        if self._failure is not None:
            raise self._failure.with_traceback(None)
        try:
            self._fetch(kept)
        except RegistryError as error:
            self._failure = error
            raise

    def _fetch(self, kept: tuple[str, Sequence[Mapping[str, Any]]] | None) -> None:
        headers = _conditions(kept[0]) if kept is not None else {}
        url = _index_url(self.access.url)
        answer = self._ask(url, headers, LARGEST_INDEX)
        if answer.status == 304 and kept is not None:
            self._current = kept[0]
            return
        if answer.status != 200:
            raise refused(f"index.yaml of {self.what}", answer.status, self.access)
        try:
            self._index = Index(answer.body)
        except NotAnIndex as error:
            raise self._unreadable(error) from error
        self._current = _validators(answer)

    def _unreadable(self, error: NotAnIndex) -> RegistryError:
        return malformed(f"index.yaml of {self.what}", str(error))

    def _ask(self, url: str, headers: Mapping[str, str], limit: int) -> Answered:
        if urlsplit(self.access.url).scheme not in ("http", "https"):
            fact = "only http(s) repositories and registries can be asked"
            raise unusable(f"{self.what}: {fact}. Say in {REMEDY} where its charts are to be had")
        if self.access.unverified:
            raise unusable(
                f"{self.what}: its settings say insecure_skip_tls_verify, and nobody is asked "
                f"without knowing who answers. Declare it in {REMEDY} with a ca_file"
            )
        own = _origin(url) == _origin(self.access.url)
        authorization = self._authorization() if own or self.access.everywhere else None
        return self._web.get(url, headers, limit, authorization)

    def _authorization(self) -> str | None:
        access = self.access
        if access.token_file is not None:
            return f"Bearer {self._secret('token_file', access.token_file)}"
        if access.username is None:
            return None
        password = access.password or ""
        if access.password_file is not None:
            password = self._secret("password_file", access.password_file)
        pair = f"{access.username}:{password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"

    def _secret(self, key: str, file: Any) -> str:
        try:
            secret = str(file.read_text(encoding="utf-8")).rstrip("\r\n")
        except (OSError, ValueError) as error:
            fact = getattr(error, "strerror", None) or "it is no text"
            raise unusable(f"{self.what}: {key} {file} cannot be read ({fact})") from None
        if not secret.isprintable():
            raise unusable(f"{self.what}: {key} {file} holds more than one line")
        return secret

    def _kept(self, chart: str) -> tuple[str, Sequence[Mapping[str, Any]]] | None:
        stored = self._answers.get(self._key(chart))
        try:
            match json.loads(stored.body) if stored is not None else None:
                case [str(validators), list(entries)] if all(isinstance(e, dict) for e in entries):
                    return validators, entries
        except (ValueError, RecursionError):
            pass  # damaged: it is asked for anew
        return None

    def _key(self, chart: str) -> str:
        return f"chart {self.access.url} {chart}"


def _index_url(repository: str) -> str:
    """Helm keeps a repository's query, and puts the file's name before it."""
    parts = urlsplit(repository)
    return parts._replace(path=parts.path.rstrip("/") + "/index.yaml", fragment="").geturl()


def _validators(answer: Answered) -> str:
    """What an index can be asked for again by; empty where there is nothing."""
    found = {name: answer.header(name) for name in ("etag", "last-modified")}
    fine = {n: v for n, v in found.items() if v and v.isascii() and v.isprintable()}
    return json.dumps(fine, sort_keys=True) if fine else ""


def _conditions(validators: str) -> dict[str, str]:
    known = json.loads(validators)
    asked = {"If-None-Match": known.get("etag"), "If-Modified-Since": known.get("last-modified")}
    return {name: value for name, value in asked.items() if value}


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
