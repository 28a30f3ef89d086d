"""Rule tables as the documents show them."""

from __future__ import annotations

from collections.abc import Iterable

from safe_auto_updater.core.risk import On, RiskRule


def table(rules: Iterable[RiskRule]) -> str:
    """One row for each rule."""
    lines = [
        "| rule | looks at | weight | points | back | why it matters |",
        "|---|---|---|---|---|---|",
    ]
    for rule in rules:
        paths = ", ".join(f"`{path}`" for path in rule.paths)
        looks = paths if rule.on is On.STEP else f"{paths} {rule.on}"
        when = " and ".join(condition.words for condition in rule.when)
        why = f"{rule.why} Where {when}." if when else rule.why
        weight = f"{rule.severity} | {rule.points} | {rule.reversibility}"
        lines.append(f"| `{rule.name}` | {looks} | {weight} | {why} |")
    return "\n".join(lines)
