"""Random procedures whose clocks and reactions follow from each other: reactions on clock, escalation and message events."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from shared.procedures.model.bound_procedure import BoundProcedure, bind_parameters
from shared.procedures.model.procedure import Procedure
from shared.procedures.organisation import Organisation
from simulator.scenario import Scenario
from tests.support.random_scenarios import Outages, outages, scenarios_for

MARKER = "evaluated"
"""The event that each reaction adds first, under its own id; nothing else in these procedures follows from it."""
ORGANISATION = Organisation.model_validate(
    {"id": "company", "people": [{"id": "ou", "roles": ["officer"]}, {"id": "bo", "roles": ["boss"]}], "fallback": "ou"}
)
"""`chief` is vacant and no role is above it, so that messages to it find no recipient."""

ACTIONS = (
    "amend",
    "answer",
    "handle",
    "reclassify",
    "sign",
    "suspend",
    "suspend",
    "resume",
    "resume",
    "agree_date",
    "close",
)
CLOCK_IDS = ["a", "b", "c"]
CLOCK_EVENTS = ["clock_started", "clock_stopped", "clock_cancelled", "clock_paused", "clock_resumed", "clock_moved", "clock_breached"]
MESSAGE_EVENTS = ["notification_requested", "notification_sent", "notification_failed", "no_recipient"]
CASE_EVENTS = ["registered", "signed", "handled", "reported", "amended", "reclassified", "assigned", "reminded", "closed"]
TRIGGERS = [*CLOCK_EVENTS, *MESSAGE_EVENTS, "escalated", *CASE_EVENTS]
ROLES = st.sampled_from(["officer", "boss", "chief", "owner"])

CLOCK_SELECTORS: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(["signed", "handled", "reported", "suspended", "resumed", "closed", "reopened"]),
    st.sampled_from([*MESSAGE_EVENTS, "escalated", "reminded"]),
    st.builds(
        lambda event, clock: {"event": event, "when": f"event.clock == '{clock}'"},
        st.sampled_from(CLOCK_EVENTS),
        st.sampled_from(CLOCK_IDS),
    ),
)
EFFECTS: st.SearchStrategy[Any] = st.one_of(
    st.builds(lambda value: {"set": {"urgent": value}}, st.booleans()),
    st.builds(lambda name: {"reclassify": name}, st.sampled_from(["hot", "cold"])),
    st.builds(lambda role: {"notify": role}, ROLES),
    st.builds(lambda role: {"remind": role}, ROLES),
    st.builds(lambda target: {"escalate": target}, st.sampled_from(["up", "silent", "officer", "chief"])),
    st.builds(lambda clock: {"start": clock}, st.sampled_from(CLOCK_IDS)),
    st.builds(lambda clock: {"cancel": clock}, st.sampled_from(CLOCK_IDS)),
    st.builds(lambda event: {"deem": event}, st.sampled_from(["handled", "reported", "suspended", "resumed", "notification_failed"])),
    st.builds(lambda role: {"assign": role}, st.sampled_from(["officer", "boss"])),
    st.just({"raise_level": 1}),
    st.just("breach"),
)
DUE_ENTRIES = st.fixed_dictionaries(
    {"within": st.sampled_from(["1h", "4wh", "1wd", "2d"]), "do": st.lists(EFFECTS, min_size=1, max_size=2)},
    optional={"when": st.sampled_from(["facts.urgent", "!facts.urgent"]), "or_agreed": st.sampled_from([True, "earlier"])},
)
CLOCKS = st.fixed_dictionaries(
    {
        "clause": st.just("3"),
        "owner": st.sampled_from(["officer", "boss", "chief"]),
        "starts": st.one_of(st.just("registered"), CLOCK_SELECTORS),
        "pauses": st.one_of(st.just("suspended"), CLOCK_SELECTORS),
        "resumes": st.one_of(st.just("resumed"), CLOCK_SELECTORS),
        "due": st.lists(DUE_ENTRIES, min_size=1, max_size=2),
    },
    optional={
        "when": st.sampled_from(["facts.urgent", "case.class == 'hot'", "count.clock_breached < 2"]),
        **dict.fromkeys(("stops", "restarts", "cancels"), CLOCK_SELECTORS),
        "reminders": st.lists(st.fixed_dictionaries({"share": st.just(0.5), "do": st.lists(EFFECTS, min_size=1, max_size=1)}), max_size=1),
    },
)
REPEATS = st.one_of(
    st.just({}),
    st.fixed_dictionaries(
        {
            "every": st.sampled_from(["12h", "1d"]),
            # Only effects that always add an event: what adds none is executed as one after an outage, but one by one in a replay.
            "do": st.builds(lambda effect, role: [{effect: role}], st.sampled_from(["notify", "remind", "assign"]), ROLES),
        }
    ),
)
REACTIONS = st.fixed_dictionaries(
    {
        "clause": st.just("4"),
        "on": st.one_of(
            st.lists(st.sampled_from(TRIGGERS), min_size=2, max_size=4, unique=True),
            st.builds(
                lambda event, clock: {"event": event, "when": f"event.clock == '{clock}'"},
                st.sampled_from(CLOCK_EVENTS),
                st.sampled_from(CLOCK_IDS),
            ),
            st.builds(lambda role: {"event": "escalated", "when": f"event.role == '{role}'"}, st.sampled_from(["officer", "boss"])),
        ),
        "do": st.lists(EFFECTS, max_size=1).map(lambda effects: [{"deem": MARKER}, *effects]),
    }
)


@st.composite
def random_procedures(draw: st.DrawFn) -> BoundProcedure:
    """Three clocks and three to eight reactions; the events of some draws cause each other without end."""
    data = {
        "id": "random",
        "version": 1,
        "title": {"zh": "随机", "en": "Random"},
        "register": {"number": "R-{seq:05}"},
        "roles": ["officer", "boss", "chief"],
        "levels": ["officer", "boss"],
        "facts": {"urgent": {"type": "bool", "default": False}},
        "ladders": [
            {"id": "up", "clause": "2", "rungs": ["officer", "boss", "chief"], "every": "4h"},
            {"id": "silent", "clause": "2", "rungs": ["officer", "chief"], "every": None},
        ],
        "clocks": [{"id": clock, **draw(CLOCKS), **draw(REPEATS)} for clock in CLOCK_IDS],
        "reactions": [{"id": f"r{number}", **draw(REACTIONS)} for number in range(draw(st.integers(3, 8)))],
    }
    return bind_parameters(Procedure.model_validate(data), {})


@st.composite
def random_procedure_scenarios(draw: st.DrawFn) -> tuple[BoundProcedure, Scenario, Outages]:
    """A random procedure with a scenario and outages."""
    bound = draw(random_procedures())
    return bound, draw(scenarios_for(bound, ACTIONS, min_steps=4)), draw(outages())
