"""Ask a Prometheus, or what speaks its API, one instant query. Whatever happens is an answer.

Source: Prometheus, "HTTP API", "Instant queries".
"""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx2

from safe_auto_updater.core.promql import Answer, NoAnswer, Question
from safe_auto_updater.engine.trust import verifying
from safe_auto_updater.platforms.probes.deadline import Deadline
from safe_auto_updater.platforms.probes.prometheus_answer import masked, read

MOST_BYTES = 1 << 20


class _UnusableError(Exception):
    """Why there is no answer that can be read."""


def ask(question: Question) -> Answer:
    """One GET, with a new connection, no proxy and no redirects, ended in `timeout_s`.

    The files are read for each question, so that a rotated secret is used at once. No answer ever
    holds a secret, and none raises.
    """
    where = question.url.rstrip("/")
    try:
        secrets, headers = _authorization(question)
    except _UnusableError as error:
        return NoAnswer(f"{where}: {error}")
    deadline = Deadline(question.timeout_s)
    try:
        status, body = _exchange(question, f"{where}/api/v1/query", headers, deadline)
        if deadline.is_over:  # where the end is that of the connection, it looks like a whole one
            raise TimeoutError
        answer = read(status, body, secrets)
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, _UnusableError) as error:
        answer = NoAnswer(masked(_told(error, question, deadline), secrets))
    return NoAnswer(f"{where}: {answer.why}") if isinstance(answer, NoAnswer) else answer


def _exchange(
    question: Question, url: str, headers: Mapping[str, str], deadline: Deadline
) -> tuple[int, bytes]:
    timeout_s = question.timeout_s
    asked = {"query": question.query, "timeout": f"{max(round(timeout_s * 1000), 1)}ms"}
    with (
        deadline.watching() as trace,
        httpx2.Client(verify=_tls(question), timeout=timeout_s, trust_env=False) as client,
        client.stream(
            "GET", url, params=asked, headers=headers, extensions={"trace": trace}
        ) as response,
    ):
        return response.status_code, b"".join(_bounded(response.iter_raw()))


def _bounded(parts: Iterator[bytes]) -> Iterator[bytes]:
    total = 0
    for part in parts:
        total += len(part)
        if total > MOST_BYTES:
            raise _UnusableError(f"answered more than {MOST_BYTES >> 20} MiB; ask for less")
        yield part


def _tls(question: Question) -> ssl.SSLContext:
    if not question.url.lower().startswith("https://"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # unused, and quicker made: trusts nobody
    if question.ca_file is None:
        return verifying()
    try:
        return verifying(question.ca_file)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it holds no certificate"
        raise _UnusableError(f"ca_file {question.ca_file} cannot be used: {reason}") from None


def _authorization(question: Question) -> tuple[tuple[str, ...], dict[str, str]]:
    """What must never be told, and the headers of the question."""
    headers = {
        "user-agent": "safe-auto-updater",
        "connection": "close",
        "accept-encoding": "identity",
    }
    if question.token_file is not None:
        token = _secret("token_file", question.token_file)
        return (token,), {**headers, "authorization": f"Bearer {token}"}
    if question.password_file is not None:
        password = _secret("password_file", question.password_file)
        basic = b64encode(f"{question.username}:{password}".encode()).decode()
        return (password, basic), {**headers, "authorization": f"Basic {basic}"}
    return (), headers


def _secret(key: str, file: str) -> str:
    try:
        text = Path(file).read_text("utf-8").rstrip("\r\n")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise _UnusableError(f"{key} {file} cannot be read: {reason}") from None
    if not text or not text.isprintable() or (key == "token_file" and not text.isascii()):
        raise _UnusableError(f"{key} {file} must hold one line, the secret")
    return text


def _told(error: Exception, question: Question, deadline: Deadline) -> str:
    if isinstance(error, _UnusableError):
        return str(error)
    if deadline.is_over or isinstance(error, httpx2.TimeoutException):
        return f"no answer within {question.timeout_s:g} s"
    return str(error) or type(error).__name__
