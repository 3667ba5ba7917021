"""Lanes: one peer, one lane, and no address readable in it."""

import pytest

from services.notify.domain.lanes import LaneLoad, delivery_lane


def test_mails_to_one_domain_are_one_lane() -> None:
    assert delivery_lane("email", "a@wang.cn") == delivery_lane("email", "B@WANG.CN") != delivery_lane("email", "a@li.cn")
    assert "wang" not in delivery_lane("email", "a@wang.cn")
    assert delivery_lane("sms", "+8613800000000") == delivery_lane("email", "") == ""


def test_load_counts_the_running_attempts_also_after_a_failure() -> None:
    load = LaneLoad(0)
    assert load.share == 1
    with load.occupy("a"), load.occupy("a"):
        with pytest.raises(RuntimeError):
            fail_in(load)
        assert dict(load.running) == {"a": 2}
    assert dict(load.running) == {}


def fail_in(load: LaneLoad) -> None:
    with load.occupy("b"):
        assert dict(load.running) == {"a": 2, "b": 1}
        raise RuntimeError
