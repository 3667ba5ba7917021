"""Single statements of a condition in words: facts, comparisons, membership, presence, text search."""

from collections.abc import Sequence

from shared.procedures.explain.conditions.condition_syntax import Call, Comparison, ListOf, Name, Node, Value
from shared.procedures.explain.conditions.operand_text import fact_is_true_by_default, name_text, operand_text, value_text
from shared.procedures.explain.conditions.presence_text import field_label, flag_text, is_flag, presence_text
from shared.procedures.explain.conditions.search_text import attached_files_text, pattern_text, search_text
from shared.procedures.explain.names import ProcedureNames
from shared.procedures.explain.value_names import VALUE_NAMES
from shared.procedures.expressions.date_arithmetic import MONTHS_AFTER

_EPOCH = "1970-01-0"
"""Packs compare an instant with the start of 1970 to ask whether it is set: an absent instant reads as that moment."""
_NUMBER_WORDS = {
    ">=": ("不少于", "is at least"),
    "<": ("不足", "is less than"),
    "<=": ("不超过", "is at most"),
    ">": ("超过", "is more than"),
}
_TIME_WORDS = {
    ">=": ("不早于", "is not earlier than"),
    "<": ("早于", "is earlier than"),
    "<=": ("不晚于", "is not later than"),
    ">": ("晚于", "is later than"),
}
# country-garden 3.8 includes the very day on which the months are over, realestate-engineering 4.1.4 does not.
_MONTH_WORDS = {">=": ("已满", "at least"), "<": ("不满", "less than"), "<=": ("未超过", "not more than"), ">": ("已超过", "more than")}


def is_truth_fact(names: ProcedureNames, node: Node) -> bool:
    """Whether the node names a fact that is true or false."""
    if not isinstance(node, Name) or node.path[0] != "facts":
        return False
    fact = names.procedure.facts.get(node.path[1])
    return fact is None or fact.type == "bool"


# 认定 asks for somebody's finding; a fact that is assumed needs none, so that it is 为是 or 为否, as its declaration says.
def facts_statement(names: ProcedureNames, titles: str, count: int, positive: bool, true_by_default: bool) -> str:
    """That facts apply or do not; `titles` are joined, `count` is their number."""
    if names.is_chinese:
        if true_by_default:
            return f"{titles}为{'是' if positive else '否'}"
        return f"{'认定' if positive else '未认定'}{titles}"
    if positive:
        return f"{titles} {'apply' if ' and ' in titles and count > 1 else 'applies'}"
    return f"neither {titles} applies" if count > 1 else f"{titles} does not apply"


def statement(names: ProcedureNames, node: Node, *, positive: bool) -> str:
    """A fact, comparison or call in words, or its opposite."""
    match node:
        case Name() if is_truth_fact(names, node):
            return facts_statement(names, names.quote(names.fact(node.path[1])), 1, positive, fact_is_true_by_default(names, node))
        case Name() if is_flag(node):
            return flag_text(names, node, positive=positive)
        case Name(path=("says", pattern)):
            return pattern_text(names, pattern, positive=positive)
        case Call(function="matches" | "contains" | "startsWith" | "endsWith"):
            return search_text(names, node, positive=positive)
        case Call(function="exists", target=Name() as target, arguments=(_, Comparison(operator="in", right=ListOf(items=items)))):
            return _membership_text(names, target, items, positive=positive)
        case Call(function="exists", target=Name(path=(_, "attachments")), arguments=(_, Call(function="matches", arguments=(ending,)))):
            return attached_files_text(names, ending, positive=positive)
        case Comparison():
            return _comparison_text(names, node, positive=positive)
    text = operand_text(names, node)
    return text if positive else names.choose(f"并非{text}", f"not {text}")


def _comparison_text(names: ProcedureNames, node: Comparison, *, positive: bool) -> str:
    left, right = node.left, node.right
    positive = positive != (node.operator == "!=")
    if node.operator == "in":
        if isinstance(left, Value | ListOf) and isinstance(right, Name):
            return _membership_text(names, right, left.items if isinstance(left, ListOf) else (left,), positive=positive)
        if isinstance(left, Name) and isinstance(right, ListOf):
            return _one_of_text(names, left, right.items, positive=positive)
    happened = _happened_text(names, node)
    if happened is not None:
        return happened
    present = _presence(node)
    if present is not None:
        return presence_text(names, present[0], positive=present[1])
    if node.operator in ("==", "!="):
        return _one_of_text(names, left, (right,), positive=positive) if isinstance(left, Name) else _generic_text(names, node)
    return _ordered_text(names, node)


