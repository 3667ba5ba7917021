"""The wording of a message in both languages: plain text with placeholders in braces, such as {number} or {due_at}.

A part in brackets, such as `[Agreed date: {agreed_date}.]`, is left out unless all its placeholders have a value.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Annotated

from pydantic import AfterValidator

from shared.contracts.base import StrictModel

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_OPTIONAL_PART = re.compile(r"\[([^\[\]]*)\]")
_MEASURES_KNOWN = frozenset(
    {"measures_submitted", "measures_signed_off", "measures_approved", "measures_deemed_approved", "measures_rejected", "review_requested"}
)


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A value that a wording may name.

    `source` states when it is known: `case` always, `follow` for complainants where the organisation has a page for them, `clock` in the
    entries of a clock, `event` where every event that triggers the entry has the field `field`, `history` once one of the events `of`
    has happened, which each of `known_after` implies; the value is the `field` of the latest.
    """

    name: str
    source: str
    zh: str
    en: str
    field: str = ""
    of: tuple[str, ...] = ()
    known_after: frozenset[str] = frozenset()


PLACEHOLDERS = {
    placeholder.name: placeholder
    for placeholder in (
        Placeholder("number", "case", "编号", "the case's number"),
        Placeholder("matter", "case", "投诉事项（一行）", "the matter in one line: the complaint's title, else the beginning of its text"),
        Placeholder("received_at", "case", "收到时间", "when the complaint was received"),
        Placeholder("class", "case", "类别", "the class, by its title"),
        Placeholder("department", "case", "责任部门", "the department responsible, by its title"),
        Placeholder("contact_name", "case", "联系人", "the person to talk to; before one is assigned, the source's public name"),
        Placeholder("contact_phone", "case", "联系电话", "that person's phone, else the source's public phone"),
        Placeholder("procedure", "case", "规程名称", "the procedure, by its title"),
        Placeholder("clause", "case", "条款号", "the clause of the entry"),
        Placeholder("clause_text", "case", "条款内容", "the words of that clause"),
        Placeholder("title", "case", "条目名称", "the entry's title"),
        Placeholder("follow_link", "follow", "查询网址", "the address of the complainant's own page, where there is one"),
        Placeholder("follow_code", "follow", "查询码", "the complainant's code for that page, where the organisation gives codes"),
        Placeholder("started_at", "clock", "计时起点", "when the clock started"),
        Placeholder("due_at", "clock", "期限", "when it is due"),
        Placeholder(
            "missing",
            "event",
            "登记或报送时缺少的必填项",
            "the required fields that are absent, by their titles",
            "missing",
        ),
        Placeholder("text", "event", "经办人所写", "what the acting person wrote", "text"),
        Placeholder("reason", "event", "理由", "the reason given", "reason"),
        Placeholder("demands", "event", "附加要求", "the demands of an approval or a rejection", "demands"),
        Placeholder("outcome", "event", "回访结果", "the outcome of a call-back", "outcome"),
        Placeholder("date", "event", "约定时间", "the date agreed", "date"),
        Placeholder("until", "event", "延长至", "until when a limit was extended", "until"),
        Placeholder("cause", "event", "原因类别", "the category of the cause", "cause"),
        Placeholder("persons", "event", "涉及人员", "the persons liable, punished, reported or present", "persons"),
        Placeholder("units", "event", "涉及单位", "the units liable, punished, reported or present", "units"),
        Placeholder("sanction", "event", "处罚种类", "the kind of penalty", "sanction"),
        Placeholder("compensation", "event", "赔偿方式", "the kind of compensation", "compensation"),
        Placeholder("amount", "event", "金额（元）", "the amount in yuan", "amount"),
        Placeholder("household", "event", "户号", "the household", "household"),
        Placeholder("concealment", "event", "推诿或隐瞒行为", "what was done instead of accepting or reporting", "concealment"),
        Placeholder("place", "event", "地点", "where the notice is, or the meeting was", "place"),
        Placeholder("call_result", "event", "通话结果", "the result of a phone call", "result"),
        Placeholder("limit", "event", "期限名称", "the title of the clock that the event is about", "clock"),
        Placeholder(
            "cause_found", "history", "查明的原因", "the cause found last", "text", ("cause_recorded",), frozenset({"cause_recorded"})
        ),
        Placeholder("measures", "history", "处理措施", "the measures submitted last", "text", ("measures_submitted",), _MEASURES_KNOWN),
        Placeholder("instruction", "history", "批示", "the latest instruction", "text", ("instructed",), frozenset({"instructed"})),
        Placeholder(
            "agreed_date", "history", "最近约定的时间", "the date agreed last", "date", ("date_agreed",), frozenset({"date_agreed"})
        ),
        Placeholder("survey", "history", "勘查情况", "the findings of the latest survey", "text", ("surveyed",), frozenset({"surveyed"})),
        Placeholder(
            "result", "history", "处理结果", "the result of the latest handling", "text", ("handled",), frozenset({"handled", "verified"})
        ),
        Placeholder(
            "answer",
            "history",
            "答复内容",
            "the latest answer",
            "text",
            ("answered", "first_answered"),
            frozenset({"answered", "first_answered"}),
        ),
    )
}
"""Name → placeholder, in the order of the reference page."""


