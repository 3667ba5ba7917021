"""Writes the values of a form's fields as people read them: names for ids, local times, boxes for closed lists of values."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import cached_property
from typing import Any

from shared.contracts.attachments import parse_reference
from shared.contracts.events import EVENT_CLASSES
from shared.contracts.events.closed_values import CLOSED_EVENT_VALUES
from shared.contracts.instants import read_instant
from shared.procedures.calendars.zones import procedure_zone
from shared.procedures.explain import value_names
from shared.procedures.explain.names import ProcedureNames
from shared.procedures.forms.filled_form import FilledBox
from shared.procedures.model.form_layout.fields import FormField, FormLabel
from shared.procedures.model.procedure import LanguageCode, Procedure
from shared.procedures.organisation import Organisation

_INSTANTS = frozenset(
    {"at", "recorded_at", "received_at", "registered_at", "happened_at", "next_date", "date", "until", "due_at", "agreed_date", "ended_at"}
)
_PERSONS = frozenset({"actor", "person", "handler", "persons", "caller", "absentees"})
_ROLES = frozenset({"role", "to_role"})
_DEPARTMENTS = frozenset({"department", "cooperating", "units"})
_NAMED_VALUES = frozenset({"kind", "channel", "outcome", "status", "links", "sanction", "compensation", "concealment", "result"})
_BOXES = {
    "kind": ("complaint", "demand", "risk", "warning"),
    "complainant.kind": ("customer", "employee", "partner", "agent"),
    "status": ("open", "closed", "refused", "withdrawn"),
}
# XML 1.0 has no place for control characters, not even escaped: a word processor would refuse the whole file.
_DIGITS_OF_DIGEST = 12
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class FormTexts:
    """Writes labels and values of one procedure's forms in one language; `hidden` are the fields that the reader may not see."""

    procedure: Procedure
    organisation: Organisation
    language: LanguageCode = "zh"
    hidden: tuple[str, ...] = ()

    @cached_property
    def names(self) -> ProcedureNames:
        """The procedure's names in the language."""
        return ProcedureNames(self.procedure, self.language)

    @cached_property
    def zone(self) -> tzinfo:
        """The time zone of the procedure's dates."""
        return procedure_zone(self.procedure, self.organisation)

    def label(self, label: FormLabel, fallback: str = "") -> str:
        """A label: in the language, else in the other one, else `fallback`."""
        preferred, other = (label.zh, label.en) if self.language == "zh" else (label.en, label.zh)
        return preferred or other or fallback

    def field_label(self, form_field: FormField) -> str:
        """The label of a field: its own, else the name of its first path."""
        return self.label(form_field) or self.names.path_name(form_field.paths[0])

    def is_hidden(self, path: str) -> bool:
        """Whether the reader may not see the field; a hidden field is hidden in each event that has it."""
        root, dot, rest = path.partition(".")
        name = rest if dot and root in EVENT_CLASSES else path
        hidden_names = (hidden.removeprefix("complaint.") for hidden in self.hidden)
        return any(name == hidden or name.startswith(f"{hidden}.") for hidden in hidden_names)

    @property
    def confidential(self) -> str:
        """Printed in place of a value that the reader may not see."""
        return self.names.choose("（保密）", "(confidential)")

    @property
    def missing(self) -> str:
        """Printed in place of photographs that no one has attached."""
        return self.names.choose("（缺）", "(missing)")

    def value(self, path: str, value: Any) -> str:
        """A value as text; empty without one."""
        if value is None or value in ("", []):
            return ""
        if isinstance(value, list | tuple):
            return self.names.choose("、", ", ").join(self.value(path, item) for item in value)
        return _UNPRINTABLE.sub("", self._single_value(path, value))

    def is_instant(self, path: str) -> bool:
        """Whether a field holds instants."""
        name = path.rpartition(".")[2]
        return name in _INSTANTS or (path.startswith("facts.") and self._is_instant_fact(name))

    def instant(self, value: Any) -> str:
        """An instant in the organisation's zone, to the minute; the text itself if it is none."""
        instant = read_instant(value)
        if instant is None:
            return str(value)
        local = instant.astimezone(self.zone)
        return self.names.choose(f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}", f"{local:%Y-%m-%d %H:%M}")

    def person(self, person_id: str) -> str:
        """A person's name, else the id."""
        person = self.organisation.person(person_id)
        return (person.name if person else "") or person_id

    def boxes(self, path: str, value: Any) -> tuple[FilledBox, ...]:
        """A box for each possible value of a field; a value beyond the list gets a box of its own."""
        ids = [*self._box_ids(path)]
        if value not in (None, "", []) and value not in ids:
            ids.append(value)
        return tuple(FilledBox(self.value(path, box_id), value is not None and box_id == value) for box_id in ids)

    def _box_ids(self, path: str) -> Sequence[Any]:
        match path:
            case "class":
                return list(dict.fromkeys(rule.id for rule in self.procedure.classes))
            case "kind" if self.procedure.kinds:
                return [rule.id for rule in self.procedure.kinds]
            case "channel":
                return self.procedure.register_.channels or list(value_names.CHANNEL_NAMES)
        return _BOXES.get(path) or CLOSED_EVENT_VALUES.get(path, (True, False))

    def _single_value(self, path: str, value: Any) -> str:
        name = path.rpartition(".")[2]
        if name == "amount":
            return f"{value:,.2f}"
        if isinstance(value, bool):
            return self.names.choose("是", "yes") if value else self.names.choose("否", "no")
        if self.is_instant(path):
            return self.instant(value)
        if name in _PERSONS:
            return self.person(str(value))
        if name in _ROLES:
            return self.names.role(str(value))
        if name in _DEPARTMENTS:
            return self._department(str(value))
        if name == "to":
            return self._receiver(str(value))
        return self._named_value(name, value)

    def _named_value(self, name: str, value: Any) -> str:
        match name:
            case "class" | "from_class":
                return self.names.class_(str(value))
            case "attachments":
                reference = parse_reference(str(value))
                return f"{reference.name} ({reference.sha256[:_DIGITS_OF_DIGEST]}…)" if reference else str(value)
            case "event":
                return self.names.event(str(value))
            case "subject":
                node = next((node for node in self.procedure.subjects if node.id == value), None)
                return self.names.title(node) if node else str(value)
        return self.names.lookup(value_names.VALUE_NAMES, str(value)) if name in _NAMED_VALUES else str(value)

    def _is_instant_fact(self, name: str) -> bool:
        declared = self.procedure.facts.get(name)
        return declared is not None and declared.type == "instant"

    def _department(self, department_id: str) -> str:
        department = self.organisation.department(department_id)
        return self.label(FormLabel(zh=department.zh, en=department.en), department_id) if department else department_id

    def _receiver(self, receiver: str) -> str:
        if receiver in self.procedure.role_names or receiver in value_names.VALUE_NAMES:
            return self.names.role(receiver)
        named = self._department(receiver)
        return named if named != receiver else self.person(receiver)
