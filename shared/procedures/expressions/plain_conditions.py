"""Evaluates plain conditions without CEL: names, literals, comparisons, searches in a text, membership, sizes, and what joins them.

CEL copies each value into its context and back: the conditions of an organisation's routes took 60 of 300 µs that triage needed for a
complaint, and those of a procedure a sixth of what sla needed to open its case. Where a value is missing or has another type than
expected, CEL evaluates the condition: what it does then is its own.
"""

import operator
import re
from collections.abc import Callable
from typing import Any, Final

from shared.procedures.expressions.pattern_search import compile_pattern

NameReader = Callable[[tuple[str, ...]], Any]
PlainCondition = Callable[[NameReader], bool]
"""Evaluates a condition with the values of its names; raises `UnclearValueError` where CEL has to."""
_Value = Callable[[NameReader], Any]
_TOKEN: Final = re.compile(
    r"""\s*(?:(?P<text>'[^'\\\r\n]*'|"[^"\\\r\n]*")|(?P<number>[0-9]{1,15}(?![\w.]))|(?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)|(?P<sign>&&|\|\||[=!<>]=|[<>!()\[\],]))"""
)
_ROOTS: Final = frozenset({"facts", "complaint", "case", "parameters", "says", "event", "last", "count"})
_ORDERS: Final[dict[str, Callable[[Any, Any], bool]]] = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_COMPARISONS: Final[dict[str, Callable[[Any, Any], bool]]] = {"==": operator.eq, "!=": operator.ne, **_ORDERS}
_TEXT_METHODS: Final[dict[str, Callable[[str, str], bool]]] = {
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "contains": operator.contains,
}
_LARGEST: Final = 1 << 63


class UnclearValueError(ValueError):
    """A value that a plain condition does not read: CEL has to."""


class _NotPlainError(ValueError):
    """Syntax that only CEL reads."""


def plain_condition(source: str) -> PlainCondition | None:
    """The condition, None for an expression that is not plain."""
    try:
        return _Parser(source).condition()
    except (_NotPlainError, ValueError):  # a pattern that RE2 cannot read too: CEL names it
        return None


class _Parser:
    """Reads an expression by CEL's precedence: `||`, `&&`, comparison, `!`."""

    def __init__(self, source: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at = 0
        source = source.rstrip()
        while at < len(source):
            match = _TOKEN.match(source, at)
            if match is None:
                raise _NotPlainError
            self._tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
            at = match.end()
        self._at = 0

    def condition(self) -> PlainCondition:
        """The whole expression."""
        value = self._any()
        if self._at < len(self._tokens):
            raise _NotPlainError
        return _truth(value)

    def _takes(self, token: str, kind: str = "sign") -> bool:
        taken = self._at < len(self._tokens) and self._tokens[self._at] == (kind, token)
        self._at += taken
        return taken

    def _any(self) -> _Value:
        value = self._all()
        while self._takes("||"):
            value = _either(_truth(value), _truth(self._all()))
        return value

    def _all(self) -> _Value:
        value = self._comparison()
        while self._takes("&&"):
            value = _both(_truth(value), _truth(self._comparison()))
        return value

    def _comparison(self) -> _Value:
        value = self._operand()
        if self._takes("in", kind="name"):
            return _member(value, self._texts() if self._takes("[") else self._operand())
        sign = next((sign for sign in _COMPARISONS if self._takes(sign)), None)
        return value if sign is None else _compared(sign, value, self._operand())

    def _operand(self) -> _Value:
        if self._takes("!"):
            return _negated(_truth(self._operand()))
        if self._takes("("):
            value = self._any()
            if not self._takes(")"):
                raise _NotPlainError
            return value
        kind, token = self._next()
        match kind:
            case "text":
                return _literal(token[1:-1])
            case "number":
                return _literal(int(token))
            case "name":
                return self._named(token)
        raise _NotPlainError

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise _NotPlainError
        self._at += 1
        return self._tokens[self._at - 1]

    def _texts(self) -> _Value:
        """A list of literal texts, behind its opening bracket."""
        texts: list[str] = []
        while not texts or self._takes(","):
            kind, token = self._next()
            if kind != "text":
                raise _NotPlainError
            texts.append(token[1:-1])
        if not self._takes("]"):
            raise _NotPlainError
        return _literal(texts)

    def _named(self, name: str) -> _Value:
        if name in ("true", "false"):
            return _literal(name == "true")
        if name == "size" and self._takes("("):
            value = self._operand()
            if not self._takes(")"):
                raise _NotPlainError
            return _sized(value)
        path = tuple(name.split("."))
        method = path[-1] if self._takes("(") else ""
        path = path[:-1] if method else path
        if path[:1] == path or path[0] not in _ROOTS:
            raise _NotPlainError
        if not method:
            return lambda read: read(path)
        kind, argument = self._next()
        if kind != "text" or not self._takes(")"):
            raise _NotPlainError
        return _called(method, path, argument[1:-1])


def _literal(value: Any) -> _Value:
    return lambda _: value


def _called(method: str, path: tuple[str, ...], argument: str) -> PlainCondition:
    """A method of a text with a literal argument."""
    if method == "matches":
        search = compile_pattern(argument)
        return lambda read: search(_text(read(path)))
    if method not in _TEXT_METHODS:
        raise _NotPlainError
    call = _TEXT_METHODS[method]
    return lambda read: call(_text(read(path)), argument)


def _sized(value: _Value) -> _Value:
    def size(read: NameReader) -> int:
        result = value(read)
        if type(result) not in (str, list, tuple):
            raise UnclearValueError
        return len(result)

    return size


def _member(value: _Value, collection: _Value) -> PlainCondition:
    def is_member(read: NameReader) -> bool:
        one, others = value(read), collection(read)
        if type(others) not in (list, tuple) or not all(type(item) is str for item in (one, *others)):
            raise UnclearValueError
        return one in others

    return is_member


def _text(value: Any) -> str:
    if type(value) is not str:
        raise UnclearValueError
    return value


def _truth(value: _Value) -> PlainCondition:
    def truth(read: NameReader) -> bool:
        result = value(read)
        if result is not True and result is not False:
            raise UnclearValueError
        return result

    return truth


def _negated(condition: PlainCondition) -> PlainCondition:
    return lambda read: not condition(read)


def _both(first: PlainCondition, second: PlainCondition) -> PlainCondition:
    return lambda read: first(read) and second(read)


def _either(first: PlainCondition, second: PlainCondition) -> PlainCondition:
    return lambda read: first(read) or second(read)


def _compared(sign: str, first: _Value, second: _Value) -> PlainCondition:
    compare, is_order = _COMPARISONS[sign], sign in _ORDERS

    def compared(read: NameReader) -> bool:
        one, other = first(read), second(read)
        kind = type(one)
        if kind is not type(other) or kind not in (str, bool, int) or (is_order and kind is not int):
            raise UnclearValueError
        if kind is int and max(abs(one), abs(other)) >= _LARGEST:
            raise UnclearValueError
        return compare(one, other)

    return compared
