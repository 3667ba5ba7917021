"""Hostile HTTP requests for the services, generated from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

_LIST = "/v1/cases?cursor={case}&number={case}"
_PATHS = {
    "intake": ("/v1/complaints", "/v1/complaints", "/v1/complaints:batch", "/v1/complaints/{case}"),
    "triage": ("/v1/decisions/{case}",),
    "sla": (
        "/v1/cases/{case}",
        "/v1/cases/{case}/events",
        "/v1/cases/{case}/actions",
        "/v1/cases/{case}/actions",
        "/v1/cases/{case}/clocks",
        _LIST,
    ),
    "notify": ("/v1/receipts",),
    "desk": ("/", "/?query={case}", "/cases/{case}", "/cases/{case}/complainant", "/cases/{case}/papers"),
}
_CASES = ("x", "..%2f..%2fetc", "%00", "a" * 3000, "%ff%fe", "case-1", "'%20OR%201=1", "%F0%A0%AE%B7")
_TOKENS = ("wrong", "x" * 2000)
_METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")


@dataclass(frozen=True)
class HostileRequest:
    """One request as it is sent."""

    method: str
    url: str
    body: bytes
    headers: dict[str, str]


def hostile_requests(
    urls: Mapping[str, str], tokens: Mapping[str, Sequence[str]], count: int, seed: int, known_cases: Sequence[str] = ()
) -> Iterator[HostileRequest]:
    """That many requests: known and unknown paths and cases, tokens of the service and invalid ones, broken bodies.

    Most have a valid token and a method that the path serves, since the others are refused before anything reads them.
    """
    chance = random.Random(f"{seed} requests")
    for _ in range(count):
        service = chance.choice([*urls])
        path = chance.choice([*_PATHS[service], "/nowhere/{case}"]).replace("{case}", chance.choice([*_CASES, *known_cases]))
        served = "POST" if path.endswith(("/actions", "/complaints", "/complaints:batch", "/receipts")) else "GET"
        method = chance.choice(_METHODS) if chance.random() < 0.2 else served
        body = b"" if method in ("GET", "HEAD", "OPTIONS") else chance.choice(_BODIES)(chance)
        headers = {"Content-Type": chance.choice(("application/json", "application/json", "text/plain", "application/xml"))}
        if chance.random() < 0.9:
            token = chance.choice(tokens[service]) if chance.random() < 0.8 else chance.choice(_TOKENS)
            headers["Authorization"] = f"Bearer {token}"
        if chance.random() < 0.5:
            headers["Idempotency-Key"] = chance.choice(("k", "x" * 500, str(chance.randrange(1000))))
        yield HostileRequest(method, urls[service] + path, body, headers)


def _complaint(chance: random.Random) -> bytes:
    fields: dict[str, object] = {"received_at": datetime.now(UTC).isoformat(), "text": "停水", "channel": "hotline"}
    wrong: tuple[object, ...] = (10**15, "0001-01-01T00:00:00Z", [], {}, None, "\x00", "x" * 30_000, True, {"a": [[[]]]}, -1.5)
    fields[chance.choice(("received_at", "text", "channel", "complainant", "facts", "against", "unknown"))] = chance.choice(wrong)
    return orjson.dumps(fields)


def _action(chance: random.Random) -> bytes:
    action = chance.choice(("answer", "amend", "close", "route", "nothing", "", "link"))
    return orjson.dumps({"action": action, "role": chance.choice(("assistant", "", "root")), "data": {"facts": {"x": chance.random()}}})


_BODIES: tuple[Callable[[random.Random], bytes], ...] = (
    _complaint,
    _action,
    lambda _: b"[" * 2000,
    lambda _: b'{"a":' * 300 + b"1" + b"}" * 300,
    lambda _: b"\xff\xfe\x00",
    lambda _: b'{"text":"\\ud800"}',
    lambda _: b'{"text":"a","text":"b"}',
    lambda _: b'{"n":' + b"9" * 5000 + b"}",
    lambda _: b'{"n":NaN}',
    lambda chance: orjson.dumps([0] * chance.randrange(5000)),
    lambda chance: chance.randbytes(200),
    lambda _: b"",
)
