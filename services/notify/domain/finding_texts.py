"""Writes the values of findings (liability, sanctions, compensation, calls) as people read them: names for ids, amounts in yuan."""

from collections.abc import Callable, Mapping
from typing import Any

from shared.procedures.explain.value_names import VALUE_NAMES
from shared.procedures.organisation import Organisation

_NAMED = ("sanction", "compensation", "concealment", "call_result")


def finding_texts(organisation: Organisation, stated: Mapping[str, Any], language: str) -> dict[str, str]:
    """Return the texts of the stated values that are ids, numbers or lists; the other values are texts already."""
    texts = {name: _named(str(stated[name]), language) for name in _NAMED if stated.get(name)}
    if isinstance(stated.get("amount"), int | float):
        texts["amount"] = f"{stated['amount']:,.2f}"
    writers: dict[str, Callable[[str], str]] = {
        "persons": lambda name: _person(organisation, name),
        "units": lambda name: _unit(organisation, name, language),
    }
    for field, write in writers.items():
        if isinstance(stated.get(field), list):
            texts[field] = ("、" if language == "zh" else ", ").join(map(write, stated[field]))
    return texts


def _named(value: str, language: str) -> str:
    zh, en = VALUE_NAMES.get(value, (value, value))
    return en if language == "en" else zh


def _person(organisation: Organisation, name: str) -> str:
    person = organisation.person(name)
    return (person.name if person else "") or name


def _unit(organisation: Organisation, name: str, language: str) -> str:
    department = organisation.department(name)
    if department is None:
        return name
    preferred, other = (department.en, department.zh) if language == "en" else (department.zh, department.en)
    return preferred or other or name
