"""Checks the events that an organisation finds across procedures against each procedure whose cases they count."""

from collections.abc import Collection, Iterator
from dataclasses import replace

from shared.procedures.checks.expressions import LocatedExpression, check_expression
from shared.procedures.checks.references import check_count
from shared.procedures.model.entry_list import LocatedEntry, YamlPath
from shared.procedures.model.finding import Finding
from shared.procedures.model.procedure import Procedure
from shared.procedures.organisation import Organisation


def same_event_findings(organisation: Organisation, procedure: Procedure) -> Iterator[Finding]:
    """What a procedure lacks of the facts, classes and names that the events use, and ids that it uses itself."""
    counts = {count.id for count in procedure.counts}
    # Triage reads the organisation's patterns in conditions of its rules, the procedure's where both have one.
    known = procedure.model_copy(update={"patterns": organisation.patterns | procedure.patterns})
    for index, event in enumerate(organisation.same_events):
        if not event.concerns(procedure.id):
            continue
        path: YamlPath = ("same_events", index)
        if event.id in counts:
            yield Finding((*path, "id"), f"id: {procedure.id} counts under {event.id} itself; give the organisation's event another id")
        findings = list(check_count(known, LocatedEntry("counts", f"same_events.{event.id}", path, event, ())))
        if event.when is not None:
            findings += check_expression(known, LocatedExpression("counts", (*path, "when"), event.when, reads_history=False))
        for finding in findings:
            field = ".".join(map(str, finding.yaml_path[2:])) or "does.reclassify"
            remedy = "correct it, or take the procedure out of procedures"
            yield replace(finding, message=f"{field}: with the procedure {procedure.id}, {finding.message}; {remedy}")


def unknown_procedure_findings(organisation: Organisation, procedures: Collection[str]) -> Iterator[Finding]:
    """The procedures that an event names and that no source uses."""
    for index, event in enumerate(organisation.same_events):
        for position, name in enumerate(event.procedures):
            if name not in procedures:
                known = ", ".join(sorted(procedures)) or "none"
                message = f"procedures: no source uses {name}; correct the id, or add a source; sources use {known}"
                yield Finding(("same_events", index, "procedures", position), message)