def _happened_text(names: ProcedureNames, node: Comparison) -> str | None:
    """`count.handled == 0` and the like: whether an event has happened; None for another comparison."""
    if not isinstance(node.left, Name) or node.left.path[0] != "count" or not isinstance(node.right, Value):
        return None
    bound = (node.operator, node.right.value)
    if bound in ((">", 0.0), (">=", 1.0), ("!=", 0.0)):
        return names.happened(node.left.path[1], positive=True)
    return names.happened(node.left.path[1], positive=False) if bound in (("==", 0.0), ("<", 1.0), ("<=", 0.0)) else None


def _presence(node: Comparison) -> tuple[Name, bool] | None:
    """The name whose presence a comparison asks for, and whether it has to be present; None for another comparison."""
    left, right, operator = node.left, node.right, node.operator
    if isinstance(left, Call) and left.function == "size" and isinstance(right, Value) and isinstance(left.arguments[0], Name):
        return left.arguments[0], (operator, right.value) in ((">", 0.0), (">=", 1.0), ("!=", 0.0))
    if not isinstance(left, Name):
        return None
    if right == Value("") and operator in ("==", "!="):
        return left, operator == "!="
    if isinstance(right, Call) and right.function == "timestamp" and str(_argument(right)).startswith(_EPOCH):
        return left, operator in (">", ">=")
    return None


def _argument(call: Call) -> object:
    return call.arguments[0].value if call.arguments and isinstance(call.arguments[0], Value) else ""


def _membership_text(names: ProcedureNames, container: Name, items: Sequence[Node], *, positive: bool) -> str:
    """That a list of the case contains one of some values."""
    ids = [str(item.value) for item in items if isinstance(item, Value)]
    if container.path == ("event", "facts"):
        titles = names.join_list([names.quote(names.fact(name)) for name in ids])
        changes = names.choose(f"涉及{titles}", f"changes {titles}" if positive else f"change {titles}")
        return names.choose(f"本次更正{'' if positive else '不'}{changes}", f"the amendment {'' if positive else 'does not '}{changes}")
    fields = names.join_list([field_label(names, name) for name in ids], ("或", "or" if positive else "nor"))
    if container.path[-1] == "missing":
        verb = ("缺少", "is missing") if positive else ("不缺", "is given")
        return names.choose(f"{verb[0]}{fields}", f"the {fields} {verb[1]}")
    if container.path[-1] == "has":
        few = "" if positive or len(ids) == 1 else "中的任何一项"
        return names.choose(
            f"投诉人{'已' if positive else '未'}提供{fields}{few}",
            f"the complainant gave {'' if positive else 'neither ' if len(ids) > 1 else 'no '}{fields}",
        )
    titles = names.join_list([value_text(names, item) for item in items if isinstance(item, Value)])
    text = name_text(names, container)
    return names.choose(f"{text}{'' if positive else '不'}含{titles}", f"{text} {'includes' if positive else 'does not include'} {titles}")


def _one_of_text(names: ProcedureNames, left: Name, items: Sequence[Node], *, positive: bool) -> str:
    """That a name has one of some values, or none of them."""
    if left.path == ("event", "role") or (left.path[0] == "last" and left.path[-1] == "role"):
        return _actor_text(names, left, items, positive=positive)
    if left.path[0] == "parameters" and names.procedure.parameters[left.path[1]].options:
        choices = names.join_list([names.reading_choice(left.path[1], str(item.value)) for item in items if isinstance(item, Value)])
        return names.choose(
            f"本组织{'' if positive else '未'}采用{choices}", f"the organisation {'uses' if positive else 'does not use'} {choices}"
        )
    if left.path == ("case", "level") and items == (Value(0.0),):
        return names.choose(
            f"管理层级{'尚未' if positive else '已'}上浮", f"the management level has {'not ' if positive else ''}been raised"
        )
    if left.path[-1] in ("day", "received_day") and isinstance(items[0], Name):
        return _same_day_text(names, left, items[0], positive=positive)
    values = [item for item in items if item != Value("")]
    subject, texts = _subject(names, left), [_value_of(names, left, item) for item in values]
    if names.is_chinese:
        text = f"{subject}{'为' if positive else '不是'}{names.join_list(texts)}"
    elif len(texts) > 1 and not positive:
        text = f"{subject} is neither {names.join_list(texts, ('', 'nor'))}"
    else:
        text = f"{subject} is {'' if positive else 'not '}{names.join_list(texts)}"
    if len(values) == len(items):
        return text
    absent = presence_text(names, left, positive=False)
    return names.choose(f"{absent}，或{text}", f"{absent} or {text}")


def _same_day_text(names: ProcedureNames, left: Name, right: Name, *, positive: bool) -> str:
    """`event.day == case.received_day`: it is on the day of receipt."""
    not_ = "" if positive else names.choose("不", "not ")
    if right.path[0] == "last":
        day = names.choose(f"{names.latest(right.path[1])}当日", f"on the day of {names.latest(right.path[1])}")
    else:
        day = names.choose("收到投诉当日", "on the day of receipt")
    subject = names.choose("", "it") if left.path[0] == "event" else name_text(names, left)
    return names.choose(f"{subject}{not_}在{day}", f"{subject} is {not_}{day}")


