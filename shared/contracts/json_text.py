"""Parses and bounds JSON from outside: no duplicate keys, NaN or Infinity, integers within 64 bits, at most 32 levels."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from pydantic_core import PydanticCustomError

MAX_DEPTH = 32
MAX_CONTAINERS = 100_000
MAX_VALUES = 500_000
"""Lists and objects, and values, of one body: a batch of 8 MB of nested lists blocked the process for 11 s and took 350 MB."""
MAX_OBJECT_CHARACTERS = 65_536
"""Characters of one object of facts, fields or figures, keys included; each number, true, false or null counts as 8."""
MAX_INT64 = 2**63 - 1
_MIN_INT64 = -(2**63)
_MAX_INT_DIGITS = 20
_SCALAR_CHARACTERS = 8
_CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f]")
_DEPTH_FAULT = f"nested deeper than {MAX_DEPTH} levels; send fewer"


class JsonTextError(ValueError):
    """A body that is not acceptable JSON; the message names rule and remedy, never the content."""


def parse_json_text(body: bytes) -> Any:
    """The JSON value of a body in UTF-8, with or without a byte order mark; raises `JsonTextError`.

    Two keys of one name would be read differently by the next parser on the way (RFC 8259, section 4), so they are refused.
    """
    # Brackets and commas within texts count as well: that errs on the side of refusing, far beyond what is written as text.
    if body.count(b"[") + body.count(b"{") > MAX_CONTAINERS or body.count(b",") > MAX_VALUES:
        raise JsonTextError(f"more than {MAX_CONTAINERS} lists and objects or {MAX_VALUES} values; send fewer at once")
    try:
        # RFC 8259, section 8.1, lets a parser ignore the byte order mark, which Windows programs write.
        value = _decode(body.decode("utf-8-sig"))
    except JsonTextError:
        raise
    except json.JSONDecodeError as error:
        raise JsonTextError(f"not JSON in UTF-8: line {error.lineno}, column {error.colno}") from None
    except (UnicodeDecodeError, RecursionError):
        raise JsonTextError("not JSON in UTF-8, or nested too deeply") from None
    if is_too_deep(value):
        raise JsonTextError(_DEPTH_FAULT)
    return value


def is_too_deep(value: Any) -> bool:
    """Whether lists and objects are nested deeper than MAX_DEPTH."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [child for item in level for child in _children(item) if isinstance(child, dict | list | tuple)]
        if not level:
            return False
    return True


def require_bounded_object(value: dict[str, Any]) -> dict[str, Any]:
    """The JSON object if depth, size and numbers are within the bounds; raises pydantic's error otherwise.

    A consumer without limits of its own (CEL, PostgreSQL's jsonb, a recursive copy) could not process it.
    """
    if is_too_deep(value):
        raise PydanticCustomError("too_deep", _DEPTH_FAULT)
    size, pending = 0, [value]
    while pending:
        item = pending.pop()
        size += sum(map(len, map(str, item))) if isinstance(item, dict) else len(item) if isinstance(item, str) else _SCALAR_CHARACTERS
        if size > MAX_OBJECT_CHARACTERS:
            raise PydanticCustomError("too_large", f"send at most {MAX_OBJECT_CHARACTERS} characters")
        if not _is_possible_number(item):
            raise PydanticCustomError("number_out_of_range", "send finite numbers, and integers within 64 bits")
        pending.extend(_children(item))
    return value


def without_nul(text: str) -> str:
    """The text with NUL replaced, as intake replaces it in submissions."""
    return text.replace("\x00", "\ufffd")


def require_single_line(text: str) -> str:
    """The text if it has no control characters, as the keys of records have none; raises pydantic's error otherwise."""
    if _CONTROL_CHARACTER.search(text):
        raise PydanticCustomError("control_character", "send it without control characters")
    return text


def _children(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list | tuple):
        yield from value


def _is_possible_number(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return not isinstance(value, int) or _MIN_INT64 <= value <= MAX_INT64


def _unique_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise JsonTextError("a key occurs twice in one object; keep one")
    return value


def _parse_int(digits: str) -> int:
    # Python reads integers of any length, in time that grows with the square of their digits.
    number = int(digits) if len(digits) <= _MAX_INT_DIGITS else MAX_INT64 + 1
    if not _MIN_INT64 <= number <= MAX_INT64:
        raise JsonTextError("an integer has more than 64 bits; send it as text")
    return number


def _parse_float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise JsonTextError("a number is too large for a double; send it as text")
    return number


def _refuse_constant(_: str) -> NoReturn:
    raise JsonTextError("NaN and Infinity are not JSON; leave them out")


_decode = json.JSONDecoder(
    object_pairs_hook=_unique_pairs, parse_int=_parse_int, parse_float=_parse_float, parse_constant=_refuse_constant
).decode
