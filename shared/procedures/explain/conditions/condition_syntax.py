"""The syntax tree of a CEL condition, for its description in words.

The CEL library compiles an expression and offers no tree, and words cannot be put in order token by token: brackets, negation and
lists need the structure.
"""

import re
from dataclasses import dataclass
from typing import Literal

_TOKENS = re.compile(
    r"""\s*(?:(?P<text>'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")|(?P<number>\d+(?:\.\d+)?)|(?P<word>[A-Za-z_]\w*)"""
    r"""|(?P<sign>&&|\|\||==|!=|>=|<=|[!<>()\[\],?:+.\-]))"""
)
_COMPARISONS = ("==", "!=", "<=", ">=", "<", ">", "in")


class ConditionSyntaxError(ValueError):
    """An expression outside the part of CEL that descriptions know."""


@dataclass(frozen=True, slots=True)
class Value:
    """A literal: text, number or truth value."""

    value: str | float | bool


@dataclass(frozen=True, slots=True)
class Name:
    """A dotted name such as `facts.urgent`; an index after it (`against[0]`) sets `first`."""

    path: tuple[str, ...]
    first: bool = False


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of expressions."""

    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """A negation."""

    operand: "Node"


@dataclass(frozen=True, slots=True)
class Logic:
    """Operands joined by `&&` or `||`."""

    operator: Literal["&&", "||"]
    operands: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison, or membership in a list (`in`)."""

    left: "Node"
    operator: str
    right: "Node"


@dataclass(frozen=True, slots=True)
class Choice:
    """`condition ? if_true : if_false`."""

    condition: "Node"
    if_true: "Node"
    if_false: "Node"


@dataclass(frozen=True, slots=True)
class Sum:
    """Texts joined by `+`."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function call; `target` is the expression before the dot of a method."""

    function: str
    target: "Node | None"
    arguments: tuple["Node", ...]


Node = Value | Name | ListOf | Not | Logic | Comparison | Choice | Sum | Call


def parse_condition(source: str) -> Node:
    """The tree of an expression; raises `ConditionSyntaxError` for one that descriptions do not know."""
    parser = _Parser(source)
    node = parser.choice()
    if parser.position < len(parser.tokens):
        raise ConditionSyntaxError(f"unexpected {parser.tokens[parser.position]} in the condition {source}")
    return node


def _tokens(source: str) -> list[str]:
    tokens, position, text = list[str](), 0, source.strip()
    while position < len(text):
        match = _TOKENS.match(text, position)
        if match is None:
            raise ConditionSyntaxError(f"cannot read {text[position:]} in the condition {source}")
        tokens.append(match.group().strip())
        position = match.end()
    return tokens


class _Parser:
    """Recursive descent, one method a level of precedence, lowest first."""

    def __init__(self, source: str) -> None:
        self.tokens = _tokens(source)
        self.position = 0

    def choice(self) -> Node:
        condition = self._logic("||")
        if not self._accept("?"):
            return condition
        if_true = self.choice()
        self._expect(":")
        return Choice(condition, if_true, self.choice())

    def _logic(self, operator: Literal["&&", "||"]) -> Node:
        operands = [self._operand_of(operator)]
        while self._accept(operator):
            operands.append(self._operand_of(operator))
        return operands[0] if len(operands) == 1 else Logic(operator, tuple(operands))

    def _operand_of(self, operator: Literal["&&", "||"]) -> Node:
        return self._logic("&&") if operator == "||" else self._comparison()

    def _comparison(self) -> Node:
        left = self._sum()
        if self._peek() not in _COMPARISONS:
            return left
        operator = self._next()
        return Comparison(left, operator, self._sum())

    def _sum(self) -> Node:
        parts = [self._unary()]
        while self._accept("+"):
            parts.append(self._unary())
        return parts[0] if len(parts) == 1 else Sum(tuple(parts))

    def _unary(self) -> Node:
        if self._accept("!"):
            return Not(self._unary())
        if self._accept("-"):
            operand = self._unary()
            if isinstance(operand, Value) and isinstance(operand.value, float):
                return Value(-operand.value)
            raise ConditionSyntaxError("a minus stands before a number only")
        return self._members(self._primary())

    def _primary(self) -> Node:
        if self._accept("("):
            node = self.choice()
            self._expect(")")
            return node
        if self._accept("["):
            return ListOf(self._arguments("]"))
        token = self._next()
        if token[0] in "'\"":
            return Value(re.sub(r"\\(.)", r"\1", token[1:-1]))
        if token[0].isdigit():
            return Value(float(token))
        if token in ("true", "false"):
            return Value(token.startswith("t"))
        if not token[0].isalpha() and token[0] != "_":
            raise ConditionSyntaxError(f"unexpected {token}")
        return Call(token, None, self._arguments(")")) if self._accept("(") else Name((token,))

    def _members(self, node: Node) -> Node:
        while True:
            if self._accept("["):
                self.choice()
                self._expect("]")
                node = Name(node.path, first=True) if isinstance(node, Name) else node
            elif self._accept("."):
                member = self._next()
                if self._accept("("):
                    node = Call(member, node, self._arguments(")"))
                elif isinstance(node, Name):
                    node = Name((*node.path, member))
                else:
                    raise ConditionSyntaxError(f"a member {member} of something that is no name")
            else:
                return node

    def _arguments(self, closing: str) -> tuple[Node, ...]:
        arguments = list[Node]()
        while not self._accept(closing):
            arguments.append(self.choice())
            if self._peek() != closing:
                self._expect(",")
        return tuple(arguments)

    def _peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        if not token:
            raise ConditionSyntaxError("the condition ends too early")
        self.position += 1
        return token

    def _accept(self, token: str) -> bool:
        if self._peek() != token:
            return False
        self.position += 1
        return True

    def _expect(self, token: str) -> None:
        if not self._accept(token):
            raise ConditionSyntaxError(f"{token} expected before {self._peek() or 'the end'}")
