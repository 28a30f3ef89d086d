"""The rule table for Helm releases: what about an upgrade matters, how much, and why. Data.

The trees are made by `platforms.kubernetes.helm.sides`: `objects` and the kinds that take more with
them say what is there, `changes` what the server would make of what is live, and the parts that
only the later tree has what was found about the upgrade.
"""

from __future__ import annotations

from safe_auto_updater.core.risk import Condition, On, Reversibility, RiskRule, Severity
from safe_auto_updater.core.versions import Bump

INFO, LOW, MEDIUM = Severity.INFO, Severity.LOW, Severity.MEDIUM
HIGH, BLOCKER = Severity.HIGH, Severity.BLOCKER
R0, R1, R2, R3 = Reversibility


def _row(
    name: str,
    path: str,
    on: On,
    severity: Severity,
    points: int,
    reversibility: Reversibility,
    why: str,
    *when: Condition,
) -> RiskRule:
    return RiskRule(name, (path,), on, severity, points, reversibility, why, when)


def _bump(bump: Bump) -> Condition:
    return Condition(f"the step is `{bump}`", lambda situation: situation.step.bump == bump)


_STATEFUL_SET = Condition("it is a StatefulSet", lambda s: s.name.startswith("StatefulSet "))
_WORKLOAD = Condition(
    "it runs pods", lambda s: s.name.startswith(("Deployment ", "DaemonSet ", "CronJob "))
)
_ONLY_MAJOR = Condition("nothing is known to keep data there", lambda s: s.name.endswith("(major)"))
_SAYS_LESS = Condition("the chart calls itself less", lambda s: s.step.bump != Bump.MAJOR)
_EVERYWHERE = Condition("it is for the whole cluster", lambda s: s.name.endswith(" everywhere"))
_OF_ITS_NODE = Condition("it is a part of its node", lambda s: " may " not in s.name)

