"""Lists the templates that requests can name, so that a missing one prevents the start of the service, not a message."""

from collections.abc import Iterable, Iterator

from services.notify.domain.message_templates import CHANNELS, LANGUAGES, SUBSTITUTE_CHANNELS
from services.notify.domain.recipients import COMPLAINANT
from shared.procedures.model.effects import Notify, Remind
from shared.procedures.model.entry_list import all_entries
from shared.procedures.model.procedure import Procedure

EVENT_TEMPLATE = "notice"
"""The template of a request about an event that has no template of its own."""
DIGEST_TEMPLATE = "digest"
"""The template of a message that carries several requests."""
TEMPLATE_CHANNELS = tuple(channel for channel in CHANNELS if channel not in SUBSTITUTE_CHANNELS)
"""The channels that need a template of their own."""
ENGINE_TEMPLATES = frozenset(
    {
        *(COMPLAINANT, EVENT_TEMPLATE, "clock_breached", "due", "duty_report", "escalated", "link_proposed", "no_recipient", "reminded"),
        *("supplemented", "urged", DIGEST_TEMPLATE),
    }
)
"""Templates that sla requests without an entry of a procedure."""


def required_templates(procedures: Iterable[Procedure]) -> list[str]:
    """Every `<name>.<language>.<channel>` that the engine or one of the procedures can request."""
    names = {(name, channel) for name in ENGINE_TEMPLATES for channel in TEMPLATE_CHANNELS}
    for procedure in procedures:
        names.update(_named_templates(procedure))
    return sorted(f"{name}.{language}.{channel}" for name, channel in names for language in LANGUAGES)


def _named_templates(procedure: Procedure) -> Iterator[tuple[str, str]]:
    """Name and channel of each template that an effect of the procedure names."""
    for located in all_entries(procedure):
        effect = located.entry
        if isinstance(effect, Remind | Notify) and effect.template:
            yield from ((effect.template, SUBSTITUTE_CHANNELS.get(channel, channel)) for channel in effect.by)
