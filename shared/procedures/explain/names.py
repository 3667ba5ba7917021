"""Names of roles, events, actions, classes, facts and parameters of one procedure in one language."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from shared.contracts.events import EVENT_CLASSES
from shared.procedures.explain.event_action_names import ACTION_NAMES, EVENT_NAMES, EVENT_STATEMENTS, BilingualNames
from shared.procedures.explain.value_names import FIELD_NAMES, VALUE_NAMES
from shared.procedures.model.effects import RoleNames, role_tuple
from shared.procedures.model.procedure import FactDeclaration, LanguageCode, ParameterDeclaration, Procedure, Title
from shared.procedures.model.timed_entries import ActorOfEvent, TitledEntry

# Titles of units read without an article in English; of people and of countable units with one.
_WITHOUT_ARTICLE = re.compile(r"(?:service|marketing|management|resources|administration|operations|staff)$", re.IGNORECASE)
_ARTICLE_OF_NOUN = re.compile(r"^(?:an?|the) ")
_ONLY_ONE = ("首次", "一次", "二次", "the first ", "the second ")
_FAILURES = ("verification_failed", "review_rejected")
_HAS = re.compile(r" (has|have) ")
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
        return f"“{text}”"

    def document(self, text: str) -> str:
        """The title of a form or report, marked as documents are."""
        return self.choose(f"《{text}》", f"“{text}”")

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

    def role_phrase(self, role_id: str) -> str:
        """A role inside a sentence: `Head of the unit` → the head of the unit."""
        if role_id == "owner" and "owner" not in self.procedure.role_names:
            return self._case_owner()
        title = self.role(role_id)
        if self.is_chinese or title.startswith("the "):
            return title
        decapitalised = title if title[1:2].isupper() else title[0].lower() + title[1:]
        needs_article = "'s " in title or not _WITHOUT_ARTICLE.search(title)
        return f"the {decapitalised}" if needs_article else decapitalised

    def _case_owner(self) -> str:
        """Whom `owner` denotes in a procedure without a role of that name, as the rulebook resolves it."""
        role_names = self.procedure.role_names
        if self.procedure.ownership or not role_names:
            return self.choose("案件负责人", "the person responsible for the case")
        return self.role_phrase("handler" if "handler" in role_names else role_names[0])

    def first_held(self, roles: RoleNames | ActorOfEvent) -> str:
        """The titles of roles of which the first that a person holds acts."""
        if isinstance(roles, ActorOfEvent) or len(role_tuple(roles)) < 2:  # noqa: PLR2004 - one role needs no order
            return self.roles(roles)
        first, *others = (self.role_phrase(role) for role in role_tuple(roles))
        rest = self.choose("、", ", then ").join(others)
        return self.choose(
            f"{first}（无人任职的，{'依次' if len(others) > 1 else ''}由{rest}）", f"{first} (where nobody holds that role: {rest})"
        )

    def roles(self, roles: RoleNames | ActorOfEvent, conjunction: tuple[str, str] = ("或", "or")) -> str:
        """The titles of roles, or the actor of an earlier event."""
        if isinstance(roles, ActorOfEvent):
            return self.choose(f"作出{self.event(roles.who)}的人", f"the person who did {self.event(roles.who)}")
        return self.join_list(list(dict.fromkeys(self.role_phrase(role) for role in role_tuple(roles))), conjunction)

    def event(self, event_id: str) -> str:
        """An event's name: the regulation's own word, else the common one."""
        return self._term(event_id) or self.lookup(EVENT_NAMES, event_id)

    def event_noun(self, event_id: str) -> str:
        """An event's name without an article, as after `the latest`."""
        return _ARTICLE_OF_NOUN.sub("", self.event(event_id))

    def latest(self, event_id: str) -> str:
        """The latest event of a type; of what happens once by its name (首次答复, the first answer) that name."""
        if self.event(event_id).startswith(_ONLY_ONE):
            return self.event(event_id)
        return self.choose(f"最近一次{self.event(event_id)}", f"the latest {self.event_noun(event_id)}")

    def happened(self, event_id: str, *, positive: bool) -> str:
        """That an event has happened, or has not."""
        if self.is_chinese:
            event = self.event(event_id)
            if event_id in _FAILURES:
                return f"{'曾' if positive else '未曾'}{event}"
            return f"{'已' if positive else '尚未'}{'作' if event[0] in '一二' else ''}{event}"
        # A pack names an inquiry into papers by the event of a survey: “the site has been surveyed” would be false there.
        term = self._term(event_id) if event_id == "surveyed" else ""
        if term:
            return f"{term} has {'' if positive else 'not '}been made"
        statement = EVENT_STATEMENTS.get(event_id, f"there has been {self.event(event_id)}")
        return statement if positive else _HAS.sub(r" \1 not ", statement, count=1)

    def is_action(self, text: str) -> bool:
        """Whether a text is the id of an action."""
        return text in ACTION_NAMES

    def action(self, action_id: str) -> str:
        """An action's name: the regulation's own word, else the common one."""
        return self._term(action_id) or self.lookup(ACTION_NAMES, action_id)

    def _term(self, fixed_id: str) -> str:
        term = self.procedure.terms.get(fixed_id)
        return self.title(term) if term is not None else ""

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

    def path_name(self, path: str) -> str:
        """The name of a field of a form or list, such as `complainant.name`, `facts.urgent` or `handled.at`."""
        root, dot, name = path.partition(".")
        if root == "facts":
            return self.fact(name)
        if root == "parameters":
            return self.parameter(name)
        field_name = self.lookup(FIELD_NAMES, name or root)
        if root in EVENT_CLASSES and dot:
            return self.choose(f"{self.event(root)}：{field_name}", f"{self.event(root)}: {field_name}")
        return field_name

    def parameter(self, name: str) -> str:
        """A parameter's title."""
        parameter = self.procedure.parameters.get(name)
        return self.title(parameter, name) if parameter else name

    def reading_choice(self, parameter_name: str, value: str) -> str:
        """The reading that a value of a parameter selects, as the page numbers it: reading 1, or another one of it."""
        for word, entries in ((("矛盾", "contradiction"), self.procedure.conflicts), (("读法", "reading"), self.procedure.readings)):
            for number, entry in enumerate(entries, start=1):
                if entry.parameter == parameter_name:
                    taken = value == self.procedure.parameters[parameter_name].default
                    return self.choose(
                        f"{word[0]}{number}{'所取的读法' if taken else '所列的另一种读法'}",
                        f"{'the reading taken' if taken else 'the other reading listed'} in {word[1]} {number}",
                    )
        return self.quote(value.replace("_", " "))

    def value(self, value: object) -> str:
        """A fact's value: yes or no for a truth value, quoted if it is text."""
        if isinstance(value, bool):
            return self.choose("是", "yes") if value else self.choose("否", "no")
        return self.quote(str(value)) if isinstance(value, str) else str(value)

    def sentence(self, bilingual: str) -> str:
        """The part of a bilingual text that is in the language, with a full stop."""
        text = self.own_language_part(bilingual)
        return text if text.endswith((".", "。", "!", "！", "?", "？")) else text + self.choose("。", ".")

    def own_language_part(self, text: str) -> str:
        """The part of a bilingual text that is in the language; the whole text if no part is."""
        parts = [part for part in _LANGUAGE_BOUNDARY.split(text) if part.strip()]
        in_language = [part for part in parts if bool(_CHINESE.search(part)) == self.is_chinese]
        return (self.choose("", " ").join(in_language) or text).strip()