def _subject(names: ProcedureNames, left: Name) -> str:
    if left.path[-2:] == ("complainant", "kind"):
        return names.choose("投诉人", "the complainant")
    if left.path == ("event", "to"):
        return names.choose("接收方", "the receiver")
    if left.path == ("event", "to_role"):
        return names.choose("被指定者", "the person named")
    if left.path == ("complaint", "channel_family"):
        return names.choose("来件方式", "the channel")
    return name_text(names, left)


def _value_of(names: ProcedureNames, left: Name, item: Node) -> str:
    if not isinstance(item, Value):
        return operand_text(names, item)
    if left.path[-1] in ("to", "to_role", "role") and str(item.value) in names.procedure.role_names:
        title = names.role_phrase(str(item.value))
        # 法律事务部或法律顾问 is one role: without marks its 或 reads as a second alternative of the sentence.
        return names.quote(title) if names.choose("或", " or ") in title else title
    if left.path[-2:] == ("complainant", "kind") and str(item.value) in VALUE_NAMES:
        title = names.lookup(VALUE_NAMES, str(item.value))
        return names.choose(title, f"{'an' if title[0] in 'aeiou' else 'a'} {title}")
    return value_text(names, item, left)


def _actor_text(names: ProcedureNames, left: Name, items: Sequence[Node], *, positive: bool) -> str:
    """The acting role: `event.role == 'chief'`, `last.accepted.role == 'chief'`, `event.role == last.accepted.role`."""
    doers = names.join_list(
        [
            names.choose(f"作出{names.latest(item.path[1])}的岗位", f"the role that did {names.latest(item.path[1])}")
            if isinstance(item, Name) and item.path[0] == "last"
            else _value_of(names, left, item)
            for item in items
        ]
    )
    if left.path[0] == "last":
        event = names.latest(left.path[1])
        if left.path[1] == "escalated":  # its role is the rung that it reached, not who did it
            reached = "reached" if positive else "did not reach"
            return names.choose(f"{event}{'' if positive else '并非'}至{doers}", f"{event} {reached} {doers}")
        return names.choose(f"{event}{'系' if positive else '并非'}由{doers}作出", f"{event} was {'' if positive else 'not '}by {doers}")
    return names.choose(f"{'' if positive else '并非'}由{doers}作出", f"it is {'' if positive else 'not '}done by {doers}")


def _is_number_fact(names: ProcedureNames, node: Node) -> bool:
    fact = names.procedure.facts.get(node.path[1]) if isinstance(node, Name) and node.path[0] == "facts" else None
    return fact is not None and fact.type in ("int", "number")


def _ordered_text(names: ProcedureNames, node: Comparison) -> str:
    """A comparison of size or time."""
    if isinstance(node.right, Call) and node.right.function == MONTHS_AFTER and isinstance(node.left, Name):
        return _months_text(names, node.left, node.right, _MONTH_WORDS[node.operator])
    if isinstance(node.left, Name) and node.left.path[0] == "count" and isinstance(node.right, Value):
        return _times_text(names, node.left.path[1], node.operator, operand_text(names, node.right))
    is_time = isinstance(node.right, Name | Call) and not _is_number_fact(names, node.right)
    zh, en = (_TIME_WORDS if is_time else _NUMBER_WORDS)[node.operator]
    left, right = operand_text(names, node.left), operand_text(names, node.right)
    return names.choose(f"{left}{zh}{right}", f"{left} {en} {right}")


def _times_text(names: ProcedureNames, event: str, operator: str, number: str) -> str:
    """`count.answered > 2`: how often an event has happened."""
    zh, en = _NUMBER_WORDS[operator]
    times = "once" if number == "1" else f"{number} times"
    return names.choose(f"{names.event(event)}{zh}{number}次", f"there has been {names.event(event)} {en.removeprefix('is ')} {times}")


def _months_text(names: ProcedureNames, day: Name, call: Call, words: tuple[str, str]) -> str:
    """`last.handed_over.day < months_after(facts.accepted_at, 12)`: on that day less than 12 months have passed since the date."""
    start, months = (operand_text(names, argument) for argument in call.arguments)
    when = name_text(names, Name(("last", day.path[1], "at")) if day.path[0] == "last" else day)
    zh, en = words
    return names.choose(f"自{start}至{when}{zh}{months}个月", f"{en} {months} months have passed from {start} to {when}")


def _generic_text(names: ProcedureNames, node: Comparison) -> str:
    left, right = operand_text(names, node.left), operand_text(names, node.right)
    same = node.operator == "=="
    return names.choose(f"{left}{'为' if same else '不是'}{right}", f"{left} is {'' if same else 'not '}{right}")
