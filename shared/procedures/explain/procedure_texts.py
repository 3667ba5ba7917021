"""Events, conditions, time limits and durations of a procedure as phrases in one language."""

from shared.procedures.explain.condition_text import condition_text
from shared.procedures.explain.names import ProcedureNames
from shared.procedures.explain.value_names import NAMED_DURATION_NAMES, UNIT_NAMES
from shared.procedures.model.duration import Duration
from shared.procedures.model.selectors import SelectedEvent, Selector, requires_all_events, selected_events
from shared.procedures.model.timed_entries import LimitFromFact, LimitFromParameter, LimitSource


class ProcedureTexts(ProcedureNames):
    """The names of a procedure, and the phrases that sentences about its entries are made of."""

    def condition(self, source: str) -> str:
        """A CEL condition in words."""
        return condition_text(self, source)

    def selector(self, selector: Selector) -> str:
        """The events of a selector."""
        conjunction = ("和", "and") if requires_all_events(selector) else ("或", "or")
        return self.join_list([self._selected_event(selected) for selected in selected_events(selector)], conjunction)

    def _selected_event(self, selected: SelectedEvent) -> str:
        event = self.event(selected.event)
        if selected.when is None:
            return event
        condition = self.condition(selected.when)
        return self.choose(f"{event}（{condition}）", f"{event} ({condition})")

    def limit(self, limit_source: LimitSource) -> str:
        """A time limit: a duration, or where its value comes from."""
        match limit_source:
            case LimitFromParameter(parameter=name):
                title = self.quote(self.parameter(name))
                return self.choose(f"参数{title}所定的期限", f"the time set by the parameter {title}")
            case LimitFromFact(date=fact):
                title = self.quote(self.fact(fact))
                return self.choose(f"{title}所定的时间", f"the moment given as {title}")
        return self.duration(limit_source)

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
