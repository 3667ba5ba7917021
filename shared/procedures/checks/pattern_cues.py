"""Checks text patterns: whether they can be compiled, and whether facts that are read out of words regard negation."""

import re
from collections.abc import Iterator, Mapping

from shared.procedures.expressions.conditions import compile_condition
from shared.procedures.expressions.sense import compile_patterns
from shared.procedures.expressions.text_patterns import TextPattern, common_cues
from shared.procedures.model.finding import Finding
from shared.procedures.model.procedure import Procedure

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_SEARCH_IN_TEXT = re.compile(r"complaint\.(?:text|title|demand)\b[^&|]*?\.(?:matches|contains)\(")


def check_patterns(patterns: Mapping[str, TextPattern]) -> Iterator[Finding]:
    """Findings for patterns without expressions, with a name that no condition can read, or with bad syntax."""
    for name, pattern in patterns.items():
        if _NAME.fullmatch(name) is None:
            yield Finding(("patterns", name), f"patterns.{name}: a name has lower-case letters, digits and underscores; rename it")
        elif not all([*pattern.words, *pattern.matches]) or not (pattern.words or pattern.matches or pattern.library):
            yield Finding(
                ("patterns", name), f"patterns.{name} has no expression or an empty one; write words or matches, or name a library fact"
            )
        else:
            yield from _syntax_findings(name, pattern)


def check_senses(procedure: Procedure) -> Iterator[Finding]:
    """A warning for each derived fact that words set although they may be denied: `没有漏水` contains `漏水`."""
    patterns = {**common_cues().patterns, **procedure.patterns}
    for index, entry in enumerate(procedure.derived):
        if _SEARCH_IN_TEXT.search(entry.when):
            message = "searches the text for words without regard to negation, past or hearsay; declare patterns, and read says.<name>"
            yield Finding(("derived", index, "when"), message, "warning")
            continue
        for name in _patterns_of(entry.when):
            # A fact of the library has its negations as exceptions.
            if name in patterns and "negation" not in patterns[name].cues and not (patterns[name].topic or patterns[name].library):
                message = f"reads says.{name}, whose cues do not contain negation: 没有漏水 would show 漏水; add negation to its cues"
                yield Finding(("derived", index, "when"), message, "warning")


def _syntax_findings(name: str, pattern: TextPattern) -> Iterator[Finding]:
    try:
        compile_patterns({name: pattern}, {})
    except ValueError as error:
        yield Finding(("patterns", name, "matches"), str(error))


def _patterns_of(source: str) -> list[str]:
    try:
        return [path[1] for path in compile_condition(source).paths if path[0] == "says"]
    except ValueError:
        return []  # check_expressions reports it
