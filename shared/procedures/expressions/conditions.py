"""Conditions of procedures: CEL expressions that are compiled once and checked for unknown names."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from shared.contracts.complaint import MaskedComplainant
from shared.contracts.events.empty_fields import EMPTY_EVENT_FIELDS, EMPTY_FIELDS_OF_ANY_EVENT
from shared.procedures.expressions.cel_library import cel
from shared.procedures.expressions.date_arithmetic import MONTHS_AFTER
from shared.procedures.expressions.pattern_search import CEL_FUNCTIONS, rename_matches
from shared.procedures.expressions.plain_conditions import PlainCondition, UnclearValueError, plain_condition

ROOT_VARIABLES = ("facts", "complaint", "case", "parameters", "says", "event", "last", "count")
NamePath = tuple[str, ...]
"""The parts of a name: ("last", "called_back", "outcome") for `last.called_back.outcome`."""
NameReader = Callable[[NamePath], Any]
"""Returns the value of a name; it may raise `KeyError` for an unknown one."""

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
        "residents_agreed",
        "residents_disagreed",
    ]
)
_STRING_LITERAL = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*\"""")
_NAME_PATH = re.compile(r"(?<![\w.])(" + "|".join(ROOT_VARIABLES) + r")((?:\.\w+(?!\w*\s*\())*)(\s*\[)?")


class UnevaluableConditionError(ValueError):
    """An expression that has no value for one case, or none of the type that it needs; the text names the expression."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled expression with the names that it reads.

    `program` needs a context with `functions` and with the names in `paths`, whose first parts are `root_variables`. `pattern` is
    the name of the text pattern where the whole expression is `says.<name>`. `plain` evaluates an expression that needs no CEL.
    """

    source: str
    paths: tuple[NamePath, ...]
    root_variables: tuple[str, ...]
    program: cel.Program
    functions: Mapping[str, Callable[..., Any]] = field(default_factory=dict, compare=False)
    pattern: str = ""
    plain: PlainCondition | None = field(default=None, compare=False)

    def evaluate(self, read_name: NameReader) -> Any:
        """The expression's value; raises `UnevaluableConditionError` if it cannot be evaluated."""
        context: dict[str, Any] = dict(self.functions)
        for path in self.paths:
            node = context
            for name in path[:-1]:
                node = node.setdefault(name, {})
            node[path[-1]] = read_name(path)
        try:
            return self.program.execute(context)
        except (ArithmeticError, LookupError, TypeError, ValueError, RuntimeError) as error:  # the library raises no error class of its own
            raise UnevaluableConditionError(f"the condition «{self.source}» cannot be evaluated: {error}") from error

    def holds(self, read_name: NameReader) -> bool:
        """Whether the condition holds; raises `UnevaluableConditionError` if its value is not true or false."""
        if self.plain is not None:
            try:
                return self.plain(read_name)
            except UnclearValueError:
                pass
        value = self.evaluate(read_name)
        if value is not True and value is not False:  # 1 == True, but CEL has no truth for numbers
            raise UnevaluableConditionError(f"the condition «{self.source}» gives {value!r}; it has to give true or false")
        return value


@lru_cache(maxsize=8192)  # all conditions of some hundred versions of packs
def compile_condition(source: str) -> Condition:
    """The condition for an expression; raises `ValueError` that shows where its syntax is wrong."""
    program = cel.compile(source)
    roots = tuple(name for name in program.variables() if name in ROOT_VARIABLES)
    if ".matches" not in source:
        paths = _name_paths(source)
        pattern = paths[0][1] if len(paths) == 1 and paths[0][0] == "says" and source.strip() == ".".join(paths[0]) else ""
        functions = CEL_FUNCTIONS if MONTHS_AFTER in source else {}
        return Condition(source, paths, roots, program, functions, pattern=pattern, plain=plain_condition(source))
    renamed = cel.compile(rename_matches(source))
    return Condition(source, _name_paths(source), roots, renamed, CEL_FUNCTIONS, plain=plain_condition(source))


def _name_paths(source: str) -> tuple[NamePath, ...]:
    """The names in an expression, each once; CEL's library lists the variables, but not the fields that are read of them."""
    paths: dict[NamePath, None] = {}
    for root, fields, index in _NAME_PATH.findall(_STRING_LITERAL.sub("''", source)):
        if index and not fields:
            raise ValueError(f"«{source}»: write {root}.name, not {root}[…]")
        if fields:
            paths[root, *fields.strip(".").split(".")] = None
    return tuple(paths)


def unknown_names(
    source: str,
    fact_names: frozenset[str],
    parameter_names: frozenset[str],
    event_id: str | None = None,
    pattern_names: frozenset[str] = frozenset(),
    case_fields: frozenset[str] = CASE_FIELDS,
) -> list[str]:
    """A message for each name in an expression that no case has, with the names that exist; raises `ValueError` for bad syntax."""
    condition = compile_condition(source)
    undefined = [name for name in condition.program.variables() if name not in ROOT_VARIABLES and not _is_macro_variable(name, source)]
    wrong = [f"{name}: variables are {', '.join(ROOT_VARIABLES)}" for name in undefined]
    known: Mapping[str, Iterable[str]] = {"facts": fact_names, "parameters": parameter_names, "says": pattern_names, "case": case_fields}
    return wrong + [message for path in condition.paths if (message := _unknown_name_message(path, known, event_id))]


def _is_macro_variable(name: str, source: str) -> bool:
    """Whether a macro such as `links.exists(x, x == …)` binds the variable; the library lists those among the others."""
    return re.search(r"\.(exists|exists_one|all|map|filter)\(\s*" + re.escape(name) + r"\s*,", source) is not None


def _unknown_name_message(path: NamePath, declared: Mapping[str, Iterable[str]], event: str | None) -> str | None:
    root, name = path[0], path[1]
    if root in ("last", "count") and name not in EMPTY_EVENT_FIELDS:
        return f"{'.'.join(path)}: no event is called {name}"
    if root == "last":
        fields = EMPTY_EVENT_FIELDS[name]
        return None if path[2:] and path[2] in fields else f"{'.'.join(path)}: {name} has {_sorted_names(fields)}"
    known: Mapping[str, Iterable[str]] = {
        **declared,
        "complaint": COMPLAINT_FIELDS | {"complainant"},
        "event": EMPTY_EVENT_FIELDS[event] if event else EMPTY_FIELDS_OF_ANY_EVENT,
        "count": EMPTY_EVENT_FIELDS,
    }
    if name not in known[root]:
        return f"{'.'.join(path)}: {root} has {_sorted_names(known[root])}"
    if path[:2] == ("complaint", "complainant") and not set(path[2:3]) & COMPLAINANT_FIELDS:
        return f"{'.'.join(path)}: complaint.complainant has {_sorted_names(COMPLAINANT_FIELDS)}"
    return None


def _sorted_names(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"
