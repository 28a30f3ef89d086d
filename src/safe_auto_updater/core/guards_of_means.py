"""Guards that ask who makes an update and how: updater, strategy, hooks, the Compose file."""

from __future__ import annotations

from safe_auto_updater.core.case import Case, FileEdit, in_one
from safe_auto_updater.core.model import BY_APPLY
from safe_auto_updater.core.spelling import ComposeChange, DockerUpdaters, Pipeline, Strategy


def watchtower(case: Case, step: str) -> str | None:
    """What our own updater could do and Watchtower cannot."""
    policy = case.policy
    if policy.docker_updater is not DockerUpdaters.WATCHTOWER or case.follows:
        return None
    if case.asset.is_declared:
        return None  # the platform itself updates it, whatever is said of containers
    found = [o.reason for o in case.asset.obstacles if o.only_by == policy.docker_updater.value]
    if any(change.moves_tag for change in case.wanted):
        found.append(
            'Watchtower changes no tags: exclude_tags "*" follows the tag that it has, '
            "docker_updater native takes the newer one"
        )
    if case.asset.own:
        found.append("this program would be stopped while it waits: docker_updater native")
    if policy.group is not None:
        found.append(f"Watchtower moves nothing as one: group {policy.group} needs our own updater")
    if policy.strategy is not Strategy.STOP_FIRST:
        found.append(f"Watchtower knows no strategy {policy.strategy.value}")
    return in_one(found)


def compose(case: Case, step: str) -> str | None:
    """The file that it was made from would put a new tag back; only Compose runs its hooks."""
    if case.follows:
        return None
    rule, source = case.policy.compose, case.policy.source("compose")
    wanted = [edit for edit in case.edits if edit.is_wanted]
    found = [no for edit in wanted if (no := _unwritten(edit, rule, source))]
    hooks = {hook: None for edit in case.edits for hook in edit.hooks}
    if hooks and not case.policy.hooks.after:
        found.append(
            f"Compose runs {' and '.join(hooks)} when it makes this container anew, and nobody "
            "else does: `docker compose up -d --pull always`, or have an after_update hook do it"
        )
    return in_one(found)


def _unwritten(edit: FileEdit, rule: ComposeChange, source: str) -> str | None:
    match rule:
        case ComposeChange.CONTAINER_ONLY:
            return None
        case ComposeChange.UPDATE_FILE:
            return edit.refusal and f"its Compose file is not edited ({source}): {edit.refusal}"
        case ComposeChange.HOLD if edit.text is None:
            return (
                "its Compose file has to name the new tag, then `docker compose up -d`; where is "
                f"not clear: {edit.refusal}"
            )
        case ComposeChange.HOLD:
            return (
                f"{edit.text} in its Compose project, then `docker compose up -d`; with compose "
                f"set to update-file this program does both ({source}: hold)"
            )


def pipeline(case: Case, step: str) -> str | None:
    """A manifest that is applied again would put the old version back."""
    if case.asset.managed_by not in BY_APPLY or case.policy.pipeline is not Pipeline.HOLD:
        return None
    source = case.policy.source("pipeline")
    return f"`kubectl apply` made it: change its manifest instead (pipeline: hold, by {source})"


def strategy(case: Case, step: str) -> str | None:
    """Two cannot have at once what only one can have."""
    if case.policy.strategy is not Strategy.START_FIRST or case.follows:
        return None
    if not case.asset.exclusive:
        return None
    why = "; ".join(case.asset.exclusive)
    return (
        f"start-first ({case.policy.source('strategy')}) is not possible: {why}. "
        "Set strategy to stop-first"
    )


def group(case: Case, step: str) -> str | None:
    """What moves as one goes back as one, and what is on a cluster does not yet."""
    if case.asset.platform not in ("kubernetes", "helm") or case.policy.group is None:
        return None
    source, many = case.policy.source("group"), _MANY.get(case.asset.kind, "workloads")
    return f"group {case.policy.group} ({source}): {many} do not move as one yet; take it away"


_MANY = {"release": "releases"}


def hooks(case: Case, step: str) -> str | None:
    """Commands run in a container, and a service is several."""
    hooks = case.policy.hooks
    if not case.asset.is_declared or not (hooks.before or hooks.after):
        return None
    keys = ("before_update", hooks.before), ("after_update", hooks.after)
    named = " and ".join(f"{key} ({case.policy.source(key)})" for key, words in keys if words)
    what = "a Swarm service" if case.asset.kind == "service" else f"a {case.asset.kind}"
    return f"{named}: hooks run in a container, and {what} is several; take them away"
