"""CEL's `matches` without compiling its pattern at every evaluation, which takes 50 to 100 times as long as the search itself."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import cel
from pydantic_core import SchemaValidator, core_schema

from shared.procedures.conditions import ROOTS, Condition, compiled

_CALL = re.compile(r"""('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")|\.matches\s*\(""")
_NAME = "text_matches"


@dataclass(frozen=True, slots=True)
class Expression:
    """A condition as it is evaluated many times: its program, which needs a context from `prepared`, and the roots that it reads."""

    condition: Condition
    program: cel.Program
    roots: tuple[str, ...]


def expression(source: str) -> Expression:
    """The expression of that source; raises `ValueError` that shows where its syntax is wrong."""
    condition = compiled(source)
    return Expression(condition, program(condition), tuple(name for name in condition.program.variables() if name in ROOTS))


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


def _matches(text: str, pattern: str) -> bool:
    return _search(pattern)(text)


@lru_cache(maxsize=4096)
def _search(pattern: str) -> Callable[[str], bool]:
    """The pattern compiled once, by the very engine that CEL uses here (Rust's), so that both find the same."""
    return SchemaValidator(core_schema.str_schema(pattern=pattern)).isinstance_python
