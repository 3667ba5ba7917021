"""A CEL condition in words: `!facts.urgent && case.class == 'valid'` → “Urgent” does not apply and the class is “Valid complaint”."""

from collections.abc import Sequence
from typing import Literal, TypeGuard

from shared.procedures.explain.conditions import comparison_text
from shared.procedures.explain.conditions.condition_syntax import (
    Choice,
    Comparison,
    ConditionSyntaxError,
    ListOf,
    Logic,
    Name,
    Node,
    Not,
    Value,
    parse_condition,
)
from shared.procedures.explain.conditions.operand_text import fact_is_true_by_default, operand_text
from shared.procedures.explain.names import ProcedureNames

_OPPOSITES = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def condition_text(names: ProcedureNames, source: str) -> str:
    """A condition in words; one that is beyond the known forms is quoted as it is written."""
    node = _parsed(source)
    if node is None:
        written = names.quote(" ".join(source.split()))
        return names.choose(f"符合规程数据中所写的条件{written}", f"the condition {written} of the procedure's data holds")
    return _text(names, _normalise(node))


def doer_text(names: ProcedureNames, source: str) -> str:
    """The roles that a condition asks for, if it asks for nothing else: `event.role == 'chief'`; else empty."""
    match _parsed(source):
        case Comparison(left=Name(path=("event", "role")), operator="==", right=Value(value=str(role))):
            return names.role_phrase(role)
        case Comparison(left=Name(path=("event", "role")), operator="in", right=ListOf(items=items)):
            return names.join_list([names.role_phrase(str(item.value)) for item in items if isinstance(item, Value)])
    return ""


def _parsed(source: str) -> Node | None:
    """The tree of a condition; None for one that is beyond the known forms."""
    try:
        return parse_condition(source)
    except ConditionSyntaxError:
        return None


def operand_words(names: ProcedureNames, source: str) -> str:
    """An expression for a text, such as the key of a group, in words."""
    node = _parsed(source)
    return names.quote(source) if node is None else operand_text(names, node)


def split_conditional_key(source: str) -> tuple[str, Node, Node] | None:
    """A group's key to which only some cases belong: `product == '' ? '' : product` → ("unless", condition, key)."""
    node = _parsed(source)
    if isinstance(node, Choice) and node.if_false == Value(""):
        return "if", node.condition, node.if_true
    if isinstance(node, Choice) and node.if_true == Value(""):
        return "unless", node.condition, node.if_false
    return None


def node_text(names: ProcedureNames, node: Node, *, negated: bool = False) -> str:
    """The text of a part of a condition, or of its negation."""
    return _text(names, _normalise(Not(node) if negated else node))


# De Morgan's laws turn `!(a || b)` into two denials: in Chinese a denial in front of a bracket is read as denying its first part only.
def _normalise(node: Node, *, negated: bool = False) -> Node:
    """The node with negation in the comparisons and facts only, so that no sentence contains `not (A or B)`."""
    match node:
        case Not(operand=operand):
            return _normalise(operand, negated=not negated)
        case Logic(operator=operator, operands=operands):
            other: Literal["&&", "||"] = "&&" if operator == "||" else "||"
            return _joined(other if negated else operator, [_normalise(operand, negated=negated) for operand in operands])
        case Comparison(operator=operator) if negated and operator in _OPPOSITES:
            return Comparison(node.left, _OPPOSITES[operator], node.right)
        case Value(value=bool()) if negated:
            return Value(not node.value)
        case Choice():
            branches = (_normalise(part, negated=negated) for part in (node.if_true, node.if_false))
            return Choice(_normalise(node.condition), *branches)
    return Not(node) if negated else node


def _joined(operator: Literal["&&", "||"], operands: list[Node]) -> Node:
    """Operands joined, without brackets that change nothing: `a && (b && c)`, or a list that is asked for one of two values."""
    flat = list[Node]()
    for operand in operands:
        flat += operand.operands if isinstance(operand, Logic) and operand.operator == operator else (operand,)
    merged = _merge_memberships(flat, operator)
    return merged[0] if len(merged) == 1 else Logic(operator, tuple(merged))