INSTANT_PLACEHOLDERS = frozenset({"received_at", "started_at", "due_at", "date", "until", "agreed_date"})
WORDS_OF_PERSONS = frozenset(
    {name for name, each in PLACEHOLDERS.items() if each.source in ("event", "history")}
    - INSTANT_PLACEHOLDERS
    - {"limit", "missing", "sanction", "compensation", "concealment", "call_result", "amount"}
)
"""Placeholders whose value a person wrote, of any length."""


def placeholders(text: str) -> list[str]:
    """The names in braces, in order."""
    return _PLACEHOLDER.findall(text)


def required_placeholders(text: str) -> list[str]:
    """The names in braces outside the optional parts, in order."""
    return placeholders(_OPTIONAL_PART.sub("", text))


def fill(text: str, values: Mapping[str, str], absent: str) -> str:
    """The text with each placeholder replaced by its value, or by `absent` if that is empty, and without optional parts that lack one.

    Raises `KeyError` for a placeholder that has no value, not even an empty one.
    """
    parts = []
    # The text is split before values are filled in, so that brackets in the words of a person stay words.
    for position, part in enumerate(_OPTIONAL_PART.split(text)):
        is_optional = position % 2 == 1
        if not is_optional or all(values[name] for name in placeholders(part)):
            parts.append(_PLACEHOLDER.sub(lambda match: values[match[1]] or absent, part))
    return "".join(parts)


def _checked(text: str) -> str:
    """The text, unchanged; raises `ValueError` for a placeholder that does not exist, a single brace or bracket, an idle optional part."""
    for name in placeholders(text):
        if name not in PLACEHOLDERS:
            near = get_close_matches(name, PLACEHOLDERS, n=1)
            remedy = f"write {{{near[0]}}}" if near else f"the placeholders are {', '.join(PLACEHOLDERS)}"
            raise ValueError(f"there is no placeholder {{{name}}}; {remedy}")
    if re.search(r"[{}]", _PLACEHOLDER.sub("", text)):
        raise ValueError("a brace without its partner; placeholders are written {number}")
    if re.search(r"[\[\]]", _OPTIONAL_PART.sub("", text)):
        raise ValueError("a bracket without its partner; a part to leave out without a value is written [date: {agreed_date}]")
    if not all(placeholders(part) for part in _OPTIONAL_PART.findall(text)):
        raise ValueError("a part in brackets names no placeholder; take the brackets away")
    return text


WordingText = Annotated[str, AfterValidator(_checked)]


class Wording(StrictModel):
    """The text of a message, in Chinese and English; placeholders are in the reference page on messages."""

    zh: WordingText
    en: WordingText

    def history(self) -> Iterator[Placeholder]:
        """The placeholders whose value is that of an earlier event."""
        for name in sorted(self.names):
            if PLACEHOLDERS[name].source == "history":
                yield PLACEHOLDERS[name]

    @property
    def names(self) -> frozenset[str]:
        """The placeholders of both languages."""
        return frozenset({*placeholders(self.zh), *placeholders(self.en)})

    @property
    def required_names(self) -> frozenset[str]:
        """The placeholders outside optional parts."""
        return frozenset({*required_placeholders(self.zh), *required_placeholders(self.en)})


def unfillable_placeholders(
    wording: Wording, triggers: Iterable[str], *, in_clock: bool, event_fields: dict[str, frozenset[str]]
) -> Iterator[str]:
    """The placeholders of a wording that cannot be filled when one of the trigger events happens; optional ones, when all of them happen.

    `event_fields` maps event id → its fields; a due entry of a clock has the events that start the clock as triggers.
    """
    events = [*triggers]
    for name in sorted(wording.names):
        placeholder = PLACEHOLDERS[name]
        among = all if name in wording.required_names else any
        match placeholder.source:
            case "clock" if not in_clock:
                yield name
            case "event" if in_clock or not among(placeholder.field in event_fields.get(event, ()) for event in events):
                yield name
            case "follow" if name in wording.required_names:
                yield name
            case "history" if name in wording.required_names and not all(event in placeholder.known_after for event in events):
                yield name
