"""The numbers of a procedure as fields of a form, named as people read them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from shared.procedures.explain.procedure_texts import ProcedureTexts
from shared.procedures.model.entry_list import YamlPath
from shared.procedures.numbers.stated_numbers import StatedNumber

Translate = Callable[..., str]
_TITLED = frozenset({"clocks", "ladders", "reactions"})


@dataclass(frozen=True, slots=True)
class NumberField:
    """A field: its name in the form, its label, the clauses in words, the value as the procedure has it, and as it was typed."""

    name: str
    key: str
    label: str
    clauses: str
    stated: str
    typed: str
    fault: str = ""


def number_fields(
    numbers: Sequence[StatedNumber], texts: ProcedureTexts, t: Translate, typed: Mapping[str, str], faults: Mapping[str, str]
) -> list[NumberField]:
    """The fields in the order of the regulation's clauses."""
    places = {clause: place for place, clause in enumerate(texts.clauses)}
    ordered = sorted(numbers, key=lambda number: min((places.get(clause, len(places)) for clause in number.clauses), default=len(places)))
    return [
        NumberField(
            name=f"number.{number.key}",
            key=number.key,
            label=number_label(number, texts, t),
            clauses=texts.clause_list(number.clauses),
            stated=number.value,
            typed=typed.get(number.key, number.value),
            fault=faults.get(number.key, ""),
        )
        for number in ordered
    ]


def number_label(number: StatedNumber, texts: ProcedureTexts, t: Translate) -> str:
    """The limited thing of a number, and how: “Measures: due within”."""
    if number.compared:
        return t("what_if.threshold", value=_compared_name(number, texts))
    *_, last = number.places[0]
    measure = t(f"what_if.field.{last}") if last in _MEASURES else str(last).replace("_", " ")
    position = next((step for step in reversed(number.places[0][:-1]) if isinstance(step, int)), 0) if "due." in number.field else 0
    ordinal = t("what_if.ordinal", n=position + 1) if position else ""
    return t("what_if.number", entry=_entry_name(number.entry, texts, t), measure=measure, ordinal=ordinal)


_MEASURES = frozenset(
    {"within", "before", "share", "every", "default", "raise_level", "at_most", "unreached_days", "remind_at", "escalate_after"}
)


def _entry_name(entry: YamlPath, texts: ProcedureTexts, t: Translate) -> str:
    section = str(entry[0])
    if len(entry) == 1:
        return t("what_if.every_limit") if section == "limits" else section.replace("_", " ")
    if section == "parameters":
        return texts.title(texts.procedure.parameters[str(entry[1])], str(entry[1]))
    if section in _TITLED:
        return texts.title(getattr(texts.procedure, section)[entry[1]], str(entry[1]))
    return t("what_if.closing") if section == "closing" else str(entry[1]).replace("_", " ")


def _compared_name(number: StatedNumber, texts: ProcedureTexts) -> str:
    root, _, name = number.compared.partition(".")
    fact = texts.procedure.facts.get(name) if root == "facts" else None
    return texts.title(fact, name) if fact is not None else number.compared
