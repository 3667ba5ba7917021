"""Plans of faults: repeatable by their seed, every kind and target in turn, few long ones."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tests.support.faults.plan import ALL_BROKERS, KINDS, LONG_SECONDS, MOST_LONG_FAULTS, kinds_for, plan_faults

HITS = {(kind.name, target) for kind in KINDS for target in kind.targets}


@given(st.integers())
def test_same_seed_gives_the_same_plan_and_another_seed_another(seed: int) -> None:
    assert plan_faults(seed, 30) == plan_faults(seed, 30) != plan_faults(seed + 1, 30)


@given(st.integers())
def test_every_kind_comes_once_before_one_comes_again(seed: int) -> None:
    plan = plan_faults(seed, 3 * len(KINDS))
    for turn in range(3):
        assert {fault.kind for fault in plan[turn * len(KINDS) : (turn + 1) * len(KINDS)]} == {kind.name for kind in KINDS}


@given(st.integers())
def test_plan_of_a_thousand_hits_every_target_and_has_few_long_faults(seed: int) -> None:
    plan = plan_faults(seed, 1000)
    assert {(fault.kind, fault.target) for fault in plan} == HITS
    assert sum(fault.seconds > LONG_SECONDS for fault in plan) == MOST_LONG_FAULTS
    assert [fault.at for fault in plan] == sorted(fault.at for fault in plan)
    ranges = {kind.name: (kind.shortest, kind.longest) for kind in KINDS}
    assert all(ranges[fault.kind][0] <= fault.seconds <= ranges[fault.kind][1] for fault in plan)
    assert max(Counter(fault.kind for fault in plan).values()) <= 1000 // len(KINDS) + 1


@given(st.integers(), st.floats(1, 10))
def test_longest_bounds_every_fault(seed: int, longest: float) -> None:
    assert all(fault.seconds <= longest for fault in plan_faults(seed, 100, longest=longest))


def test_each_of_several_brokers_is_hit_and_all_at_once() -> None:
    brokers = ("kafka-1", "kafka-2", "kafka-3")
    kinds = {kind.name: kind for kind in kinds_for(brokers, small_disk=False)}
    assert {*kinds["kill"].targets} > {*brokers, ALL_BROKERS}
    assert not any("kafka" in kind.targets for kind in kinds.values())
    assert "full disk" not in kinds
    assert kinds["garbage"] in KINDS
    assert kinds_for(["kafka"], small_disk=True) == list(KINDS)
