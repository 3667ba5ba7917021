"""Time and randomness; domain time is an affine function of real time that all processes share (JIESU_CLOCK)."""

import os
import random  # noqa: TID251 - the only module that may use it
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from shared.runtime.errors import Misconfigured

_CLOCK_PATTERN = re.compile(r"^\s*(?P<domain>[^@]+?)\s*@\s*(?P<real>[^@x ]+)\s*x\s*(?P<factor>\d+(?:\.\d+)?)\s*$")
_REMEDY = "JIESU_CLOCK must read <domain origin>@<real origin>x<factor>, e.g. 2026-09-21T08:00:00+08:00@2026-11-22T10:00:00Z x 43200"


class Clock:
    """Domain time is `domain_origin + (real time - real_origin) * factor`, by default real time. Instants are aware, in UTC."""

    def __init__(self, domain_origin: datetime | None = None, real_origin: datetime | None = None, factor: float = 1.0) -> None:
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        self.domain_origin = (domain_origin or epoch).astimezone(UTC)
        self.real_origin = (real_origin or epoch).astimezone(UTC)
        self.factor = factor
        # Skips the arithmetic for every record and timer in production.
        self._identity = self.domain_origin == self.real_origin and factor == 1

    @classmethod
    def parse(cls, text: str, environment: str) -> "Clock":
        """The clock of JIESU_CLOCK; empty is real time. Raises Misconfigured, also for every other clock in production."""
        if not text.strip():
            return cls()
        if environment == "production":
            raise Misconfigured("JIESU_CLOCK is refused when JIESU_ENVIRONMENT=production: unset it, deadlines run on real time there")
        match = _CLOCK_PATTERN.match(text)
        if match is None:
            raise Misconfigured(_REMEDY)
        try:
            domain, real = (datetime.fromisoformat(match[name]) for name in ("domain", "real"))
        except ValueError as error:
            raise Misconfigured(_REMEDY) from error
        if domain.tzinfo is None or real.tzinfo is None or float(match["factor"]) <= 0:
            raise Misconfigured(f"{_REMEDY}; both instants need an offset, the factor must be greater than zero")
        return cls(domain, real, float(match["factor"]))

    def now(self) -> datetime:
        """The present instant in domain time."""
        return self.to_domain(self.real_now())

    def real_now(self) -> datetime:
        """The present instant in real time, for leases, retries and timeouts."""
        return datetime.now(UTC)  # noqa: TID251 - the only call

    def to_domain(self, instant: datetime) -> datetime:
        """The domain instant of a real one."""
        if self._identity:
            return instant.astimezone(UTC)
        return self.domain_origin + (instant - self.real_origin) * self.factor

    def to_real(self, instant: datetime) -> datetime:
        """The real instant of a domain one."""
        if self._identity:
            return instant.astimezone(UTC)
        return self.real_origin + (instant - self.domain_origin) / self.factor

    def seconds_until(self, instant: datetime) -> float:
        """Real seconds until a domain instant, negative after it."""
        return (self.to_real(instant) - self.real_now()) / timedelta(seconds=1)


def monotonic() -> float:
    """Seconds of a clock that never goes backwards."""
    return time.monotonic()


def jitter(seconds: float) -> float:
    """A random duration from half of `seconds` to `seconds`, so that processes that failed together do not retry together."""
    return seconds * random.uniform(0.5, 1.0)  # noqa: S311 - not a secret


class _Uuid7Generator:
    """UUIDv7 as text, in strictly rising order within a process (RFC 9562, 6.2 method 1: a counter in rand_a)."""

    def __init__(self) -> None:
        self._last = 0
        self._tails: Iterator[str] = iter(())

    def next(self) -> str:
        timestamp_and_counter = (time.time_ns() // 1_000_000) << 12
        self._last = timestamp_and_counter = max(timestamp_and_counter, self._last + 1)
        tail = next(self._tails, None)
        if tail is None:
            self._tails = _random_uuid_tails(os.urandom(8 * 128))  # a system call for each id costs more than the id
            tail = next(self._tails)
        head = f"{timestamp_and_counter >> 12:012x}"
        return f"{head[:8]}-{head[8:]}-7{timestamp_and_counter & 0xFFF:03x}-{tail[:4]}-{tail[4:]}"


def _random_uuid_tails(random_bytes: bytes) -> Iterator[str]:
    """The last two groups of a UUID for every eight bytes, with the variant bits of RFC 9562."""
    for start in range(0, len(random_bytes), 8):
        yield f"{int.from_bytes(random_bytes[start : start + 8]) & 0x3FFFFFFFFFFFFFFF | 1 << 63:016x}"


uuid7 = _Uuid7Generator().next