def _merge_memberships(operands: list[Node], operator: str) -> list[Node]:
    """`'a' in list || 'b' in list` as one question: whether the list has one of them."""
    merged = list[Node]()
    for operand in operands:
        previous = merged[-1] if merged else None
        if operator == "||" and _asks_membership(operand) and _asks_membership(previous) and operand.right == previous.right:
            values = previous.left.items if isinstance(previous.left, ListOf) else (previous.left,)
            merged[-1] = Comparison(ListOf((*values, operand.left)), "in", operand.right)
        else:
            merged.append(operand)
    return merged


def _asks_membership(node: Node | None) -> TypeGuard[Comparison]:
    """Whether a node asks whether a list of the case has a value."""
    return isinstance(node, Comparison) and node.operator == "in" and isinstance(node.left, Value | ListOf) and isinstance(node.right, Name)


def _text(names: ProcedureNames, node: Node) -> str:
    match node:
        case Logic():
            return _logic_text(names, node)
        case Choice(condition=condition, if_true=if_true, if_false=if_false):
            when, then, otherwise = (_text(names, part) for part in (condition, if_true, if_false))
            return names.choose(f"（{when}时，{then}；否则，{otherwise}）", f"(where {when}, {then}; otherwise, {otherwise})")
        case Value(value=bool() as value):
            return names.choose("总是" if value else "从不", "always" if value else "never")
        case Not(operand=operand):
            return comparison_text.statement(names, operand, positive=False)
    return comparison_text.statement(names, node, positive=True)


def _logic_text(names: ProcedureNames, node: Logic) -> str:
    """Operands with `and` or `or`; an `or` inside an `and`, or the reverse, is bracketed; facts of one kind share one predicate."""
    parts = list[str]()
    rest = list(node.operands)
    while rest:
        same = _same_predicate(names, rest, node.operator)
        if len(same) > 1:
            parts.append(_facts_text(names, same, node.operator))
            rest = [operand for operand in rest if operand not in same]
            continue
        operand = rest.pop(0)
        text = _text(names, operand)
        parts.append(_bracketed(names, text) if isinstance(operand, Logic) else text)
    word = {"&&": names.choose("，且", " and "), "||": names.choose("，或", " or ")}[node.operator]
    return word.join(parts)


def _bracketed(names: ProcedureNames, text: str) -> str:
    return names.choose(f"（{text}）", f"({text})")


def _same_predicate(names: ProcedureNames, operands: Sequence[Node], operator: str) -> list[Node]:
    """The facts among the operands that share the predicate of the first: all hold, or (with `and`) none holds."""
    first = operands[0]
    if _fact_of(names, first) is None or (isinstance(first, Not) and operator == "||"):
        return []
    return [
        operand
        for operand in operands
        if _fact_of(names, operand) is not None
        and isinstance(operand, Not) == isinstance(first, Not)
        and fact_is_true_by_default(names, operand) == fact_is_true_by_default(names, first)
    ]


def _fact_of(names: ProcedureNames, node: Node) -> str | None:
    """The name of the truth-valued fact that a node is, or denies."""
    inner = node.operand if isinstance(node, Not) else node
    return inner.path[1] if isinstance(inner, Name) and comparison_text.is_truth_fact(names, inner) else None


def _facts_text(names: ProcedureNames, operands: Sequence[Node], operator: str) -> str:
    titles = [names.quote(names.fact(_fact_of(names, operand) or "")) for operand in operands]
    positive = not isinstance(operands[0], Not)
    by_default = fact_is_true_by_default(names, operands[0])
    conjunction = ("和", "and") if positive and operator == "&&" else ("或", "or" if positive else "nor")
    return comparison_text.facts_statement(names, names.join_list(titles, conjunction), len(titles), positive, by_default)
