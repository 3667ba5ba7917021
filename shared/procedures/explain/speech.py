"""Says the parts of a procedure in one language: names, durations, events, conditions."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from shared.procedures.explain import terms, words
from shared.procedures.explain.condition import condition
from shared.procedures.explain.words import Language, Words
from shared.procedures.model.duration import Duration
from shared.procedures.model.effects import Roles, names
from shared.procedures.model.procedure import Fact, Parameter, Procedure, Title
from shared.procedures.model.selectors import Pick, Selector, needs_all, picks
from shared.procedures.model.timed_entries import FromDate, FromParameter, Titled, WhoOf, Within

_CHINESE = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True)
class Speech:
    """A procedure's words in one language."""

    procedure: Procedure
    language: Language

    @property
    def chinese(self) -> bool:
        """Whether the language is Chinese."""
        return self.language == "zh"

    def say(self, zh: str, en: str) -> str:
        """The text in the language."""
        return zh if self.chinese else en

    def word(self, table: Words, key: str) -> str:
        """A fixed id's word; the id itself if the table has none."""
        return table[key][0 if self.chinese else 1] if key in table else key.replace("_", " ")

    def title(self, entry: Titled | Title | Fact | Parameter, fallback: str = "") -> str:
        """An entry's title; in the other language, or its id, where it is missing."""
        own, other = (entry.zh, entry.en) if self.chinese else (entry.en, entry.zh)
        return own or other or getattr(entry, "id", "") or fallback

    def quoted(self, text: str) -> str:
        """A title in quotes."""
        return f"「{text}」" if self.chinese else f"“{text}”"

    def several(self, items: Sequence[str], word: tuple[str, str] = ("或", "or")) -> str:
        """A list of items, its last joined by a word."""
        if len(items) < 2:  # noqa: PLR2004 (one item or none has no word between)
            return "".join(items)
        if self.chinese:
            return "、".join(items[:-1]) + word[0] + items[-1]
        return ", ".join(items[:-1]) + f" {word[1]} " + items[-1]

    def role(self, role: str) -> str:
        """A role's title."""
        roles = self.procedure.roles
        if isinstance(roles, dict) and role in roles:
            return self.title(roles[role], role)
        return self.word(terms.VALUES, role)

    def roles(self, roles: Roles | WhoOf, word: tuple[str, str] = ("或", "or")) -> str:
        """Roles, or whoever did something earlier."""
        if isinstance(roles, WhoOf):
            return self.say(f"{self.event(roles.who)}的经办人", f"whoever did {self.event(roles.who)}")
        return self.several([self.role(role) for role in names(roles)], word)

    def event(self, event: str) -> str:
        """An event's word."""
        return self.word(words.EVENTS, event)

    def action(self, action: str) -> str:
        """An action's word."""
        return self.word(words.ACTIONS, action)

    def class_(self, class_id: str) -> str:
        """A class's title; where several rules lead to it, each with a title of its own, what their titles begin with."""
        titles = [self.title(rule) for rule in self.procedure.classes if rule.id == class_id]
        begins = {re.split(r"[：:（(]", title)[0].strip() for title in titles}
        if len(set(titles)) > 1 and len(begins) == 1:
            return begins.pop()
        return titles[0] if titles else class_id

    def selector(self, selector: Selector) -> str:
        """The events of a selector in words."""
        joined = ("和", "and") if needs_all(selector) else ("或", "or")
        return self.several([self._pick(pick) for pick in picks(selector)], joined)

    def _pick(self, pick: Pick) -> str:
        if pick.when is None:
            return self.event(pick.event)
        return self.say(
            f"{self.event(pick.event)}（{self.condition(pick.when)}）", f"{self.event(pick.event)} ({self.condition(pick.when)})"
        )

    def limit(self, within: Within) -> str:
        """A time limit in words."""
        match within:
            case FromParameter(parameter=name):
                title = self.quoted(self.parameter(name))
                return self.say(f"参数{title}所定的期限", f"the time set by the parameter {title}")
            case FromDate(date=fact):
                title = self.quoted(self.fact(fact))
                return self.say(f"{title}所定的时间", f"the moment given as {title}")
        return self.duration(within)

    def duration(self, written: str) -> str:
        """A written duration in words: 3wd → 3 working days."""
        duration = Duration.parse(written)
        if duration.unit == "date":
            return self.limit(FromDate(date=duration.fact))
        if duration.unit not in terms.UNITS:
            return self.word(terms.NAMED, duration.unit)
        amount = str(duration)[: -len(duration.unit)]
        if amount == "0.5" and duration.unit == "wd":
            return self.say("半个工作日", "half a working day")
        if self.chinese:
            return f"{amount}{self.word(terms.UNITS, duration.unit)}"
        return f"{amount} {self.word(terms.UNITS, duration.unit)}{'' if amount == '1' else 's'}"

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
            return self.say("是", "yes") if value else self.say("否", "no")
        return self.quoted(str(value)) if isinstance(value, str) else str(value)

    def condition(self, source: str) -> str:
        """A condition in words: titles for names, words for signs."""
        return condition(self, source)

    def spoken(self, text: str) -> str:
        """Of a text that gives both languages one after the other, the part in this one; the whole of it otherwise."""
        parts = [part for part in re.split(r"\s+/\s+|(?<=[。！？])\s*|(?<=[.!?])\s+(?=[\u3400-\u9fff])", text) if part.strip()]
        own = [part for part in parts if bool(_CHINESE.search(part)) == self.chinese]
        return (("" if self.chinese else " ").join(own) or text).strip()
