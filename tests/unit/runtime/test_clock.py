"""Domain time is an affine function of real time, refused in production; ids rise."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from shared.runtime.clock import Clock, jitter, uuid7
from shared.runtime.errors import Misconfigured

TEXT = "2026-09-21T08:00:00+08:00@2026-11-22T10:00:00Z x 43200"


def test_domain_time_is_real_time_by_default() -> None:
    clock = Clock.parse("", "production")
    instant = datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=8)))
    assert clock.to_domain(instant) == instant == clock.to_real(instant)
    assert abs(clock.now() - clock.real_now()) < timedelta(seconds=1)


def test_scaled_clock_is_an_affine_function() -> None:
    clock = Clock.parse(TEXT, "demo")
    origin = datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert clock.to_domain(origin) == datetime(2026, 9, 21, 0, tzinfo=UTC)
    assert clock.to_domain(origin + timedelta(seconds=2)) == datetime(2026, 9, 22, 0, tzinfo=UTC)
    assert clock.to_real(datetime(2026, 9, 22, 12, tzinfo=UTC)) == origin + timedelta(seconds=3)


def test_processes_compute_the_same_domain_time_in_the_same_order() -> None:
    one, other = Clock.parse(TEXT, "demo"), Clock.parse(TEXT, "test")
    instants = [datetime(2026, 11, 22, 11, 0, 0, n * 1000, tzinfo=UTC) for n in range(500)]
    mapped = [one.to_domain(i) for i in instants]
    assert mapped == [other.to_domain(i) for i in instants] == sorted(mapped)
    assert all(abs(one.to_real(m) - i) <= timedelta(microseconds=1) for m, i in zip(mapped, instants, strict=True))


def test_production_refuses_a_scaled_clock() -> None:
    with pytest.raises(Misconfigured, match="refused when JIESU_ENVIRONMENT=production"):
        Clock.parse(TEXT, "production")


@pytest.mark.parametrize(
    "text",
    ["43200", "2026-09-21@x2", "2026-09-21T08:00:00@2026-11-22T10:00:00Z x 2", "now@2026-11-22T10:00:00Z x 2", TEXT.replace("43200", "0")],
)
def test_malformed_clock_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(Misconfigured, match="JIESU_CLOCK must read"):
        Clock.parse(text, "demo")


def test_uuid7_rises_and_has_version_and_variant() -> None:
    ids = [UUID(uuid7()) for _ in range(5000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert {(u.version, u.variant) for u in ids} == {(7, "specified in RFC 4122")}


def test_jitter_leaves_out_up_to_a_half() -> None:
    assert all(5 <= jitter(10) <= 10 for _ in range(100))
