"""Well when the value of a PromQL query is as expected."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from safe_auto_updater.core.identity import short_name
from safe_auto_updater.core.kept import Kept
from safe_auto_updater.core.ports import CheckResult, CheckState, Subject
from safe_auto_updater.core.probing import cannot_tell, fill, no_address
from safe_auto_updater.core.promql import Ask, Expectation, Question, judged
from safe_auto_updater.core.promql_text import NAME


class PrometheusCheck:
    """`{address}` and `{name}` in the query stand for the subject's own.

    Nothing but one number that is as expected passes. No data, no number and no answer are
    *unknown*, which no image is blamed for.
    """

    def __init__(
        self, question: Question, expect: Expectation, ask: Ask, now: Callable[[], float]
    ) -> None:
        self._question = question
        self._expect = expect
        self._ask = Kept(ask, now)

    def check(self, subject: Subject) -> CheckResult:
        """One look. Failing while the value is another; unknown where there is none to rely on."""
        query, name = fill(self._question.query, subject, in_url=True), short_name(subject.asset)
        if query is None:
            return no_address("prometheus", subject)
        if NAME in query and not re.fullmatch(r"[\w.:-]+", name):
            return cannot_tell("prometheus", f"{name!r} cannot stand in a query for {NAME}")
        answer = self._ask(replace(self._question, query=query.replace(NAME, name)))
        state, detail = judged(answer, self._expect)
        if state is CheckState.UNKNOWN:
            return cannot_tell("prometheus", detail)
        return CheckResult("prometheus", state, detail)
