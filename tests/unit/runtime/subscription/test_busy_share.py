"""The share of recent time spent on batches decides whether polls linger."""

import pytest

from shared.runtime.subscription.busy_share import BusyShare


def run(share: BusyShare, since: float, rounds: int, *, busy: float, idle: float) -> float:
    now = since
    for _ in range(rounds):
        now += busy
        share.batch_ended(now)
        now += idle
        share.poll_ended(now)
    return now


@pytest.mark.parametrize(("busy", "idle"), [(0.01, 0.09), (0.03, 0.07), (0.2, 0.2), (0.05, 0.0)])
def test_share_approaches_that_of_a_steady_load(busy: float, idle: float) -> None:
    share = BusyShare(0.0)
    run(share, 0.0, 200, busy=busy, idle=idle)
    assert share.value == pytest.approx(busy / (busy + idle), abs=0.06)


def test_share_forgets_within_seconds() -> None:
    share = BusyShare(0.0)
    now = run(share, 0.0, 100, busy=0.1, idle=0.0)
    assert share.value > 0.95
    share.batch_ended(now)
    share.poll_ended(now + 6.0)
    assert share.value < 0.05
