"""Renders every message that a pack's scenarios cause, for a sample case, in both languages and on each channel."""

from collections.abc import Iterator
from dataclasses import dataclass

from cli.messages.sample_case import SAMPLE_SOURCE, with_sample_titles, with_sample_words
from services.notify.bootstrap import procedure_titles, template_sources
from services.notify.domain.delivery_planning import FollowLinks, template_names
from services.notify.domain.message_templates import LANGUAGES, MessageTemplates, RenderedMessage
from services.notify.domain.message_values import MessageForm, MessageTexts, message_values
from services.notify.domain.recipients import COMPLAINANT
from shared.contracts.events.notifications import NotificationRequested
from shared.procedures.loading.loader import Pack
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.organisation import Organisation
from simulator.run import organisation_calendars, scenario_organisation
from simulator.scenario import read_scenario
from simulator.simulation import Simulation

SAMPLE_FOLLOW = FollowLinks(b"a sample", "https://complaints.example.org/f")
"""An organisation's page for complainants."""


@dataclass(frozen=True, slots=True)
class PackMessage:
    """One kind of message: the entry and the event that cause it, its recipients, and what is sent by language and channel."""

    rule: str
    about: str
    recipients: tuple[str, ...]
    rendered: dict[tuple[str, str], RenderedMessage]


def pack_messages(pack: Pack, templates: MessageTemplates | None = None) -> list[PackMessage]:
    """The messages of a pack in the order of its entries' ids; those of several entries in one are listed under the first entry."""
    templates = templates or MessageTemplates(template_sources(None))
    procedures = procedure_titles([pack])
    messages: dict[tuple[str, str, tuple[str, ...], bool], PackMessage] = {}
    for request, organisation in _requests(pack):
        # A message of its own shows an entry better than a list in which it is one of several.
        key = (request.rule, request.about, tuple(request.recipients), "items" in request.values)
        if key not in messages and not request.merged_into:
            messages[key] = _render(request, templates, MessageTexts(organisation, procedures))
    return [messages[key] for key in sorted(messages)]


def _requests(pack: Pack) -> Iterator[tuple[NotificationRequested, Organisation]]:
    for path in pack.scenarios:
        scenario = with_sample_words(read_scenario(path))
        organisation = scenario_organisation(scenario, path.parent)
        simulation = Simulation(bind_parameters(pack.procedure, scenario.parameters), organisation, organisation_calendars(organisation))
        named = with_sample_titles(organisation)
        for event in simulation.run(scenario):
            if event["event"] == NotificationRequested.name:
                fields = {name: value for name, value in event.items() if name != "event"}
                values = {**fields["values"], "source": SAMPLE_SOURCE.id}
                identity = {"procedure": pack.procedure.id, "version": pack.procedure.version}
                yield NotificationRequested.model_validate({**fields, **identity, "values": values}), named


def _render(request: NotificationRequested, templates: MessageTemplates, texts: MessageTexts) -> PackMessage:
    rendered = {}
    follow = SAMPLE_FOLLOW.values(request.case) if request.recipients == [COMPLAINANT] else {}
    for language in LANGUAGES:
        for channel in request.by:
            values = message_values(request, MessageForm(language, channel, templates.format_instant), texts, follow)
            names = template_names(request, request.recipients[0] if request.recipients else "")
            rendered[language, channel] = templates.render(templates.choose(names, language, channel), values)
    return PackMessage(request.rule, request.about, tuple(request.recipients), rendered)
