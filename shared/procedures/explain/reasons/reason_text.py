"""Translates a reason that a service gave, with the names of its procedure in place of ids."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final, NamedTuple

from shared.contracts.actions import ACTION_DEFINITIONS
from shared.procedures.explain.procedure_texts import ProcedureTexts
from shared.procedures.explain.reasons.reason_phrases import CODES, PHRASES

_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
_SEPARATOR: Final = re.compile(r", | or | and ")
_LONGEST: Final = 1000
"""Longer texts are people's own: matching takes a time that grows with the square of the length."""
_CODES: Final = {code: names for code, *names in CODES}


class _Phrase(NamedTuple):
    pattern: re.Pattern[str]
    zh: str
    en: str


def reason_text(language: str, reason: str, texts: ProcedureTexts | None = None) -> str:
    """The reason in words of the language; as it was given where no phrase fits, such as what a person wrote."""
    if texts is not None and " / " in reason:
        # The reason of a procedure's own rule, in both languages.
        return texts.own_language_part(reason)
    if len(reason) > _LONGEST:
        return reason
    code, colon, rest = reason.partition(":")
    if code in _CODES:
        zh, en = _CODES[code]
        return f"{zh if language == 'zh' else en}{colon}{rest}"
    for phrase in _phrases():
        if match := phrase.pattern.fullmatch(reason):
            values = {name: _named(language, name, value, texts) for name, value in match.groupdict().items()}
            return (phrase.zh if language == "zh" else phrase.en).format(**values)
    # Which action was refused is known where the reason is shown.
    return reason_text(language, rest.strip(), texts) if code in ACTION_DEFINITIONS and rest else reason


@cache
def _phrases() -> tuple[_Phrase, ...]:
    return tuple(_Phrase(_pattern(source), zh, source) for source, zh in PHRASES)


def _pattern(source: str) -> re.Pattern[str]:
    parts = _PLACEHOLDER.split(source)
    pattern = "".join(f"(?P<{part}>.+?)" if number % 2 else re.escape(part) for number, part in enumerate(parts))
    return re.compile(pattern, re.DOTALL)


def _named(language: str, kind: str, value: str, texts: ProcedureTexts | None) -> str:
    if kind == "reason":
        return reason_text(language, value, texts)
    if texts is None:
        return value
    names: Mapping[str, Callable[[str], str]] = {
        "action": texts.action,
        "event": texts.event,
        "role": texts.role,
        "class": texts.class_,
        "clock": lambda clock: next((texts.title(each) for each in texts.procedure.clocks if each.id == clock), clock),
        "field": texts.path_name,
        "fact": texts.fact,
        "condition": texts.condition,
    }
    if kind in names:
        return names[kind](value)
    if (single := {"classes": "class"}.get(kind, kind.removesuffix("s"))) in names:
        return texts.choose("、", ", ").join(names[single](each) for each in _SEPARATOR.split(value))
    return value
