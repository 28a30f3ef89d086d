"""Tag lists come in pages, chained by Link headers (RFC 8288)."""

import re
from urllib.parse import urljoin

import httpx2

from safe_auto_updater.core.reference import is_tag
from safe_auto_updater.platforms.registry.failures import Answer, json_object, malformed
from safe_auto_updater.platforms.registry.session import Session

_PAGE = 1000
_MOST_PAGES = 500
_LARGEST = 32 << 20
_LINK = re.compile(r'<([^<>]*)>((?:\s*;\s*[^\s,;=]+(?:\s*=\s*(?:"[^"]*"|[^\s,;"]+))?)*)')
_NEXT = re.compile(
    r';\s*rel\s*=\s*(?:"(?:[^"]*\s)?next(?:\s[^"]*)?"|next(?![^\s;,]))', re.IGNORECASE
)


def all_tags(session: Session, repository: str, what: str) -> tuple[str, ...]:
    """Every tag, in the registry's order, all pages of it or none: half a list is no answer.

    Raises RegistryError. A Link to another host or back to a page already seen is refused.
    """
    url = urljoin(session.settings.base_url, f"/v2/{repository}/tags/list?n={_PAGE}")
    seen: set[str] = set()
    tags: dict[str, None] = {}
    size = 0
    while True:
        seen.add(url)
        answer = session.ask("GET", url, repository, what, _LARGEST - size, "application/json")
        size += len(answer.body)
        tags.update(dict.fromkeys(_tags(what, answer)))
        link = next_link(answer.headers)
        if link is None:
            return tuple(tags)
        try:
            url = urljoin(url, link)
        except ValueError as error:
            raise malformed(what, "the link to the next page is no URL") from error
        if not session.is_own(url):
            raise malformed(what, "the link to the next page leads to another host")
        if url in seen:
            raise malformed(what, "the pages of the tag list go round in a circle")
        if len(seen) == _MOST_PAGES:
            raise malformed(what, f"the tag list has more than {_MOST_PAGES} pages")


def next_link(headers: httpx2.Headers) -> str | None:
    """The target of rel=next, as written; None on the last page."""
    for header in headers.get_list("link"):
        for target, parameters in _LINK.findall(header[:8192]):
            if _NEXT.search(parameters):
                return str(target)
    return None


def _tags(what: str, answer: Answer) -> list[str]:
    content = json_object(what, answer)
    if "tags" not in content:
        raise malformed(what, f"{answer.place} answered without a list of tags")
    tags = content["tags"]
    if tags is None:  # an empty repository, as Go prints it
        return []
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise malformed(what, f"{answer.place} answered with something else than a list of tags")
    return [tag for tag in tags if is_tag(tag)]  # what cannot be pulled is no tag
