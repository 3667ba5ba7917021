"""The values of a template: what the request states, in the recipient's language, with the titles and names of ids."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.notify.domain.finding_texts import finding_texts
from services.notify.domain.message_templates import EMPTY_VALUES, LONGEST_SMS_MATTER, LONGEST_SMS_WORDS, cut, one_line
from shared.contracts.events.notifications import NotificationRequested
from shared.procedures.explain.value_names import FIELD_NAMES
from shared.procedures.model import wording
from shared.procedures.model.procedure import ClauseText, Procedure, Title
from shared.procedures.organisation import Organisation

_NO_TITLE = Title(zh="", en="")
_NOT_GIVEN = {"zh": "（未填写）", "en": "(not given)"}


@dataclass(frozen=True, slots=True)
class ProcedureTitles:
    """Titles of a procedure, its classes and its facts, and the texts of its clauses, by id."""

    title: Title = _NO_TITLE
    clauses: Mapping[str, ClauseText] = field(default_factory=dict)
    classes: Mapping[str, Title] = field(default_factory=dict)
    facts: Mapping[str, Title] = field(default_factory=dict)


def class_titles(procedure: Procedure) -> dict[str, Title]:
    """The title of each class; for a class of several rules, the common part of their titles before the colon."""
    titles: dict[str, list[Title]] = {}
    for entry in procedure.classes:
        titles.setdefault(entry.id, []).append(Title(zh=entry.zh, en=entry.en))
    return {
        class_id: Title(zh=_common_title([title.zh for title in rule_titles]), en=_common_title([title.en for title in rule_titles]))
        for class_id, rule_titles in titles.items()
    }


def fact_titles(procedure: Procedure) -> dict[str, Title]:
    """The title of each fact."""
    return {name: Title(zh=fact.zh, en=fact.en) for name, fact in procedure.facts.items()}


def _common_title(titles: list[str]) -> str:
    # “一类：群体性” and “一类：媒体曝光” are rules of the class “一类”; one of them would name the wrong rule.
    if len(set(titles)) == 1:
        return titles[0]
    first_parts = {re.split("[:：]", title)[0].strip() for title in titles}
    return first_parts.pop() if len(first_parts) == 1 else ""


@dataclass(frozen=True, slots=True)
class MessageTexts:
    """The texts of procedures by id and version, and the organisation's names and phones."""

    organisation: Organisation
    procedures: Mapping[tuple[str, int], ProcedureTitles] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MessageForm:
    """In which language (`zh` or `en`) and for which channel a message is written; `format_instant` writes instants."""

    language: str
    channel: str
    format_instant: Callable[[datetime | str], str]


def message_values(
    request: NotificationRequested, form: MessageForm, texts: MessageTexts, recipient_values: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """All values of a template for a recipient; instants stay ISO text.

    `recipient_values` are known for this recipient only; `message` is the entry's own wording, filled in, else empty;
    `items` are the values of the requests that were merged into this one.
    Raises `ValueError` for an instant that cannot be read.
    """
    stated = {name: value for name, value in request.values.items() if value is not None}
    stated |= finding_texts(texts.organisation, stated, form.language)
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
        **(recipient_values or {}),
        "procedure": _in_language(procedure.title, form.language),
        "class": _in_language(procedure.classes.get(stated.get("class", ""), _NO_TITLE), form.language) or stated.get("class", ""),
        "department": _department(texts.organisation, stated.get("department", ""), form.language),
        **_contact(texts.organisation, stated),
    }
    values["items"] = [
        _entry_values({**values, **item, **finding_texts(texts.organisation, item, form.language)}, procedure, form)
        for item in stated.get("items", [])
    ]
    return _entry_values(values, procedure, form)


def _entry_values(values: dict[str, Any], procedure: ProcedureTitles, form: MessageForm) -> dict[str, Any]:
    """The values with title, clause text and wording of one entry in the language."""
    if form.language == "en":
        values["title"] = values.get("title_en") or values["title"]
        values["limit"] = values.get("limit_en") or values["limit"]
    values["clause_text"] = _in_language(procedure.clauses.get(values["clause"], _NO_TITLE), form.language)
    values["cited"] = _cited(values["clause"], procedure.clauses.get(values["clause"]), form.language)
    text = values.get("wording_en" if form.language == "en" else "wording", "")
    if text:
        listed = {**values, "missing": _field_titles(values.get("missing") or [], procedure, form.language)}
        shown = {name: _shown(name, listed[name], form) for name in wording.placeholders(text)}
        values["message"] = wording.fill(text, shown, _NOT_GIVEN[form.language])
    return values


def _field_titles(names: Iterable[str], procedure: ProcedureTitles, language: str) -> str:
    """Titles of a complaint's fields: 投诉人电话、地点; the complainant's phone, place."""
    return ("、" if language == "zh" else ", ").join(_field_title(name, procedure, language) for name in names)


def _field_title(name: str, procedure: ProcedureTitles, language: str) -> str:
    owner, _, last = name.rpartition(".")
    if owner == "facts":
        return _in_language(procedure.facts.get(last, _NO_TITLE), language) or last
    zh, en = FIELD_NAMES.get(last, (last, last))
    if owner == "complainant":
        return f"the complainant's {en}" if language == "en" else f"投诉人{zh}"
    return en if language == "en" else zh


def _cited(clause_id: str, clause: ClauseText | None, language: str) -> str:
    """The citation of the clause; empty for an internal id (customer-5) without one."""
    if clause is not None and clause.cite is not None:
        return _in_language(clause.cite, language)
    if not clause_id[:1].isdigit():
        return ""
    return f"clause {clause_id}" if language == "en" else clause_id


def _shown(name: str, value: Any, form: MessageForm) -> str:
    """The value as the wording shows it; empty where the case has none."""
    if not value:
        return ""
    if name in wording.INSTANT_PLACEHOLDERS:
        return form.format_instant(value)
    if name not in wording.WORDS_OF_PERSONS and name != "matter":
        return str(value)
    # The wording ends the sentence, whether or not the person did.
    words = str(value).strip().rstrip("。．.；;，,")
    if form.channel != "sms":
        return words
    return cut(one_line(words, len(words)), LONGEST_SMS_MATTER if name == "matter" else LONGEST_SMS_WORDS)


def _in_language(title: Title, language: str) -> str:
    return title.en or title.zh if language == "en" else title.zh


def _department(organisation: Organisation, department_id: str, language: str) -> str:
    department = organisation.department(department_id)
    return _in_language(Title(zh=department.zh, en=department.en), language) or department_id if department else department_id


def _contact(organisation: Organisation, stated: Mapping[str, Any]) -> dict[str, str]:
    """Name and phone of the contact for a complainant: the person in charge, else the source's public contact."""
    person = organisation.person(stated.get("contact_person", ""))
    if person is not None:
        return {"contact_name": person.name, "contact_phone": person.phone or ""}
    source = organisation.source(stated.get("source", ""))
    return {"contact_name": source.contact_name, "contact_phone": source.contact_phone} if source else {}
