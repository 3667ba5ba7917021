"""Says the parts of a procedure in one language: names, durations, events, conditions."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from shared.procedures.explain import event_action_names, value_names
from shared.procedures.explain.condition_text import condition_text
from shared.procedures.explain.event_action_names import BilingualNames, LanguageCode
from shared.procedures.model.duration import Duration
from shared.procedures.model.effects import RoleNames, role_tuple
from shared.procedures.model.procedure import FactDeclaration, ParameterDeclaration, Procedure, Title
from shared.procedures.model.selectors import SelectedEvent, Selector, requires_all_events, selected_events
from shared.procedures.model.timed_entries import ActorOfEvent, LimitFromFact, LimitFromParameter, LimitSource, TitledEntry

_CHINESE = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True)
class ProcedureTexts:
    """A procedure's words in one language."""

    procedure: Procedure
    language: LanguageCode

    @property
    def is_chinese(self) -> bool:
        """Whether the language is Chinese."""
        return self.language == "zh"

    def choose(self, zh: str, en: str) -> str:
        """The text in the language."""
        return zh if self.is_chinese else en

    def lookup(self, table: BilingualNames, key: str) -> str:
        """A fixed id's word; the id itself if the table has none."""
        return table[key][0 if self.is_chinese else 1] if key in table else key.replace("_", " ")

    def title(self, entry: TitledEntry | Title | FactDeclaration | ParameterDeclaration, fallback: str = "") -> str:
        """An entry's title; in the other language, or its id, where it is missing."""
        own, other = (entry.zh, entry.en) if self.is_chinese else (entry.en, entry.zh)
        return own or other or getattr(entry, "id", "") or fallback

    def quote(self, text: str) -> str:
        """A title in quotes."""
        return f"「{text}」" if self.is_chinese else f"“{text}”"

    def join_list(self, items: Sequence[str], conjunction: tuple[str, str] = ("或", "or")) -> str:
        """A list of items, its last joined by a word."""
        if len(items) < 2:  # noqa: PLR2004 (one item or none has no word between)
            return "".join(items)
        if self.is_chinese:
            return "、".join(items[:-1]) + conjunction[0] + items[-1]
        return ", ".join(items[:-1]) + f" {conjunction[1]} " + items[-1]

    def role(self, role_id: str) -> str:
        """A role's title."""
        roles = self.procedure.roles
        if isinstance(roles, dict) and role_id in roles:
            return self.title(roles[role_id], role_id)
        return self.lookup(value_names.VALUE_NAMES, role_id)

    def roles(self, roles: RoleNames | ActorOfEvent, conjunction: tuple[str, str] = ("或", "or")) -> str:
        """Roles, or whoever did something earlier."""
        if isinstance(roles, ActorOfEvent):
            return self.choose(f"{self.event(roles.who)}的经办人", f"whoever did {self.event(roles.who)}")
        return self.join_list([self.role(role) for role in role_tuple(roles)], conjunction)

    def event(self, event_id: str) -> str:
        """An event's word."""
        return self.lookup(event_action_names.EVENT_NAMES, event_id)

    def action(self, action_id: str) -> str:
        """An action's word."""
        return self.lookup(event_action_names.ACTION_NAMES, action_id)

    def class_(self, class_id: str) -> str:
        """A class's title; where several rules lead to it, each with a title of its own, what their titles begin with."""
        titles = [self.title(rule) for rule in self.procedure.classes if rule.id == class_id]
        begins = {re.split(r"[：:（(]", title)[0].strip() for title in titles}
        if len(set(titles)) > 1 and len(begins) == 1:
            return begins.pop()
        return titles[0] if titles else class_id

    def selector(self, selector: Selector) -> str:
        """The events of a selector in words."""
        joined = ("和", "and") if requires_all_events(selector) else ("或", "or")
        return self.join_list([self._selected_event(pick) for pick in selected_events(selector)], joined)

    def _selected_event(self, pick: SelectedEvent) -> str:
        if pick.when is None:
            return self.event(pick.event)
        return self.choose(
            f"{self.event(pick.event)}（{self.condition(pick.when)}）", f"{self.event(pick.event)} ({self.condition(pick.when)})"
        )

    def limit(self, limit_source: LimitSource) -> str:
        """A time limit in words."""
        match limit_source:
            case LimitFromParameter(parameter=name):
                title = self.quote(self.parameter(name))
                return self.choose(f"参数{title}所定的期限", f"the time set by the parameter {title}")
            case LimitFromFact(date=fact):
                title = self.quote(self.fact(fact))
                return self.choose(f"{title}所定的时间", f"the moment given as {title}")
        return self.duration(limit_source)

    def duration(self, duration_text: str) -> str:
        """A written duration in words: 3wd → 3 working days."""
        duration = Duration.parse(duration_text)
        if duration.unit == "date":
            return self.limit(LimitFromFact(date=duration.fact))
        if duration.unit not in value_names.UNIT_NAMES:
            return self.lookup(value_names.NAMED_DURATION_NAMES, duration.unit)
        amount = str(duration)[: -len(duration.unit)]
        if amount == "0.5" and duration.unit == "wd":
            return self.choose("半个工作日", "half a working day")
        if self.is_chinese:
            return f"{amount}{self.lookup(value_names.UNIT_NAMES, duration.unit)}"
        return f"{amount} {self.lookup(value_names.UNIT_NAMES, duration.unit)}{'' if amount == '1' else 's'}"

    def fact(self, name: str) -> str:
        """A fact's title."""
        fact = self.procedure.facts.get(name)
        return self.title(fact, name.replace("_", " ")) if fact else name.replace("_", " ")

    def parameter(self, name: str) -> str:
        """A parameter's title."""
        parameter = self.procedure.parameters.get(name)
        return self.title(parameter, name) if parameter else name

    def value(self, value: object) -> str:
        """A fact's value."""
        if isinstance(value, bool):
            return self.choose("是", "yes") if value else self.choose("否", "no")
        return self.quote(str(value)) if isinstance(value, str) else str(value)

    def condition(self, source: str) -> str:
        """A condition in words: titles for names, words for signs."""
        return condition_text(self, source)

    def own_language_part(self, text: str) -> str:
        """Of a text that gives both languages one after the other, the part in this one; the whole of it otherwise."""
        parts = [part for part in re.split(r"\s+/\s+|(?<=[。！？])\s*|(?<=[.!?])\s+(?=[\u3400-\u9fff])", text) if part.strip()]
        own = [part for part in parts if bool(_CHINESE.search(part)) == self.is_chinese]
        return (("" if self.is_chinese else " ").join(own) or text).strip()
