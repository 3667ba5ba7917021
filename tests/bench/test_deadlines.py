"""Speed and correctness of counting deadlines."""

from __future__ import annotations

from tests.bench.sla import deadlines


def test_half_a_million_deadlines_are_counted_a_second() -> None:
    cost = deadlines.measure_integers()
    print(f"{1_000_000 / cost:,.0f} deadlines/s on integers, {1_000_000 / deadlines.measure_datetimes():,.0f}/s on datetimes")  # noqa: T201 - a figure
    assert 1_000_000 / cost >= 500_000


def test_random_deadlines_agree_with_the_minute_counter() -> None:
    assert deadlines.count_wrong() == 0


def test_other_libraries_are_slower_and_wrong_on_make_up_days() -> None:
    own = deadlines.measure_own()
    assert own.wrong_count == 0
    for peer in (deadlines.measure_businesstimedelta(), deadlines.measure_custom_business_hour()):
        print(f"{peer.name}: {peer.cpu_micros:.1f} µs, own {own.cpu_micros:.1f}, {peer.wrong_count} of {peer.compared_count} wrong")  # noqa: T201 - a figure
        assert peer.cpu_micros > own.cpu_micros
        assert peer.wrong_count > 0
