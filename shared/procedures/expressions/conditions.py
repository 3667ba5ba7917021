"""Conditions of procedures: CEL expressions, compiled once, that read only names which exist."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from shared.contracts.complaint import MaskedComplainant
from shared.contracts.events.empty_fields import EMPTY_EVENT_FIELDS, EMPTY_FIELDS_OF_ANY_EVENT
from shared.procedures.expressions.cel_library import cel

ROOT_VARIABLES = ("facts", "complaint", "case", "parameters", "event", "last", "count")
NamePath = tuple[str, ...]
NameReader = Callable[[NamePath], Any]
"""Gives the value of a path such as ('facts', 'urgent') or ('last', 'called_back', 'outcome')."""

COMPLAINT_FIELDS = frozenset(
    [
        "case",
        "number",
        "source",
        "external_id",
        "received_at",
        "registered_at",
        "channel",
        "channel_family",
        "kind",
        "title",
        "text",
        "object",
        "demand",
        "place",
        "product",
        "against",
        "happened_at",
        "attachments",
        "missing",
    ]
)
COMPLAINANT_FIELDS = frozenset(MaskedComplainant.model_fields)
CASE_FIELDS = frozenset(
    [
        "class",
        "rule",
        "kind",
        "subject",
        "department",
        "cooperating",
        "status",
        "open",
        "level",
        "handler",
        "owner",
        "number",
        "received_at",
        "registered_at",
        "received_day",
        "approved",
        "accepted",
        "suspended",
        "links",
        "agreed_date",
    ]
)
_STRING_LITERAL = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\"""")
_NAME_PATH = re.compile(r"(?<![\w.])(" + "|".join(ROOT_VARIABLES) + r")((?:\.\w+(?!\w*\s*\())*)(\s*\[)?")


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled expression and the paths that it reads."""

    source: str
    paths: tuple[NamePath, ...]
    program: cel.Program

    def evaluate(self, read_name: NameReader) -> Any:
        """The expression's value; raises `ValueError` naming the expression if it cannot be evaluated."""
        context: dict[str, Any] = {}
        for path in self.paths:
            node = context
            for name in path[:-1]:
                node = node.setdefault(name, {})
            node[path[-1]] = read_name(path)
        try:
            return self.program.execute(context)
        except (LookupError, TypeError, ValueError, RuntimeError) as error:
            raise ValueError(f"the condition «{self.source}» cannot be evaluated: {error}") from error

    def holds(self, read_name: NameReader) -> bool:
        """Whether the condition holds; raises `ValueError` if its value is not true or false."""
        value = self.evaluate(read_name)
        if value is not True and value is not False:  # 1 and 0 are not meant
            raise ValueError(f"the condition «{self.source}» gives {value!r}; it has to give true or false")
        return value


@lru_cache(maxsize=8192)
def compile_condition(source: str) -> Condition:
    """The condition for an expression; raises `ValueError` that shows where its syntax is wrong."""
    bare = _STRING_LITERAL.sub("''", source)
    paths = []
    for root, rest, index in _NAME_PATH.findall(bare):
        if index and not rest:
            raise ValueError(f"«{source}»: write {root}.name, not {root}[…]")
        paths.append((root, *rest.strip(".").split(".")) if rest else (root,))
    return Condition(source, tuple(dict.fromkeys(path for path in paths if len(path) > 1)), cel.compile(source))


def unknown_names(source: str, fact_names: frozenset[str], parameter_names: frozenset[str], event_id: str | None = None) -> list[str]:
    """The names in an expression that no case will ever have, each with what would be right; raises `ValueError` for bad syntax."""
    condition = compile_condition(source)
    wrong = [
        f"{name}: variables are {', '.join(ROOT_VARIABLES)}"
        for name in condition.program.variables()
        if _is_undefined_variable(name, source)
    ]
    return wrong + [message for path in condition.paths if (message := _unknown_name_message(path, fact_names, parameter_names, event_id))]


def _is_undefined_variable(name: str, source: str) -> bool:
    macro = re.search(r"\.(exists|exists_one|all|map|filter)\(\s*" + re.escape(name) + r"\s*,", source)
    return name not in ROOT_VARIABLES and macro is None


def _unknown_name_message(path: NamePath, facts: frozenset[str], parameters: frozenset[str], event: str | None) -> str | None:
    root, name = path[0], path[1]
    if root in ("last", "count") and name not in EMPTY_EVENT_FIELDS:
        return f"{'.'.join(path)}: no event is called {name}"
    if root == "last":
        return (
            None
            if path[2:] and path[2] in EMPTY_EVENT_FIELDS[name]
            else f"{'.'.join(path)}: {name} has {_sorted_names(EMPTY_EVENT_FIELDS[name])}"
        )
    known = {
        "facts": facts,
        "parameters": parameters,
        "case": CASE_FIELDS,
        "complaint": COMPLAINT_FIELDS | {"complainant"},
        "event": EMPTY_EVENT_FIELDS[event] if event else EMPTY_FIELDS_OF_ANY_EVENT,
        "count": EMPTY_EVENT_FIELDS,
    }[root]
    if name not in known:
        return f"{'.'.join(path)}: {root} has {_sorted_names(known)}"
    if path[:2] == ("complaint", "complainant") and not set(path[2:3]) & COMPLAINANT_FIELDS:
        return f"{'.'.join(path)}: complaint.complainant has {_sorted_names(COMPLAINANT_FIELDS)}"
    return None


def _sorted_names(names: Any) -> str:
    return ", ".join(sorted(names)) or "nothing"
