"""Messages that installed procedures send about a breach say that something is overdue, in both languages and on every channel."""

from typing import Any

import pytest

from services.notify.bootstrap import template_sources
from services.notify.domain.message_templates import LANGUAGES, MessageTemplates
from shared.procedures.loading.loader import load_pack, load_procedure
from shared.procedures.model.bound_procedure import bind_parameters
from simulator.run import organisation_calendars, scenario_organisation
from simulator.scenario import read_scenario
from simulator.simulation import Simulation

TEMPLATES = MessageTemplates(template_sources(None))


def breach_messages(pack: str) -> list[dict[str, Any]]:
    """The requests that the scenarios of a pack make at the instant of a breach, about the clock that was breached."""
    messages: list[dict[str, Any]] = []
    for path in load_pack(pack).scenarios:
        scenario = read_scenario(path)
        organisation = scenario_organisation(scenario, path.parent)
        bound = bind_parameters(load_procedure(pack), scenario.parameters)
        events = Simulation(bound, organisation, organisation_calendars(organisation)).run(scenario)
        breaches = {(event["case"], event["at"], event["clock"]) for event in events if event["event"] == "clock_breached"}
        requests = [event for event in events if event["event"] == "notification_requested"]
        messages += [event for event in requests if (event["case"], event["at"], event["values"].get("clock")) in breaches]
    return messages


@pytest.mark.parametrize("pack", ["country-garden", "device-service", "eight-steps", "hunan-property", "telecom-urgent"])
def test_each_message_about_a_breach_says_overdue_and_gives_the_due_instant(pack: str) -> None:
    messages = breach_messages(pack)
    assert messages
    for message in messages:
        values = {"case": message["case"], "clause": message.get("clause", ""), "procedure": pack, **message["values"]}
        due = TEMPLATES.render("due.zh.sms", values).text.partition("期限是 ")[2][:16]
        for channel in message["by"]:
            chinese, english = (TEMPLATES.render(f"{message['template']}.{language}.{channel}", values).text for language in LANGUAGES)
            assert ("超时" in chinese, due in chinese) == (True, True)
            assert ("overdue" in english.lower(), due in english) == (True, True)
