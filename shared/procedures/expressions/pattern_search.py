"""CEL's `matches` without compiling its pattern at every evaluation, which takes 50 to 100 times as long as the search itself."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from pydantic_core import SchemaError, SchemaValidator, core_schema

from shared.procedures.expressions.cel_library import cel
from shared.procedures.expressions.conditions import ROOT_VARIABLES, Condition, compile_condition

_MATCHES_CALL = re.compile(r"""('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")|\.matches\s*\(""")
_MATCH_FUNCTION = "text_matches"
_TEXT_SEARCH_ONLY = re.compile(r"complaint\.text\.matches\('([^'\\\n\r]*)'\)")
_SINGLE_FACT_ONLY = re.compile(r"facts\.(\w+)")


@dataclass(frozen=True, slots=True)
class CompiledExpression:
    """A condition as it is evaluated many times: its program, which needs a context from `prepared`, and the roots that it reads.

    Most conditions say so little that they need no CEL: `search` is set where all is one search in the complaint's text, `fact` where
    all is one fact (which still needs the program if it is not true or false).
    """

    condition: Condition
    program: cel.Program
    root_variables: tuple[str, ...]
    text_search: Callable[[str], bool] | None = None
    single_fact: str = ""


def compile_expression(source: str) -> CompiledExpression:
    """The expression of that source; raises `ValueError` that shows where its syntax is wrong."""
    condition = compile_condition(source)
    roots = tuple(name for name in condition.program.variables() if name in ROOT_VARIABLES)
    search, fact = _TEXT_SEARCH_ONLY.fullmatch(source), _SINGLE_FACT_ONLY.fullmatch(source)
    return CompiledExpression(
        condition, program_with_cached_patterns(condition), roots, _search_or_none(search[1]) if search else None, fact[1] if fact else ""
    )


def program_with_cached_patterns(condition: Condition) -> cel.Program:
    """The condition's program, its searches replaced by ours; it needs a context from `prepared`."""
    return condition.program if ".matches" not in condition.source else _compile_program(condition.source)


def register_functions(cel_context: cel.Context) -> cel.Context:
    """The context with the function that `program` calls."""
    cel_context.add_function(_MATCH_FUNCTION, _match_pattern)
    return cel_context


@lru_cache(maxsize=8192)
def _compile_program(source: str) -> cel.Program:
    return cel.compile(_MATCHES_CALL.sub(lambda found: found[1] or f".{_MATCH_FUNCTION}(", source))


def _search_or_none(pattern: str) -> Callable[[str], bool] | None:
    try:
        return _compile_pattern(pattern)
    except SchemaError:  # the program says so once it is evaluated
        return None


def _match_pattern(text: str, pattern: str) -> bool:
    return _compile_pattern(pattern)(text)


@lru_cache(maxsize=4096)
def _compile_pattern(pattern: str) -> Callable[[str], bool]:
    """The pattern compiled once, by the very engine that CEL uses here (Rust's), so that both find the same."""
    return SchemaValidator(core_schema.str_schema(pattern=pattern)).isinstance_python
