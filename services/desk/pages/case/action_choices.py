"""The values that fields of an action can have, from organisation and procedure, and their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from shared.procedures.explain.procedure_texts import ProcedureTexts
from shared.procedures.organisation import Organisation

OptionName = Callable[[str, str], str]


def field_choices(organisation: Organisation, texts: ProcedureTexts | None) -> Mapping[str, Sequence[str]]:
    """Known values by field; a procedure that is not installed here leaves its fields free."""
    choices: dict[str, Sequence[str]] = {
        "department": [unit.id for unit in organisation.departments],
        "person": [person.id for person in organisation.people],
    }
    if texts is not None:
        choices["class"] = list(dict.fromkeys(each.id for each in texts.procedure.classes))
    return choices


def option_names(organisation: Organisation, texts: ProcedureTexts | None) -> OptionName:
    """The name of a value of a field; the value itself where no one named it."""
    people = {person.id: person.name or person.id for person in organisation.people}
    units = {unit.id: (unit.zh, unit.en) for unit in organisation.departments}

    def name(field: str, value: str) -> str:
        if field == "person":
            return people.get(value, value)
        if texts is None:
            return value
        if field == "department" and value in units:
            return texts.choose(*units[value]) or value
        if field == "class":
            return texts.class_(value)
        if field == "clock":
            return next((texts.title(clock) for clock in texts.procedure.clocks if clock.id == value), value)
        return value

    return name
