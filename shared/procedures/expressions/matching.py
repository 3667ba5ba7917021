"""CEL's `matches` without compiling its pattern at every evaluation, which takes 50 to 100 times as long as the search itself."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from pydantic_core import SchemaError, SchemaValidator, core_schema

from shared.procedures.expressions.cel import cel
from shared.procedures.expressions.conditions import ROOTS, Condition, compiled

_CALL = re.compile(r"""('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")|\.matches\s*\(""")
_NAME = "text_matches"
_SEARCH = re.compile(r"complaint\.text\.matches\('([^'\\\n\r]*)'\)")
_FACT = re.compile(r"facts\.(\w+)")


@dataclass(frozen=True, slots=True)
class Expression:
    """A condition as it is evaluated many times: its program, which needs a context from `prepared`, and the roots that it reads.

    Most conditions say so little that they need no CEL: `search` is set where all is one search in the complaint's text, `fact` where
    all is one fact (which still needs the program if it is not true or false).
    """

    condition: Condition
    program: cel.Program
    roots: tuple[str, ...]
    search: Callable[[str], bool] | None = None
    fact: str = ""


def expression(source: str) -> Expression:
    """The expression of that source; raises `ValueError` that shows where its syntax is wrong."""
    condition = compiled(source)
    roots = tuple(name for name in condition.program.variables() if name in ROOTS)
    search, fact = _SEARCH.fullmatch(source), _FACT.fullmatch(source)
    return Expression(condition, program(condition), roots, _found(search[1]) if search else None, fact[1] if fact else "")


def program(condition: Condition) -> cel.Program:
    """The condition's program, its searches replaced by ours; it needs a context from `prepared`."""
    return condition.program if ".matches" not in condition.source else _program(condition.source)


def prepared(context: cel.Context) -> cel.Context:
    """The context with the function that `program` calls."""
    context.add_function(_NAME, _matches)
    return context


@lru_cache(maxsize=8192)
def _program(source: str) -> cel.Program:
    return cel.compile(_CALL.sub(lambda found: found[1] or f".{_NAME}(", source))


def _found(pattern: str) -> Callable[[str], bool] | None:
    try:
        return _search(pattern)
    except SchemaError:  # the program says so once it is evaluated
        return None


def _matches(text: str, pattern: str) -> bool:
    return _search(pattern)(text)


@lru_cache(maxsize=4096)
def _search(pattern: str) -> Callable[[str], bool]:
    """The pattern compiled once, by the very engine that CEL uses here (Rust's), so that both find the same."""
    return SchemaValidator(core_schema.str_schema(pattern=pattern)).isinstance_python
