"""Names of roles, events, actions, classes, facts and parameters of one procedure in one language."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from shared.procedures.explain.event_action_names import ACTION_NAMES, EVENT_NAMES, BilingualNames
from shared.procedures.explain.value_names import VALUE_NAMES
from shared.procedures.model.effects import RoleNames, role_tuple
from shared.procedures.model.procedure import FactDeclaration, LanguageCode, ParameterDeclaration, Procedure, Title
from shared.procedures.model.timed_entries import ActorOfEvent, TitledEntry

_CHINESE = re.compile(r"[\u3400-\u9fff]")
# Packs write reasons in both languages, as "中文。 English." or "中文 / English".
_LANGUAGE_BOUNDARY = re.compile(r"\s+/\s+|(?<=[。！？])\s*|(?<=[.!?])\s+(?=[\u3400-\u9fff])")


@dataclass(frozen=True)
class ProcedureNames:
    """Looks up the names of a procedure; an id without a name becomes the id in plain letters (`own_cause` → `own cause`)."""

    procedure: Procedure
    language: LanguageCode

    @property
    def is_chinese(self) -> bool:
        """Whether the language is Chinese."""
        return self.language == "zh"

    def choose(self, zh: str, en: str) -> str:
        """The one of two texts that is in the language."""
        return zh if self.is_chinese else en

    def lookup(self, table: BilingualNames, fixed_id: str) -> str:
        """The name of a fixed id."""
        return self.choose(*table[fixed_id]) if fixed_id in table else fixed_id.replace("_", " ")

    def title(self, entry: TitledEntry | Title | FactDeclaration | ParameterDeclaration, fallback: str = "") -> str:
        """An entry's title: in the language, else in the other one, else the entry's id or `fallback`."""
        preferred, other = (entry.zh, entry.en) if self.is_chinese else (entry.en, entry.zh)
        return preferred or other or getattr(entry, "id", "") or fallback

    def quote(self, text: str) -> str:
        """A title in quotation marks."""
        return self.choose(f"「{text}」", f"“{text}”")

    def join_list(self, items: Sequence[str], conjunction: tuple[str, str] = ("或", "or")) -> str:
        """Items with commas between and a conjunction before the last."""
        if len(items) < 2:  # noqa: PLR2004 - a conjunction needs two items
            return "".join(items)
        if self.is_chinese:
            return "、".join(items[:-1]) + conjunction[0] + items[-1]
        return ", ".join(items[:-1]) + f" {conjunction[1]} " + items[-1]

    def role(self, role_id: str) -> str:
        """A role's title."""
        roles = self.procedure.roles
        if isinstance(roles, dict) and role_id in roles:
            return self.title(roles[role_id], role_id)
        return self.lookup(VALUE_NAMES, role_id)

    def roles(self, roles: RoleNames | ActorOfEvent, conjunction: tuple[str, str] = ("或", "or")) -> str:
        """The titles of roles, or the actor of an earlier event."""
        if isinstance(roles, ActorOfEvent):
            return self.choose(f"{self.event(roles.who)}的经办人", f"whoever did {self.event(roles.who)}")
        return self.join_list([self.role(role) for role in role_tuple(roles)], conjunction)

    def event(self, event_id: str) -> str:
        """An event's name."""
        return self.lookup(EVENT_NAMES, event_id)

    def action(self, action_id: str) -> str:
        """An action's name."""
        return self.lookup(ACTION_NAMES, action_id)

    def class_(self, class_id: str) -> str:
        """A class's title; of several rules for one class the common beginning of their titles (`一类：律师函` → `一类`)."""
        titles = [self.title(rule) for rule in self.procedure.classes if rule.id == class_id]
        beginnings = {re.split(r"[：:（(]", title)[0].strip() for title in titles}
        if len(set(titles)) > 1 and len(beginnings) == 1:
            return beginnings.pop()
        return titles[0] if titles else class_id

    def fact(self, name: str) -> str:
        """A fact's title."""
        fact = self.procedure.facts.get(name)
        return self.title(fact, name.replace("_", " ")) if fact else name.replace("_", " ")

    def parameter(self, name: str) -> str:
        """A parameter's title."""
        parameter = self.procedure.parameters.get(name)
        return self.title(parameter, name) if parameter else name

    def value(self, value: object) -> str:
        """A fact's value: yes or no for a truth value, quoted if it is text."""
        if isinstance(value, bool):
            return self.choose("是", "yes") if value else self.choose("否", "no")
        return self.quote(str(value)) if isinstance(value, str) else str(value)

    def own_language_part(self, text: str) -> str:
        """The part of a bilingual text that is in the language; the whole text if no part is."""
        parts = [part for part in _LANGUAGE_BOUNDARY.split(text) if part.strip()]
        in_language = [part for part in parts if bool(_CHINESE.search(part)) == self.is_chinese]
        return (self.choose("", " ").join(in_language) or text).strip()
