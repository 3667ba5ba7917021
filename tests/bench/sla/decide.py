"""How long one decision takes for a case with ten running clocks, and how fast ledgers are replayed and scenarios simulated.

Run with `python -m tests.bench.sla.decide`; figures go to var/bench/decide.json.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from statistics import median, quantiles
from time import process_time_ns, thread_time_ns
from typing import Any

from services.sla.domain.evidence.replay import replay_decisions
from services.sla.domain.lifecycle.case import Case
from services.sla.domain.lifecycle.decide import decide
from services.sla.domain.lifecycle.inputs import AdvanceTime, ApplyDecision, OpenCase, TakeAction
from services.sla.domain.rules.rulebook import Rulebook
from services.sla.domain.views import event_mapping
from services.triage.domain.compiled_rules import compile_rules
from services.triage.domain.rule_scope import TriageContext
from services.triage.domain.state import TriageState
from shared.contracts.events.triage import Classified
from shared.procedures.calendars.calendar import Calendar, default_calendar
from shared.procedures.loading.loader import load_organisation, load_procedure
from shared.procedures.model.bound_procedure import bind_parameters
from simulator.registration import register_complaint, source_context_for
from simulator.scenario import ScenarioComplaint
from tests.bench.measuring.outcome import Bench, Goal, Options, Outcome
from tests.bench.measuring.results import write_figures
from tests.bench.measuring.tables import table
from tests.support.messaging.workload import ORGANISATION
from tests.support.scenarios.packs import pack, pack_scenarios
from tests.support.scenarios.recording_simulation import RecordingSimulation

HERE = Path(__file__).parent
REPEATS = 3000
LIMIT_MICROS = 60.0
HOUR = 3_600_000_000
CLOCKS = 10


def ten_clock_rulebook() -> Rulebook:
    """The ten clocks, carried out by the demo's organisation."""
    organisation = load_organisation(ORGANISATION)
    calendars = {"default": default_calendar(), **{str(data["id"]): Calendar.parse(data) for data in organisation.calendars}}
    return Rulebook(bind_parameters(load_procedure("ten_clocks.yaml", base_folder=HERE), {}), organisation, calendars)


def opening_input(rules: Rulebook) -> OpenCase:
    """A complaint under them, as triage hands it over."""
    complained = ScenarioComplaint.model_validate({"received_at": "2026-09-21T09:00:00+08:00", "text": "三号楼电梯停运。", "id": "bench"})
    worktime = rules.worktime_for("")
    at = complained.received_at
    desk = source_context_for(complained, rules.bound_procedure, rules.organisation, worktime.calendar.zone)
    event = register_complaint(complained, "bench", 1, at, desk)
    context = TriageContext(at, worktime.calendar.zone)
    first = TriageState().add_case(event, compile_rules(rules.bound_procedure, rules.organisation), context)[0]
    assert isinstance(first, Classified)
    return event_mapping.to_open_case(first, rules.procedure)


def case_with_running_clocks(rules: Rulebook) -> Case:
    """The case with all ten clocks running, routed to a department."""
    case_input = opening_input(rules)
    case = decide(None, case_input, rules, case_input.registered_at).case
    routed = ApplyDecision("routed", case_input.registered_at, {"department": "property_engineering", "cooperating": ["property_service"]})
    case = decide(case, routed, rules, case_input.registered_at).case
    assert sum(rounds[-1].is_active for rounds in case.rounds.values()) == CLOCKS
    return case


def timed_inputs(start: int) -> dict[str, TakeAction | ApplyDecision | AdvanceTime]:
    """What happens to such a case: people act, triage changes its mind, time passes."""
    at = start + HOUR
    return {
        "answer (one clock stops)": TakeAction("answer", at, "assistant", "luo-dan", {"text": "已收到，马上核实。"}),
        "report_progress (none stops)": TakeAction("report_progress", at, "handler", "guo-qiang", {"text": "配件已到。"}),
        "submit_measures (one of two that stop)": TakeAction("submit_measures", at, "supervisor", "he-jing", {"text": "更换控制板。"}),
        "contact (one clock stops)": TakeAction("contact", at, "assistant", "luo-dan", {"text": "已与业主沟通。"}),
        "close refused or all end": TakeAction("close", at, "supervisor", "he-jing", {}),
        "amend (guards once more)": TakeAction("amend", at, "assistant", "luo-dan", {"facts": {"solvable": False}}),
        "reclassify (guards once more)": ApplyDecision("reclassified", at, {"class": "grave", "rule": "grave"}),
        "message sent": ApplyDecision("notification_sent", at, {"notification": "n", "delivery": "d", "channel": "email"}, "message"),
        "reminder": AdvanceTime(start + 3 * HOUR),
        "breach": AdvanceTime(start + 5 * HOUR),
    }


