"""Tag lists come in pages, chained by Link headers (RFC 8288)."""

import re
from urllib.parse import urljoin, urlsplit

from safe_auto_updater.core.reference import is_tag
from safe_auto_updater.platforms.registry.answer import Answer, Headers
from safe_auto_updater.platforms.registry.cache import Cache, Page
from safe_auto_updater.platforms.registry.failures import json_object, malformed
from safe_auto_updater.platforms.registry.session import Question, Session, same_origin

_PAGE = 1000
_MOST_PAGES = 500
_MOST_BARREN = 10
_LARGEST = 32 << 20
_LINK = re.compile(r'<([^<>]*)>((?:\s*;\s*[^\s,;=]+(?:\s*=\s*(?:"[^"]*"|[^\s,;"]+))?)*)')
_NEXT = re.compile(
    r';\s*rel\s*=\s*(?:"(?:[^"]*\s)?next(?:\s[^"]*)?"|next(?![^\s;,]))', re.IGNORECASE
)


def all_tags(session: Session, repository: str, what: str, cache: Cache) -> tuple[str, ...]:
    """Every tag, in the registry's order, all pages of it or none: half a list is no answer.

    Raises RegistryError. A Link back to a page already seen is refused, and one to another host
    than the one that answered: a registry hands over by redirects.
    """
    url = urljoin(session.settings.base_url, f"/v2/{repository}/tags/list?n={_PAGE}")
    seen: set[str] = set()
    tags: dict[str, None] = {}
    size = barren = 0
    while True:
        seen.add(url)
        kept = cache.page(url)
        answer = session.ask(
            Question(
                "GET",
                url,
                repository,
                what,
                max(1, _LARGEST - size),
                "application/json",
                etag=kept[0] if kept else None,
            )
        )
        size += len(answer.body)
        if answer.status == 304 and kept is not None:
            page = kept[1]
        else:
            page = _page(what, answer, repository, moved=answer.url != url)
            if answer.etag is not None and session.is_own(url):
                cache.keep_page(url, answer.etag, page)
        before = len(tags)
        tags.update(dict.fromkeys(tag for tag in page.tags if is_tag(tag)))  # others have no name
        if page.next is None:
            return tuple(tags)
        barren = barren + 1 if len(tags) == before else 0
        url = _following(what, answer, page.next)
        if url in seen or barren == _MOST_BARREN:
            raise malformed(what, f"the pages of {answer.place} go round in a circle")
        if len(seen) == _MOST_PAGES:
            raise malformed(what, f"{answer.place} has more than {_MOST_PAGES} pages of tags")


def next_link(headers: Headers) -> str | None:
    """The target of rel=next, as written; None on the last page."""
    for header in headers.all("link"):
        for target, parameters in _LINK.findall(header[:8192]):
            if _NEXT.search(parameters):
                return str(target)
    return None


def _following(what: str, answer: Answer, link: str) -> str:
    try:
        url = urljoin(answer.url, link)
        stays = same_origin(url, answer.url) and url.isascii() and url.isprintable()
    except ValueError as error:
        fact = f"the link of {answer.place} to the next page is no URL"
        raise malformed(what, fact) from error
    if not stays:
        parts = urlsplit(url)
        to = f"{parts.scheme}://{parts.hostname}"[:100]
        raise malformed(what, f"the next page of {answer.place} is on another host ({to!r})")
    return url


def _page(what: str, answer: Answer, repository: str, moved: bool) -> Page:
    content = json_object(what, answer)
    if "tags" not in content:
        raise malformed(what, f"{answer.place} answered without a list of tags")
    tags = content["tags"]
    if tags is None:  # an empty repository, as Go prints it
        tags = []
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise malformed(what, f"{answer.place} answered with something else than a list of tags")
    name = content.get("name")
    if isinstance(name, str) and not moved and not _same(name, repository):
        raise malformed(what, f"{answer.place} answered for another repository, {name[:100]!r}")
    return Page(tuple(tags), next_link(answer.headers))


def _same(name: str, repository: str) -> bool:
    """Proxies leave out the prefix under which they have a repository, or put theirs before it."""
    return f"/{name}".endswith(f"/{repository}") or f"/{repository}".endswith(f"/{name}")
