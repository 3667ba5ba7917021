"""The values of a template: what the request states, in the recipient's language, with the titles and names that ids stand for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.notify.domain.message_templates import EMPTY_VALUES
from shared.contracts.events.notifications import NotificationRequested
from shared.procedures.model import wording
from shared.procedures.model.procedure import Title
from shared.procedures.organisation import Organisation

_NO_TITLE = Title(zh="", en="")
_NOT_GIVEN = {"zh": "（未填写）", "en": "(not given)"}
_INSTANTS = frozenset({"started_at", "due_at", "received_at", "date", "until", "next_date"})


@dataclass(frozen=True, slots=True)
class ProcedureTitles:
    """Titles of a procedure and its classes, and the texts of its clauses, by id."""

    title: Title = _NO_TITLE
    clauses: Mapping[str, Title] = field(default_factory=dict)
    classes: Mapping[str, Title] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MessageTexts:
    """The texts of procedures by id and version, and the organisation's names and phones."""

    organisation: Organisation
    procedures: Mapping[tuple[str, int], ProcedureTitles] = field(default_factory=dict)


def message_values(
    request: NotificationRequested, language: str, texts: MessageTexts, format_instant: Callable[[datetime | str], str]
) -> dict[str, Any]:
    """All values of a template for a recipient who reads `language` (`zh` or `en`); instants stay ISO text.

    `message` is the entry's own wording, filled in, else empty; `items` are the values of the requests that were merged into this one.
    Raises `ValueError` for an instant that cannot be read.
    """
    stated = {name: value for name, value in request.values.items() if value is not None}
    procedure = texts.procedures.get(
        (request.procedure, request.version), ProcedureTitles(Title(zh=request.procedure, en=request.procedure))
    )
    values: dict[str, Any] = {
        **EMPTY_VALUES,
        "case": request.case,
        "number": request.case,
        "at": request.at,
        "about": request.about,
        "urgent": request.urgent,
        "clause": request.clause,
        **stated,
        "procedure": _in_language(procedure.title, language),
        "class": _in_language(procedure.classes.get(stated.get("class", ""), _NO_TITLE), language) or stated.get("class", ""),
        "department": _department(texts.organisation, stated.get("department", ""), language),
        **_contact(texts.organisation, stated),
    }
    values["items"] = [_entry_values({**values, **item}, procedure, language, format_instant) for item in stated.get("items", [])]
    return _entry_values(values, procedure, language, format_instant)


def _entry_values(
    values: dict[str, Any], procedure: ProcedureTitles, language: str, format_instant: Callable[[datetime | str], str]
) -> dict[str, Any]:
    """The values with title, clause text and wording of one entry in the language."""
    if language == "en":
        values["title"] = values.get("title_en") or values["title"]
    values["clause_text"] = _in_language(procedure.clauses.get(values["clause"], _NO_TITLE), language)
    text = values.get("wording_en" if language == "en" else "wording", "")
    if text:
        shown = {name: _shown(name, values[name], language, format_instant) for name in wording.placeholders(text)}
        values["message"] = wording.fill(text, shown)
    return values


def _shown(name: str, value: Any, language: str, format_instant: Callable[[datetime | str], str]) -> str:
    if not value:
        return _NOT_GIVEN[language]
    return format_instant(value) if name in _INSTANTS else str(value)


def _in_language(title: Title, language: str) -> str:
    return title.en or title.zh if language == "en" else title.zh


def _department(organisation: Organisation, department_id: str, language: str) -> str:
    department = organisation.department(department_id)
    return _in_language(Title(zh=department.zh, en=department.en), language) or department_id if department else department_id


def _contact(organisation: Organisation, stated: Mapping[str, Any]) -> dict[str, str]:
    """Name and phone of whom a complainant can talk to: the person in charge, else the source's public ones."""
    person = organisation.person(stated.get("contact_person", ""))
    if person is not None:
        return {"contact_name": person.name, "contact_phone": person.phone or ""}
    source = organisation.source(stated.get("source", ""))
    return {"contact_name": source.contact_name, "contact_phone": source.contact_phone} if source else {}
