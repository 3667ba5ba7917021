"""Events, conditions, time limits, durations and clauses of a procedure as phrases in one language."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from shared.procedures.explain.conditions.condition_text import condition_text, doer_text
from shared.procedures.explain.event_action_names import ROLE_OF_SYSTEM_EVENT
from shared.procedures.explain.names import ProcedureNames
from shared.procedures.explain.value_names import NAMED_DURATION_NAMES, PERIOD_NAMES, UNIT_NAMES
from shared.procedures.model.duration import Duration
from shared.procedures.model.procedure import ClauseText
from shared.procedures.model.selectors import SelectedEvent, Selector, requires_all_events, selected_events
from shared.procedures.model.timed_entries import LimitFromFact, LimitFromParameter, LimitSource

# `4.1a`, `7(3)` and `3.1.2.e`: the article and the item under it.
_ITEM = re.compile(r"(?P<article>[\d.]*\d)(?:\.?(?P<letter>[a-z])|\((?P<number>\d+)\))")


@dataclass(frozen=True)
class ProcedureTexts(ProcedureNames):
    """The names of a procedure, and the phrases that sentences about its entries are made of."""

    clauses: Mapping[str, ClauseText] = field(default_factory=dict)

    def clause(self, clause_id: str) -> str:
        """A clause as the regulation cites it: 第4.5.5条, clause 4.5.5."""
        text = self.clauses.get(clause_id)
        if text is not None and text.cite is not None:
            return self.choose(text.cite.zh, text.cite.en)
        item = _ITEM.fullmatch(clause_id)
        if item is None:
            return self.choose(f"第{clause_id}条", f"clause {clause_id}")
        mark = self.choose(
            f"{item['letter']}项" if item["letter"] else f"第（{item['number']}）项", f"({item['letter'] or item['number']})"
        )
        return self.choose(f"第{item['article']}条{mark}", f"clause {item['article']}{mark}")

    def is_cited_otherwise(self, clause_id: str) -> bool:
        """Whether a clause with a number of several parts is cited in another form, such as 第四章一、1 for 4.1.1."""
        text = self.clauses.get(clause_id)
        return text is not None and text.cite is not None and clause_id[0].isdigit() and not clause_id.isdigit()

    def clause_list(self, clause_ids: Iterable[str], conjunction: tuple[str, str] = ("、", "and")) -> str:
        """Several clauses as a list."""
        return self.join_list([self.clause(clause_id) for clause_id in clause_ids], conjunction)

    def reference(self, clause_ids: Iterable[str]) -> str:
        """Clauses in brackets after a phrase; empty without clauses."""
        clauses = self.clause_list(clause_ids)
        return self.choose(f"（{clauses}）", f" ({clauses})") if clauses else ""

    def condition(self, source: str) -> str:
        """A CEL condition in words."""
        return condition_text(self, source)

    def selector(self, selector: Selector) -> str:
        """The events of a selector; a condition that all of them share is given once."""
        events = selected_events(selector)
        conjunction = ("和", "and") if requires_all_events(selector) else ("或", "or")
        shared = {selected.when for selected in events}
        if len(events) > 1 and len(shared) == 1:
            return self._with_condition(self.join_list([self.event(selected.event) for selected in events], conjunction), events[0].when)
        return self.join_list([self._selected_event(selected) for selected in events], conjunction)

    def _selected_event(self, selected: SelectedEvent) -> str:
        """An event with its condition; the role of what the system does is whom it concerns, not who does it."""
        addressees = doer_text(self, selected.when) if selected.when is not None and selected.event in ROLE_OF_SYSTEM_EVENT else ""
        if addressees:
            return self.lookup(ROLE_OF_SYSTEM_EVENT, selected.event).format(addressees)
        return self._with_condition(self.event(selected.event), selected.when)

    def _with_condition(self, events: str, condition: str | None) -> str:
        """Events with who does them, or with another condition in brackets."""
        if condition is None:
            return events
        doers = doer_text(self, condition)
        if doers:
            return self.choose(f"{doers}{events}", f"{events} by {doers}")
        # What is asked of the event itself follows it as an attribute; what is asked of the case needs an `if`.
        word = "" if condition.startswith("event.") else self.choose("若", "if ")
        return self.choose(f"{events}（{word}{self.condition(condition)}）", f"{events} ({word}{self.condition(condition)})")

    def limit(self, limit_source: LimitSource) -> str:
        """A time limit: a duration, or where its value comes from."""
        match limit_source:
            case LimitFromParameter(parameter=name):
                return self._parameter_limit(name)
            case LimitFromFact(date=fact):
                title = self.quote(self.fact(fact))
                return self.choose(f"至{title}所定的时间", f"the moment given as {title}")
        return self.duration(limit_source)

    def count(self, number: int | LimitFromParameter, unit: str = "") -> str:
        """A number with its unit (件), or where its value comes from."""
        if isinstance(number, int):
            return f"{number}{unit}"
        parameter, title = self.procedure.parameters.get(number.parameter), self.quote(self.parameter(number.parameter))
        if parameter is None or parameter.default is None:
            return self.choose(f"由本组织设定的{title}", f"the number that the organisation sets as {title}")
        return self.choose(
            f"{parameter.default}{unit}（{title}，本组织可另行设定）",
            f"{parameter.default}{unit} ({title}; the organisation may set another number)",
        )

    def period(self, source: str | LimitFromParameter) -> str:
        """How often a duty recurs: `1mo` → every month, or where the value comes from."""
        if isinstance(source, str):
            return self.lookup(PERIOD_NAMES, source)
        parameter, title = self.procedure.parameters.get(source.parameter), self.quote(self.parameter(source.parameter))
        if parameter is None or parameter.default is None:
            return self.choose(f"按本组织设定的{title}", f"at the interval that the organisation sets as {title}")
        name = self.lookup(PERIOD_NAMES, str(parameter.default))
        return self.choose(f"{name}（{title}，本组织可另行设定）", f"{name} ({title}; the organisation may set another)")

    def _parameter_limit(self, name: str) -> str:
        parameter, title = self.procedure.parameters.get(name), self.quote(self.parameter(name))
        if parameter is None or parameter.default is None:
            return self.choose(f"由本组织设定的{title}", f"the time that the organisation sets as {title}")
        value = self.duration(str(parameter.default))
        return self.choose(f"{value}（{title}，本组织可另行设定）", f"{value} ({title}; the organisation may set another time)")

    def duration(self, duration_text: str) -> str:
        """A duration: `3wd` → 3 working days; raises `DurationError`."""
        duration = Duration.parse(duration_text)
        if duration.unit == "date":
            return self.limit(LimitFromFact(date=duration.fact))
        if duration.unit not in UNIT_NAMES:
            return self.lookup(NAMED_DURATION_NAMES, duration.unit)
        amount = str(duration)[: -len(duration.unit)]
        if amount == "0.5" and duration.unit == "wd":
            return self.choose("半个工作日", "half a working day")
        unit = self.lookup(UNIT_NAMES, duration.unit)
        plural = "" if amount == "1" else "s"
        return self.choose(f"{amount}{unit}", f"{amount} {unit}{plural}")
