"""The result of a trial as rows for a page and for a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from services.desk.what_if.number_fields import Translate, number_label
from shared.procedures.explain.procedure_texts import ProcedureTexts
from shared.procedures.numbers.stated_numbers import StatedNumber
from shared.runtime.spreadsheets.table_files import TableCell


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """A difference of a case in words: what, by which clauses, at which instants, and why."""

    case: str
    number: str
    kind: str
    what: str
    clauses: str
    before: datetime | None
    after: datetime | None
    why: str

    def cells(self, zone: tzinfo) -> list[TableCell]:
        """The row of a file, with local instants."""
        local = [None if at is None else at.astimezone(zone).replace(tzinfo=None) for at in (self.before, self.after)]
        return [self.number or self.case, self.kind, self.what, self.clauses, *local, self.why]


class TrialWords:
    """Words about the trials of one procedure."""

    def __init__(self, texts: ProcedureTexts, numbers: Sequence[StatedNumber], t: Translate) -> None:
        self._texts = texts
        self._numbers = {number.key: number for number in numbers}
        self._t = t
        procedure = texts.procedure
        self._titles = {entry.id: texts.title(entry) for entry in (*procedure.ladders, *procedure.clocks)}

    def changes(self, asked: Mapping[str, Any]) -> list[str]:
        """The changed numbers, a line for each."""
        return [self._change(key, str(value)) for key, value in asked.get("numbers", {}).items()]

    def summary(self, result: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The figures by clause, without rows in which nothing differs."""
        return [
            {
                "clause": self._texts.clause(row["clause"]) if row["clause"] else self._t("what_if.no_clause"),
                "kind": self._t(f"what_if.kind.{row['kind']}"),
                **{name: int(row[name]) for name in ("before", "after", "changed")},
            }
            for row in result["summary"]
            if row["changed"]
        ]

    def differences(self, run: Mapping[str, Any]) -> Iterator[DifferenceRow]:
        """The differences of a finished trial."""
        numbers = run["asked"].get("numbers", {})
        for each in run["result"]["differences"]:
            why = "; ".join(self._change(key, str(numbers.get(key, ""))) for key in each["because"]) or self._t("what_if.follows")
            yield DifferenceRow(
                case=each["case"],
                number=each["number"],
                kind=self._t(f"what_if.kind.{each['kind']}"),
                what=self._titles.get(each["name"], each["name"].replace("_", " ")),
                clauses=self._texts.clause_list(each["clauses"]),
                before=_instant(each["before"]),
                after=_instant(each["after"]),
                why=why,
            )

    def columns(self) -> list[str]:
        """The heads of `DifferenceRow.cells`."""
        return [self._t(f"what_if.column.{name}") for name in ("case", "kind", "what", "clauses", "before", "after", "why")]

    def _change(self, key: str, value: str) -> str:
        number = self._numbers.get(key)
        if number is None:
            return self._t("what_if.change", number=key, before="", after=value)
        return self._t("what_if.change", number=number_label(number, self._texts, self._t), before=number.value, after=value)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