def cpu_micros_per_call(call: Callable[[], object], repeats: int = REPEATS) -> list[float]:
    """CPU microseconds of each call."""
    taken = []
    for _ in range(repeats):
        begun = thread_time_ns()
        call()
        taken.append((thread_time_ns() - begun) / 1000)
    return taken


def measure_decisions() -> tuple[dict[str, float], float, float]:
    """The median of each kind of decision, and median and 99th percentile over all of them."""
    rules = ten_clock_rulebook()
    case = case_with_running_clocks(rules)
    every: list[float] = []
    medians = {}
    for name, case_input in timed_inputs(case.received_at).items():
        now = case_input.upto if isinstance(case_input, AdvanceTime) else case_input.at
        decide(case, case_input, rules, now)
        taken = cpu_micros_per_call(lambda case_input=case_input, now=now: decide(case, case_input, rules, now))  # type: ignore[misc]
        medians[name] = median(taken)
        every += taken
    first = opening_input(rules)
    medians["opening (ten clocks start)"] = median(cpu_micros_per_call(lambda: decide(None, first, rules, first.registered_at)))
    return medians, median(every), quantiles(every, n=100)[98]


def recorded_scenarios() -> Iterator[RecordingSimulation]:
    """Every scenario of three packs, played."""
    for name in ("hunan-property", "greentown-qd1001", "telecom-urgent"):
        for _, scenario, organisation in pack_scenarios(name):
            simulation = RecordingSimulation(bind_parameters(pack(name).procedure, scenario.parameters), organisation)
            simulation.run_cases(scenario)
            yield simulation


def measure_throughput() -> dict[str, float]:
    """Scenarios simulated and events replayed, a second of CPU."""
    begun = process_time_ns()
    played = list(recorded_scenarios())
    simulated = (process_time_ns() - begun) / 1e9
    lines = [(recording, ledger) for recording in played for ledger in recording.ledgers.values()]
    events = sum(len(ledger) for _, ledger in lines)
    begun = process_time_ns()
    for recording, ledger in lines:
        assert not replay_decisions(ledger, recording.find_rulebook).differences
    replayed = (process_time_ns() - begun) / 1e9
    return {
        "scenarios_a_second": len(played) / simulated,
        "events_simulated_a_second": events / simulated,
        "events_replayed_a_second": events / replayed,
    }


def measure() -> dict[str, Any]:
    """Everything, kept under var/bench."""
    medians, middle, high = measure_decisions()
    figures: dict[str, Any] = {"median_micros": middle, "p99_micros": high, "medians_micros": medians, **measure_throughput()}
    write_figures("decide", figures)
    return figures


def measure_outcome(_: Options) -> Outcome:
    """The figures, with the goal for the median."""
    figures = measure()
    goal = Goal("a decision with ten running clocks, median", round(figures["median_micros"]), LIMIT_MICROS, "µs", at_most=True)
    return Outcome(figures, [goal])


def section(figures: Mapping[str, Any]) -> Iterator[str]:
    """Decisions by input, then simulated and replayed events."""
    yield "A case with ten running clocks, in CPU time.\n"
    rows = [("median over all", f"{figures['median_micros']:.0f}"), ("99th percentile", f"{figures['p99_micros']:.0f}")]
    rows += [(name, f"{micros:.0f}") for name, micros in figures["medians_micros"].items()]
    yield from table(("input", "µs"), rows)
    yield "A second of CPU, over the scenarios of three packs:\n"
    names = ("scenarios_a_second", "events_simulated_a_second", "events_replayed_a_second")
    yield from table(("", "number"), [(name.replace("_", " "), f"{figures[name]:,.0f}") for name in names])


BENCH = Bench("One decision", measure_outcome, section)


def main() -> None:
    """Print the figures."""
    for name, value in measure().items():
        for line, figure in value.items() if isinstance(value, dict) else [(name, value)]:
            sys.stdout.write(f"{line:<42} {figure:>12,.1f}\n")


if __name__ == "__main__":
    main()
