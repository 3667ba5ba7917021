"""Random procedures whose clocks and reactions follow from each other: reactions on clock, escalation and message events."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from shared.procedures.model.bound_procedure import BoundProcedure, bind_parameters
from shared.procedures.model.procedure import Procedure
from shared.procedures.organisation import Organisation
from simulator.scenario import Scenario
from tests.support.scenarios.random_scenarios import Outages, outages, scenarios_for

MARKER = "evaluated"
"""The event that each reaction adds first, under its own id; nothing else in these procedures follows from it."""
ORGANISATION = Organisation.model_validate(
    {"id": "company", "people": [{"id": "ou", "roles": ["officer"]}, {"id": "bo", "roles": ["boss"]}], "fallback": "ou"}
)
"""`chief` is vacant and no role is above it, so that messages to it find no recipient."""

ACTIONS = ("amend", "answer", "handle", "reclassify", "sign", "suspend", "resume", "agree_date", "close", "reopen")
CLOCK_IDS = ["a", "b", "c"]
CLOCK_EVENTS = ["clock_started", "clock_stopped", "clock_cancelled", "clock_paused", "clock_resumed", "clock_moved", "clock_breached"]
MESSAGE_EVENTS = ["notification_requested", "notification_sent", "notification_failed", "no_recipient"]
CASE_EVENTS = ["registered", "signed", "handled", "reported", "amended", "reclassified", "assigned", "reminded", "closed"]

CLOCKS_BY_ID = st.sampled_from(CLOCK_IDS)
ROLES = st.sampled_from(["officer", "boss", "chief", "owner"])
EVENTS_OF_A_CLOCK = st.fixed_dictionaries(
    {"event": st.sampled_from(CLOCK_EVENTS), "when": CLOCKS_BY_ID.map(lambda clock: f"event.clock == '{clock}'")}
)
CLOCK_SELECTORS: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(["signed", "handled", "reported", "suspended", "resumed", "closed", "reopened"]),
    st.sampled_from([*MESSAGE_EVENTS, "escalated", "reminded"]),
    EVENTS_OF_A_CLOCK,
)
EFFECTS: st.SearchStrategy[Any] = st.one_of(
    st.fixed_dictionaries({"set": st.fixed_dictionaries({"urgent": st.booleans()})}),
    st.fixed_dictionaries({"reclassify": st.sampled_from(["hot", "cold"])}),
    st.fixed_dictionaries({"notify": ROLES}),
    st.fixed_dictionaries({"remind": ROLES}),
    st.fixed_dictionaries({"escalate": st.sampled_from(["up", "silent", "officer", "chief"])}),
    st.fixed_dictionaries({"start": CLOCKS_BY_ID}),
    st.fixed_dictionaries({"cancel": CLOCKS_BY_ID}),
    st.fixed_dictionaries({"deem": st.sampled_from(["handled", "reported", "suspended", "resumed", "notification_failed"])}),
    st.fixed_dictionaries({"assign": st.sampled_from(["officer", "boss"])}),
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
REPEATS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.fixed_dictionaries(
        {
            "every": st.sampled_from(["12h", "1d"]),
            # Only effects that always add an event: what adds none is executed as one after an outage, but one by one in a replay.
            "do": st.sampled_from(["notify", "remind", "assign"]).map(lambda effect: [{effect: "boss"}]),
        }
    ),
)
REACTIONS = st.fixed_dictionaries(
    {
        "clause": st.just("4"),
        "on": st.one_of(
            st.lists(st.sampled_from([*CLOCK_EVENTS, *MESSAGE_EVENTS, "escalated", *CASE_EVENTS]), min_size=2, max_size=4, unique=True),
            EVENTS_OF_A_CLOCK,
            st.fixed_dictionaries(
                {"event": st.just("escalated"), "when": st.sampled_from(["event.role == 'officer'", "event.role == 'boss'"])}
            ),
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
