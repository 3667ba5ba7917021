"""Laws of the event loop over random procedures: each event is applied once, each reaction carried out once, replay equals live."""

import itertools
import re
from collections import Counter
from collections.abc import Sequence

from hypothesis import HealthCheck, assume, given, reject, settings
from hypothesis import strategies as st

from services.sla.domain.lifecycle.case import Event
from services.sla.domain.lifecycle.decide import ProcedureLoopError
from shared.procedures.model.bound_procedure import BoundProcedure
from shared.procedures.model.selectors import SelectedEvent, selected_events
from simulator.scenario import Scenario
from tests.support.scenarios.random_procedures import MARKER, ORGANISATION, random_procedure_scenarios
from tests.support.scenarios.random_scenarios import Outages
from tests.support.scenarios.recording_simulation import RecordingSimulation, replay_differences

MAX_EVENTS = 2000
OUTCOMES = st.sampled_from(["", "notification_sent", "notification_failed"])


@given(random_procedure_scenarios(), OUTCOMES)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_each_event_is_applied_once_and_each_reaction_on_it_is_carried_out_once(
    drawn: tuple[BoundProcedure, Scenario, Outages], outcome: str
) -> None:
    bound, scenario, outages = drawn
    recording = RecordingSimulation(bound, ORGANISATION, outages=outages, notification_outcome=outcome)
    try:
        recording.run_cases(scenario)
    except ProcedureLoopError:
        reject()
    [(name, decisions)] = recording.decisions.items()
    for events in decisions:
        for reaction in bound.procedure.reactions:
            selected = selected_events(reaction.on)
            matching = [event for event in events if any(selects(each, event) for each in selected)]
            carried_out = [event for event in events if event.type == MARKER and event.data["rule"] == reaction.id]
            assert [event.at for event in carried_out] == [event.at for event in matching]
            assert all(cause.sequence < effect.sequence for cause, effect in zip(matching, carried_out, strict=True))
    history = list(itertools.chain.from_iterable(decisions))
    # Ladders that many rounds start at once make cases of ten thousand events, which would take the whole test's time.
    assume(len(history) < MAX_EVENTS)
    assert [event.sequence for event in history] == list(range(1, len(history) + 1))
    assert recording.cases[name].count == Counter(event.type for event in since_reopening(history))
    assert replay_differences(recording, name) == []


def selects(selected: SelectedEvent, event: Event) -> bool:
    """Whether a reaction selects the event, by the one form of condition that random procedures have."""
    if selected.event != event.type or selected.when is None:
        return selected.event == event.type
    condition = re.fullmatch(r"event\.(\w+) == '(\w+)'", selected.when)
    return condition is not None and event.data.get(condition[1], "") == condition[2]


def since_reopening(events: Sequence[Event]) -> Sequence[Event]:
    """The events that `count` counts: from the latest reopening on."""
    reopenings = [index for index, event in enumerate(events) if event.type == "reopened"]
    return events[reopenings[-1] if reopenings else 0 :]
