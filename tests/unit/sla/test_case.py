"""A working copy is the same case, and changing it leaves the case alone."""

from services.sla.domain.case import Case, Climb, Round


def made() -> Case:
    running = Round("work", 2, 5, "registered", dues=[7, None], pauses=[[6, None]], extensions=[{"by": "1d"}], seen=[0], done=[1])
    ended = Round("work", 1, 1, "registered", state="stopped", ended=3)
    return Case(
        *("case", "shop", 3, "TS-1", 1, 2, {"text": "…"}),
        facts={"urgent": True},
        last={"answered": {"at": 4}},
        count={"answered": 1},
        links=["group"],
        cooperating=["gardens"],
        rounds={"work": [ended, running]},
        climbs=[Climb("up", "work", 0, 9, active=True, clause=["4"], by=["sms"])],
    )


def test_a_fork_is_equal() -> None:
    assert made().fork() == made()


def test_changing_a_fork_changes_nothing_else() -> None:
    case = made()
    twin = case.fork()
    current = twin.rounds["work"][-1]
    for listed in (current.seen, current.dues, current.done, current.reminders, current.reminded, current.pauses, current.extensions):
        listed.append(1)  # type: ignore[attr-defined]
    current.state, twin.climbs[0].active = "stopped", False
    twin.rounds["other"] = []
    for mapping in (twin.facts, twin.windows, twin.last, twin.count):
        mapping["new"] = 1  # type: ignore[index]
    for names in (twin.links, twin.cooperating, twin.decided_by_person):
        names.append("new")
    assert case == made()
