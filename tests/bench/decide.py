"""How long one decision takes for a case with ten running clocks, and how fast ledgers are replayed and scenarios simulated.

Run with `python -m tests.bench.decide`; figures go to var/bench/decide.json.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median, quantiles
from time import process_time_ns, thread_time_ns

from services.sla.domain.evidence.replay import refold
from services.sla.domain.lifecycle.case import Case
from services.sla.domain.lifecycle.decide import Act, Decided, Opening, Tick, decide
from services.sla.domain.rules.rulebook import Rulebook
from services.sla.domain.views import event_mapping
from services.triage.domain.assess import assess
from services.triage.domain.rule_scope import Context
from services.triage.domain.state import Desk
from shared.contracts.events.triage import Classified
from shared.procedures.calendars.calendar import Calendar, standard
from shared.procedures.loading.loader import load, load_organisation
from shared.procedures.model.bound_procedure import bind
from simulator.registration import office, registered
from simulator.scenario import Complained
from tests.bench.results import keep
from tests.support.load import ORGANISATION
from tests.support.packs import scenarios
from tests.support.recording import Recording

HERE = Path(__file__).parent
REPEATS = 3000
LIMIT_MICROS = 60.0
HOUR = 3_600_000_000
CLOCKS = 10


def rulebook() -> Rulebook:
    """The ten clocks, carried out by the demo's organisation."""
    organisation = load_organisation(ORGANISATION)
    calendars = {"default": standard(), **{str(each["id"]): Calendar.parse(each) for each in organisation.calendars}}
    return Rulebook(bind(load("ten_clocks.yaml", base=HERE), {}), organisation, calendars)


def opening(rules: Rulebook) -> Opening:
    """A complaint under them, as triage hands it over."""
    complained = Complained.model_validate({"received_at": "2026-09-21T09:00:00+08:00", "text": "三号楼电梯停运。", "id": "bench"})
    worktime = rules.worktime("")
    at = complained.received_at
    desk = office(complained, rules.bound, rules.organisation, worktime.calendar.zone)
    event = registered(complained, "bench", 1, at, desk)
    context = Context(at, worktime.calendar.zone)
    decision = assess(event.complaint, rules.bound, rules.organisation, context)
    first = Desk(rules.organisation).take(event, decision, context)[0]
    assert isinstance(first, Classified)
    return event_mapping.opening(first, rules.procedure)


def running(rules: Rulebook) -> Case:
    """The case with all ten clocks running, routed to a department."""
    given = opening(rules)
    case = decide(None, given, rules, given.registered_at).case
    routed = Decided("routed", given.registered_at, {"department": "property_engineering", "cooperating": ["property_service"]})
    case = decide(case, routed, rules, given.registered_at).case
    assert sum(rounds[-1].live for rounds in case.rounds.values()) == CLOCKS
    return case


def inputs(start: int) -> dict[str, Act | Decided | Tick]:
    """What happens to such a case: people act, triage changes its mind, time passes."""
    at = start + HOUR
    return {
        "answer (one clock stops)": Act("answer", at, "assistant", "luo-dan", {"text": "已收到，马上核实。"}),
        "report_progress (none stops)": Act("report_progress", at, "handler", "guo-qiang", {"text": "配件已到。"}),
        "submit_measures (one of two that stop)": Act("submit_measures", at, "supervisor", "he-jing", {"text": "更换控制板。"}),
        "contact (one clock stops)": Act("contact", at, "assistant", "luo-dan", {"text": "已与业主沟通。"}),
        "close refused or all end": Act("close", at, "supervisor", "he-jing", {}),
        "amend (guards once more)": Act("amend", at, "assistant", "luo-dan", {"facts": {"solvable": False}}),
        "reclassify (guards once more)": Decided("reclassified", at, {"class": "grave", "rule": "grave"}),
        "message sent": Decided("notification_sent", at, {"notification": "n", "delivery": "d", "channel": "email"}, "message"),
        "reminder": Tick(start + 3 * HOUR),
        "breach": Tick(start + 5 * HOUR),
    }


def micros_each(call: Callable[[], object], repeats: int = REPEATS) -> list[float]:
    """CPU microseconds of each call."""
    taken = []
    for _ in range(repeats):
        begun = thread_time_ns()
        call()
        taken.append((thread_time_ns() - begun) / 1000)
    return taken


def decisions() -> tuple[dict[str, float], float, float]:
    """The median of each kind of decision, and median and 99th percentile over all of them."""
    rules = rulebook()
    case = running(rules)
    every: list[float] = []
    medians = {}
    for name, given in inputs(case.received_at).items():
        now = given.upto if isinstance(given, Tick) else given.at
        decide(case, given, rules, now)
        taken = micros_each(lambda given=given, now=now: decide(case, given, rules, now))  # type: ignore[misc]
        medians[name] = median(taken)
        every += taken
    first = opening(rules)
    medians["opening (ten clocks start)"] = median(micros_each(lambda: decide(None, first, rules, first.registered_at)))
    return medians, median(every), quantiles(every, n=100)[98]


def recordings() -> Iterator[Recording]:
    """Every scenario of three packs, played."""
    for name in ("hunan-property", "greentown-qd1001", "telecom-urgent"):
        for _, scenario, organisation in scenarios(name):
            found = Recording(bind(load(scenario.procedure), scenario.parameters), organisation)
            found.play(scenario)
            yield found


def speeds() -> dict[str, float]:
    """Scenarios simulated and events replayed, a second of CPU."""
    begun = process_time_ns()
    played = list(recordings())
    simulated = (process_time_ns() - begun) / 1e9
    lines = [(recording, ledger) for recording in played for ledger in recording.ledgers.values()]
    events = sum(len(ledger) for _, ledger in lines)
    begun = process_time_ns()
    for recording, ledger in lines:
        assert not refold(ledger, recording.find).differences
    replayed = (process_time_ns() - begun) / 1e9
    return {
        "scenarios_a_second": len(played) / simulated,
        "events_simulated_a_second": events / simulated,
        "events_replayed_a_second": events / replayed,
    }


def measure() -> dict[str, object]:
    """Everything, kept under var/bench."""
    medians, middle, high = decisions()
    figures: dict[str, object] = {"median_micros": middle, "p99_micros": high, "medians_micros": medians, **speeds()}
    keep("decide", figures)
    return figures


def main() -> None:
    """Print the figures."""
    for name, value in measure().items():
        for line, figure in value.items() if isinstance(value, dict) else [(name, value)]:
            sys.stdout.write(f"{line:<42} {figure:>12,.1f}\n")


if __name__ == "__main__":
    main()
