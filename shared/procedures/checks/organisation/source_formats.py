"""Checks the maps that the sources of an organisation name."""

from collections.abc import Iterator
from pathlib import Path

from shared.procedures.loading.source_formats import load_file_map, load_webhook_map
from shared.procedures.loading.yaml_document import YamlDocument
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.model.procedure import Procedure
from shared.procedures.model.procedure_error import FileProblem, ProcedureError
from shared.procedures.organisation import ComplaintSource
from shared.procedures.source_formats.fields import FieldRules
from shared.procedures.source_formats.file_map import FileMap
from shared.procedures.source_formats.webhook_map import WebhookMap


def source_format_problems(
    source: ComplaintSource, index: int, procedure: Procedure, document: YamlDocument, base_folder: Path
) -> Iterator[FileProblem]:
    """Faults that prevent the use of the source's maps."""
    try:
        maps: dict[str, FieldRules | None] = {
            "imports": load_file_map(source, base_folder),
            "webhook": load_webhook_map(source, base_folder),
        }
    except ProcedureError as error:
        yield from error.problems
        return
    facts = bind_parameters(procedure, source.parameters).procedure.facts
    for section, rules in maps.items():
        for name in sorted(_field_names(rules)):
            if name.startswith("facts.") and name.removeprefix("facts.") not in facts:
                message = f"{section} gives {name}, which {procedure.id} does not declare; it declares {', '.join(sorted(facts)) or 'none'}"
                yield document.problem_at(("sources", index, section), message)
    yield from _channel_problems(source, index, maps, document)


def _field_names(rules: FieldRules | None) -> set[str]:
    names = set(rules.values) if rules else set()
    if isinstance(rules, FileMap):
        names |= set(rules.columns.values())
    return names | set(rules.fields) if isinstance(rules, WebhookMap) else names


def _channel_problems(
    source: ComplaintSource, index: int, maps: dict[str, FieldRules | None], document: YamlDocument
) -> Iterator[FileProblem]:
    for section, rules in maps.items():
        channel = rules.values.get("channel") if rules else None
        if channel is not None and source.channels and channel not in source.channels:
            message = f"{section} sets the channel {channel}, and the source may submit on {', '.join(source.channels)}; make them agree"
            yield document.problem_at(("sources", index, section), message)
    webhook = maps["webhook"]
    if isinstance(webhook, WebhookMap) and webhook.signature is None and not source.key_sha256:
        message = f"nobody can call the webhook of {source.id}: add a signature, or key_sha256 of an API key"
        yield document.problem_at(("sources", index, "webhook"), message)