RELEASE_RULES = (
    # How far the step goes.
    _row("major", "step/bump", On.STEP, MEDIUM, 20, R0,
         "A major version of a chart may change what its values mean.", _bump(Bump.MAJOR)),
    _row("minor", "step/bump", On.STEP, INFO, 5, R0,
         "A minor version adds, and should take nothing away.", _bump(Bump.MINOR)),
    _row("prerelease", "step/bump", On.STEP, MEDIUM, 20, R0,
         "A prerelease is not what its makers call finished.", _bump(Bump.PRERELEASE)),
    _row("deprecated", "deprecated/*", On.ADDED, LOW, 5, R0,
         "Its makers call the chart deprecated: look for what follows it."),

    # What the server says.
    _row("refused", "refused/*", On.ADDED, BLOCKER, 60, R0,
         "The server would not take it, so the upgrade would stop in the middle."),
    _row("unserved", "unserved/*", On.ADDED, BLOCKER, 60, R0,
         "This cluster does not serve that kind in that version of its API."),

    _row("image-lost", "lost_images/*", On.ADDED, BLOCKER, 60, R3,
         "What runs now cannot be had any more: there would be no way back to it."),
    _row("image-unseen", "unseen_images/*", On.ADDED, BLOCKER, 60, R3,
         "Whether what runs now can be had again cannot be known now: there might be no way back."),

    # What would be deleted, and more with it.
    _row("definition-gone", "CustomResourceDefinition/*", On.REMOVED, BLOCKER, 60, R3,
         "Helm would delete the definition, and with it every resource of its kind. Annotate it "
         "helm.sh/resource-policy: keep."),
    _row("claim-gone", "PersistentVolumeClaim/*", On.REMOVED, BLOCKER, 60, R3,
         "Helm would delete the claim, and its data may go with it. Annotate it "
         "helm.sh/resource-policy: keep."),
    _row("volume-gone", "PersistentVolume/*", On.REMOVED, BLOCKER, 60, R3,
         "Helm would delete the volume. Annotate it helm.sh/resource-policy: keep."),
    _row("namespace-gone", "Namespace/*", On.REMOVED, BLOCKER, 60, R3,
         "Helm would delete the namespace with all that is in it."),
    _row("definition-new", "CustomResourceDefinition/*", On.ADDED, LOW, 5, R2,
         "A new definition stays where the upgrade is taken back: with it its resources would go."),
    _row("claim-new", "PersistentVolumeClaim/*", On.ADDED, LOW, 2, R1,
         "A new claim; what is written there may go where the upgrade is taken back."),
    _row("claim-grown", "changes/PersistentVolumeClaim */spec.resources.requests.storage",
         On.CHANGED, HIGH, 30, R3,
         "A claim cannot be made smaller again: where the upgrade fails, Helm cannot go back over "
         "it."),
    _row("stateful-set-gone", "objects/*", On.REMOVED, HIGH, 30, R2,
         "What keeps data runs no more; its claims stay.", _STATEFUL_SET),
    _row("workload-gone", "objects/*", On.REMOVED, MEDIUM, 15, R1,
         "What ran runs no more.", _WORKLOAD),
    _row("object-gone", "objects/*", On.REMOVED, LOW, 5, R1, "Helm deletes it."),
    _row("object-new", "objects/*", On.ADDED, INFO, 0, R0, "Helm makes it."),

    # What runs beside the objects.
    _row("migration", "one_way_hooks/*", On.ADDED, HIGH, 35, R3,
         "By its name it migrates data in the upgrade, which going back does not take back. Make a "
         "backup before; where the upgrade fails after it, the update halts and calls you."),
    _row("hook", "hooks/*", On.ADDED, LOW, 2, R2,
         "It runs in the upgrade, and what it does is not taken back."),

    # What data may be changed.
    _row("image-major", "image_jumps/*", On.ADDED, MEDIUM, 15, R0,
         "The chart calls itself less than what this image does.", _ONLY_MAJOR, _SAYS_LESS),
    _row("image-major-too", "image_jumps/*", On.ADDED, LOW, 5, R0,
         "This image goes a major version further.", _ONLY_MAJOR),
    _row("over-data", "over_data/*", On.ADDED, LOW, 5, R2,
         "It keeps data in a volume: going back does not take the data back."),
    _row("image-one-way", "image_jumps/*", On.ADDED, HIGH, 35, R3,
         "Its data format moves one way in this step: the old version may refuse what the new one "
         "has touched. Make a dump before."),

    # What the values do.
    _row("value-lost", "lost_values/*", On.ADDED, MEDIUM, 15, R0,
         "You set this value, and the chart does not know it any more: it has no effect."),
    _row("default-new", "defaults/*", On.ADDED, INFO, 0, R0, "The chart has a new default."),
    _row("default", "defaults/*", On.CHANGED, INFO, 0, R0,
         "A default that you have not set is another."),
    _row("default-gone", "defaults/*", On.REMOVED, INFO, 0, R0, "The chart has no such value now."),

    # What it may do, and who scales it.
    _row("scaled-twice", "scaled/*", On.ADDED, BLOCKER, 60, R0,
         "An autoscaler sets how many pods there are, and the chart too: the upgrade and the way "
         "back would set the chart's number. Leave replicas out of its values."),
    _row("right-of-node", "rights/*", On.ADDED, HIGH, 25, R0,
         "It gets more of its node than it had.", _OF_ITS_NODE),
    _row("right-everywhere", "rights/*", On.ADDED, MEDIUM, 15, R0,
         "It may do more on the whole cluster than it might.", _EVERYWHERE),
    _row("right", "rights/*", On.ADDED, LOW, 5, R0, "It may do more than it might."),

    # What the server would make of what is live.
    _row("image", "images/*", On.ANY, INFO, 0, R0, "Its pods are made anew with this image."),
    _row("change", "changes/*/*", On.ANY, INFO, 0, R0, "The live object would be changed there."),
    _row("app", "app", On.ANY, INFO, 0, R0, "The application's own version."),
)  # fmt: skip
