"""Checks the ways in which people bring complaints to a source: who enters them by hand, and the fields of its web form."""

from collections.abc import Iterator

from shared.procedures.model.finding import Finding
from shared.procedures.model.procedure import Procedure
from shared.procedures.model.sources.web_form import FACT_PREFIX
from shared.procedures.organisation import Organisation


def source_entry_findings(organisation: Organisation, index: int, procedure: Procedure) -> Iterator[Finding]:
    """Faults that prevent entry by hand for the source, or the use of its form."""
    source = organisation.sources[index]
    known = {person.id for person in organisation.people} | {role for person in organisation.people for role in person.roles}
    for position, name in enumerate(source.entered_by):
        if name not in known:
            yield Finding(("sources", index, "entered_by", position), f"entered_by: {name} is no person, and no role that a person holds")
    if source.form is None:
        return
    if source.channels and source.form.channel not in source.channels:
        message = f"form.channel {source.form.channel} is none of the source's channels; add it to channels, or name one of them"
        yield Finding(("sources", index, "form"), message)
    for position, field in enumerate(source.form.fields):
        fact = field.field.removeprefix(FACT_PREFIX)
        if field.field.startswith(FACT_PREFIX) and fact not in procedure.facts:
            message = f"field {field.field}: {procedure.id} declares no such fact; there are {', '.join(sorted(procedure.facts)) or 'none'}"
            yield Finding(("sources", index, "form", "fields", position), message)
