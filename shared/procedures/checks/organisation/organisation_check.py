"""Checks an organisation file as the services use it: references, calendars, keys, conditions, and the procedures of its sources."""

import base64
import binascii
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from shared.procedures.calendars.calendar import Calendar, CalendarError
from shared.procedures.checks.organisation.same_events import same_event_findings, unknown_procedure_findings
from shared.procedures.checks.organisation.source_entry import source_entry_findings
from shared.procedures.checks.organisation.source_formats import source_format_problems
from shared.procedures.checks.pack_check import blocking_problems, vacant_role_problems
from shared.procedures.checks.pattern_cues import check_patterns
from shared.procedures.expressions.conditions import compile_condition
from shared.procedures.loading.loader import Pack, load_organisation_document, load_pack
from shared.procedures.model.bound_procedure import bind_parameters, entry_parameters
from shared.procedures.model.entry_list import YamlPath
from shared.procedures.model.finding import Finding
from shared.procedures.model.procedure_error import FileProblem, ProcedureError
from shared.procedures.organisation import Organisation

_SHA256_HEX = re.compile(r"[0-9a-fA-F]{64}")
_PUBLIC_KEY_BYTES = 32
_DEFAULT_CALENDAR = "default"


def load_checked_organisation(path: str | Path) -> Organisation:
    """Load an organisation that the services can use; raises `ProcedureError` with all errors."""
    organisation, problems = _check(Path(path))
    if problems:
        raise ProcedureError(problems)
    return organisation


def check_organisation(path: Path) -> list[FileProblem]:
    """All problems of an organisation file: what stops the services, else the roles of its procedures that no person holds."""
    try:
        organisation = load_checked_organisation(path)
    except ProcedureError as error:
        return error.problems
    packs = {source.procedure: load_pack(source.procedure_reference, base_folder=path.parent) for source in organisation.sources}
    return [problem for pack in packs.values() for problem in vacant_role_problems(pack, organisation)]


def _check(path: Path) -> tuple[Organisation, list[FileProblem]]:
    organisation, document = load_organisation_document(path)
    problems = [document.problem_at(finding.yaml_path, finding.message) for finding in _findings(organisation)]
    procedures, are_loaded = set[str](), True
    for index, source in enumerate(organisation.sources):
        at_source: YamlPath = ("sources", index, "procedure")
        try:
            pack = load_pack(source.procedure_reference, base_folder=path.parent)
            bind_parameters(pack.procedure, source.parameters)
        except ProcedureError as error:
            problems += [document.problem_at(at_source, f"source {source.id}: {problem}") for problem in error.problems]
            are_loaded = False
            continue
        procedures.add(pack.procedure.id)
        problems += blocking_problems(pack)
        problems += [document.problem_at(f.yaml_path, f.message) for f in same_event_findings(organisation, pack.procedure)]
        problems += source_format_problems(source, index, pack.procedure, document, path.parent)
        problems += [document.problem_at(f.yaml_path, f.message) for f in source_entry_findings(organisation, index, pack.procedure)]
        problems += [document.problem_at(f.yaml_path, f.message) for f in _procedure_findings(organisation, at_source, pack)]
        problems += [document.problem_at(f.yaml_path, f.message) for f in _duty_findings(organisation, index, pack)]
    if are_loaded:
        problems += [document.problem_at(f.yaml_path, f.message) for f in unknown_procedure_findings(organisation, procedures)]
    # Sources with the same procedure have the same problems.
    return organisation, list(dict.fromkeys(problems))


def _findings(organisation: Organisation) -> Iterator[Finding]:
    yield from _duplicate_ids("people", [person.id for person in organisation.people])
    yield from _duplicate_ids("departments", [department.id for department in organisation.departments])
    yield from _duplicate_ids("sources", [source.id for source in organisation.sources])
    yield from _duplicate_ids("same_events", [event.id for event in organisation.same_events])
    yield from _calendar_findings(organisation)
    yield from _key_findings(organisation)
    yield from _routing_findings(organisation)


