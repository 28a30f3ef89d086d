"""What is counted of questions to registries."""

from __future__ import annotations

from safe_auto_updater.core.registries import Asked
from safe_auto_updater.metrics import Metrics
from safe_auto_updater.metrics.registries import MOST_HOSTS, OTHERS
from tests.metrics_kit import samples

REQUESTS = 'safe_auto_updater_registry_requests_total{{host="{}",method="GET",outcome="{}"}}'
LEFT = 'safe_auto_updater_registry_pulls_left{{host="{}"}}'


def test_questions_are_counted_by_host_and_outcome() -> None:
    metrics = Metrics()
    for host, outcome in (("a", "ok"), ("a", "ok"), ("a", "server"), ("b", "ok")):
        metrics.asked(Asked(host, "GET", outcome))
    seen = samples(metrics)
    counts = [seen[REQUESTS.format(*one)] for one in (("a", "ok"), ("a", "server"), ("b", "ok"))]
    assert counts == [2, 1, 1]


def test_what_is_left_is_what_was_said_last() -> None:
    metrics = Metrics()
    metrics.asked(Asked("hub", "HEAD", "ok", 7, 100))
    metrics.asked(Asked("hub", "HEAD", "ok", 6, 100))
    metrics.asked(Asked("hub", "GET", "ok"))  # an answer that does not say
    metrics.asked(Asked("quay", "GET", "ok"))
    seen = samples(metrics)
    assert seen[LEFT.format("hub")] == 6
    assert seen['safe_auto_updater_registry_pulls_granted{host="hub"}'] == 100
    assert LEFT.format("quay") not in seen


def test_nobody_can_make_ever_more_series_by_ever_new_hosts() -> None:
    metrics = Metrics()
    for number in range(MOST_HOSTS + 200):
        metrics.asked(Asked(f"host-{number}", "GET", "ok", 1, 2))
    metrics.asked(Asked("host-0", "GET", "ok"))
    seen = samples(metrics)
    requests = [name for name in seen if "registry_requests" in name]
    assert len(requests) == MOST_HOSTS + 1
    assert seen[REQUESTS.format(OTHERS, "ok")] == 200
    assert seen[REQUESTS.format("host-0", "ok")] == 2
    assert LEFT.format(OTHERS) not in seen
