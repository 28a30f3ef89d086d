"""The one place in a Compose project's files that says which image a service runs, and its edit.

Pure but for `read`. An edit changes that one value; every other byte of the file stays. Where the
value is not in one place, or is another's too, nothing is edited and the reason is told.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from safe_auto_updater.platforms.docker.compose.document import Document, Scalar, place
from safe_auto_updater.platforms.docker.compose.edit import Edit
from safe_auto_updater.platforms.docker.compose.errors import Unclear
from safe_auto_updater.platforms.docker.compose.labels import ComposeService
from safe_auto_updater.platforms.docker.compose.project import Project, Read
from safe_auto_updater.platforms.docker.compose.template import Leaf, names_in

_MADE = "a value that is made from others"


def find_edit(
    service: ComposeService, old: str, new: str, read: Read, environ: Mapping[str, str]
) -> Edit | None:
    """What to change so that the service's image is `new` instead of `old`.

    None where the files say `new` already. Unclear, with the reason, where there is no such place.
    """
    project = Project.of(service, read, environ)
    found = project.image_of(service.service)
    if found is None:
        files = ", ".join(service.config_files)
        raise Unclear(f"no image is named for service {service.service} in {files}")
    home, scalar = found
    said = home.says(scalar)
    if said == new:
        return None
    if said != old:
        raise Unclear(_drifted(home, scalar, said, old))
    _refuse_shared(project, service.service, scalar)
    edit = _edit(home, scalar, *_leaf(home.leaves_of(scalar), new, scalar), project)
    _prove(project, service, edit, new, read, environ)
    return edit


def _drifted(project: Project, scalar: Scalar, said: str, old: str) -> str:
    here = f"{scalar.file.path}:{scalar.line}"
    unset = [leaf.variable for leaf in project.leaves_of(scalar) if leaf.variable and not leaf.text]
    if unset:
        return (
            f"{here} says {scalar.text}, and no file says what {unset[0]} is: it comes from the "
            "environment of whoever starts Compose"
        )
    for leaf in project.leaves_of(scalar):
        found = leaf.variable and project.variables.find(leaf.variable)
        if found and not found[1].fixed:
            raise Unclear(f"{found[0]}:{found[1].line} gives {leaf.variable} {_MADE}")
    return f"{here} says {said}, and {old} runs: `docker compose up -d` first"


def _refuse_shared(project: Project, service: str, scalar: Scalar) -> None:
    """Who else would move with the value: services that have it too, and other uses of its text."""
    here = f"{scalar.file.path}:{scalar.line}"
    for other in sorted(project.names - {service}):
        found = project.image_of(other)
        if found is not None and found[1].node is scalar.node:
            raise Unclear(f"{here} is the image of service {other} too")
    elsewhere = scalar.file.other_use(scalar.node)
    if elsewhere is not None:
        raise Unclear(f"{here} is used for something else too, at {elsewhere}")


def _leaf(leaves: list[Leaf], new: str, scalar: Scalar) -> tuple[Leaf, str]:
    """The one piece that has to change, and into what."""
    found = []
    for index, leaf in enumerate(leaves):
        before = "".join(one.text for one in leaves[:index])
        after = "".join(one.text for one in leaves[index + 1 :])
        fits = len(new) > len(before) + len(after)
        if fits and new.startswith(before) and new.endswith(after):
            found.append((leaf, new[len(before) : len(new) - len(after)]))
    if len(found) == 1:
        return found[0]
    what = "more than one value would have to change" if not found else "several values could"
    raise Unclear(f"{scalar.file.path}:{scalar.line} says {scalar.text}: {what}, for {new}")


def _edit(home: Project, scalar: Scalar, leaf: Leaf, text: str, project: Project) -> Edit:
    if leaf.variable is None:
        assert leaf.start is not None
        after = scalar.text[: leaf.start] + text + scalar.text[leaf.start + len(leaf.text) :]
        start = scalar.start + leaf.start
        key = f"{scalar.key}: "
        path = scalar.file.path
        return Edit(path, scalar.line, start, leaf.text, text, key, scalar.text, after)
    name, here = leaf.variable, f"{scalar.file.path}:{scalar.line}"
    if name in home.variables.environ:
        raise Unclear(
            f"{here} says {scalar.text}, and {name} comes from the environment of whoever "
            "starts Compose"
        )
    found = home.variables.find(name)
    assert found is not None
    path, value = found
    where = f"{path}:{value.line}"
    if not value.fixed:
        raise Unclear(f"{where} gives {name} {_MADE}")
    _refuse_other_uses(project, home, name, path, where, scalar)
    return Edit(path, value.line, value.start, value.text, text, f"{name}=", value.text, text)


def _refuse_other_uses(
    project: Project, home: Project, name: str, path: str, where: str, scalar: Scalar
) -> None:
    """A variable may serve one value only, and its file no container."""
    for document in _documents(project):
        for text, node in document.texts():
            if node is not scalar.node and (name in names_in(text) or text == name):
                raise Unclear(f"{where} gives {name} a value that is used at {place(node)} too")
        for told, at in document.environment_files():
            if path in _paths(told, home, project):
                raise Unclear(f"{path} is read into a container too, at {at}")
    if sum(leaf.variable == name for leaf in home.leaves_of(scalar)) > 1:
        raise Unclear(f"{scalar.file.path}:{scalar.line} uses {name} more than once")
    for _, values in home.variables.files:
        for value in values:
            if not value.fixed and name in names_in(value.text):
                raise Unclear(f"{where} gives {name} a value that {value.name} is made from")


def _paths(told: str, *projects: Project) -> set[str]:
    return {posixpath.normpath(posixpath.join(one.folder, told)) for one in projects}


def _documents(project: Project) -> list[Document]:
    """Every file that was read on the way."""
    project.names  # noqa: B018 - reads those that are included
    return list(project.files.parsed.values())


def _prove(
    project: Project,
    service: ComposeService,
    edit: Edit,
    new: str,
    read: Read,
    environ: Mapping[str, str],
) -> None:
    """Read again with the edit made: this service's image is the new one, all others stay."""

    def edited(path: str) -> bytes | None:
        content = read(path)
        return edit.applied(content) if content is not None and path == edit.path else content

    after = Project.of(service, edited, environ)
    for name in project.names | after.names:
        said = [None if (found := p.image_of(name)) is None else found[0].says(found[1])
                for p in (project, after)]  # fmt: skip
        if said[1] != (new if name == service.service else said[0]):
            raise Unclear(
                f"{edit.path}:{edit.line}: an edit there would change {name} to {said[1]}"
            )