def _duplicate_ids(section: str, ids: list[str]) -> Iterator[Finding]:
    repeated = {name for name, number in Counter(ids).items() if number > 1}
    for index, name in enumerate(ids):
        if name in repeated and ids.index(name) != index:
            yield Finding((section, index, "id"), f"{section} has {name} twice; rename one")


def _calendar_findings(organisation: Organisation) -> Iterator[Finding]:
    for index, data in enumerate(organisation.calendars):
        try:
            Calendar.parse(data)
        except CalendarError as error:
            yield Finding(("calendars", index), str(error))
    known = _calendar_ids(organisation)
    uses: list[tuple[YamlPath, str | None]] = [(("calendar",), organisation.calendar)]
    uses += [(("departments", index, "calendar"), department.calendar) for index, department in enumerate(organisation.departments)]
    for path, name in uses:
        if name is not None and name not in known:
            yield Finding(path, f"there is no calendar {name}; the organisation has {', '.join(sorted(known))}")


def _calendar_ids(organisation: Organisation) -> set[str]:
    return {_DEFAULT_CALENDAR, *(str(data.get("id")) for data in organisation.calendars)}


def _key_findings(organisation: Organisation) -> Iterator[Finding]:
    for index, person in enumerate(organisation.people):
        hashes = [person.token_sha256] if person.token_sha256 is not None else []
        yield from _hash_findings(("people", index, "token_sha256"), hashes)
        yield from _public_key_findings(("people", index, "keys"), person.keys)
    for index, source in enumerate(organisation.sources):
        yield from _hash_findings(("sources", index, "key_sha256"), source.key_sha256)
        yield from _public_key_findings(("sources", index, "keys"), source.keys)


def _hash_findings(path: YamlPath, hashes: Iterable[str]) -> Iterator[Finding]:
    if not all(_SHA256_HEX.fullmatch(text) for text in hashes):
        yield Finding(path, f"{path[-1]} must be 64 hexadecimal digits; compute it with `printf %s TOKEN | sha256sum`")


def _public_key_findings(path: YamlPath, keys: dict[str, str]) -> Iterator[Finding]:
    for key_id, text in keys.items():
        try:
            size = len(base64.b64decode(text, validate=True))
        except binascii.Error:
            size = 0
        if size != _PUBLIC_KEY_BYTES:
            yield Finding((*path, key_id), f"keys.{key_id} must be the base64 of a raw Ed25519 public key, 32 bytes")


def _routing_findings(organisation: Organisation) -> Iterator[Finding]:
    yield from check_patterns(organisation.patterns)
    for index, route in enumerate(organisation.routing):
        try:
            if route.when is not None:
                compile_condition(route.when)
        except ValueError as error:
            yield Finding(("routing", index, "when"), f"when: {error}")
    departments = {department.id for department in organisation.departments}
    for index, source in enumerate(organisation.sources):
        if departments and source.department is not None and source.department not in departments:
            yield Finding(("sources", index, "department"), f"there is no department {source.department}; add it or correct the id")


def _duty_findings(organisation: Organisation, index: int, pack: Pack) -> Iterator[Finding]:
    """A duty belongs to the procedure and not to a case, so all sources of a procedure have to give it the same period."""
    source = organisation.sources[index]
    others = [other for other in organisation.sources[:index] if other.procedure_reference == source.procedure_reference]
    for section, _, parameter in entry_parameters(pack.procedure):
        name = parameter.parameter
        values = {str(each.parameters.get(name, pack.procedure.parameters[name].default)) for each in (source, *others)}
        if section == "duties" and len(values) > 1:
            message = (
                f"the sources of {source.procedure} set {name} differently, and a duty has one period; give all of them the same value"
            )
            yield Finding(("sources", index, "parameters"), message)


def _procedure_findings(organisation: Organisation, at_source: YamlPath, pack: Pack) -> Iterator[Finding]:
    procedure, known = pack.procedure, _calendar_ids(organisation)
    if procedure.calendar and procedure.calendar not in known:
        yield Finding(at_source, f"{procedure.id} names the calendar {procedure.calendar}; add it under calendars")
    if "{seq" not in procedure.register_.number:
        yield Finding(at_source, f"register.number of {procedure.id} needs {{seq}}, or numbers would repeat")
