"""A working copy is the same case, and changing it leaves the case alone."""

from typing import Any

from services.sla.domain.lifecycle.case import Case, ClockRun, Escalation


def made() -> Case:
    running = ClockRun("work", 2, 5, "registered", dues=[7, None], pauses=[[6, None]], extensions=[{"by": "1d"}], seen=[0], done=[1])
    ended = ClockRun("work", 1, 1, "registered", state="stopped", ended=3)
    return Case(
        *("case", "shop", 3, "TS-1", 1, 2, {"text": "…"}),
        facts={"urgent": True},
        last={"answered": {"at": 4}},
        count={"answered": 1},
        links=["group"],
        cooperating=["gardens"],
        rounds={"work": [ended, running]},
        climbs=[Escalation("up", "work", 0, 9, active=True, clause=["4"], by=["sms"])],
    )


def test_a_fork_is_equal() -> None:
    assert made().working_copy() == made()


def test_changing_a_fork_changes_nothing_else() -> None:
    case = made()
    twin = case.working_copy()
    current = twin.rounds["work"][-1]
    lists: list[list[Any]] = [current.seen, current.dues, current.done, current.reminders, current.reminded]
    lists += [current.pauses, current.extensions, twin.links, twin.cooperating, twin.decided_by_person]
    for listed in lists:
        listed.append(1)
    current.state, twin.climbs[0].active = "stopped", False
    mappings: list[dict[str, Any]] = [twin.facts, twin.windows, twin.last, twin.count, twin.rounds]
    for mapping in mappings:
        mapping["new"] = 1
    assert case == made()
