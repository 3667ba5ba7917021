"""Names, literals and other operands of a condition in words."""

from shared.procedures.explain.conditions.condition_syntax import Call, Choice, Name, Node, Not, Sum, Value
from shared.procedures.explain.names import ProcedureNames
from shared.procedures.explain.value_names import FIELD_NAMES, VALUE_NAMES


def operand_text(names: ProcedureNames, node: Node) -> str:
    """An operand in words."""
    match node:
        case Value():
            return value_text(names, node)
        case Name():
            return name_text(names, node)
        case Sum(parts=(first, second)) if first == second:
            return names.choose(f"{operand_text(names, first)}的两倍", f"twice {operand_text(names, first)}")
        case Sum(parts=parts):
            # A separator between two fields says nothing to people.
            texts = [operand_text(names, part) for part in parts if not (isinstance(part, Value) and not str(part.value).strip(" |/-"))]
            return names.join_list(texts, ("和", "and"))
        case Choice():
            return _fallback_text(names, node)
        case Call(function="size", arguments=(argument,)):
            return names.choose(f"{operand_text(names, argument)}的数量", f"the number of {operand_text(names, argument)}")
    return names.choose("规程数据中所写的值", "the value that the procedure's data compute")


def _fallback_text(names: ProcedureNames, node: Choice) -> str:
    """`a != '' ? a : b` → a, or failing that b."""
    first, rest = operand_text(names, node.if_true), list[str]()
    following: Node = node.if_false
    while isinstance(following, Choice):
        rest.append(operand_text(names, following.if_true))
        following = following.if_false
    rest.append(operand_text(names, following))
    listed = names.choose("、", ", then ").join(rest)
    return names.choose(f"{first}（没有的，{'依次' if len(rest) > 1 else ''}以{listed}代之）", f"{first} (failing that {listed})")


def value_text(names: ProcedureNames, node: Value, subject: Name | None = None) -> str:
    """A literal; `subject` is the name that it is compared with, which decides whether it is a class, a role or people's own text."""
    value = node.value
    if isinstance(value, bool):
        return names.choose("是" if value else "否", "yes" if value else "no")
    if isinstance(value, float):
        return f"{value:g}" if value < 1e6 else f"{value:.0f}"  # noqa: PLR2004 - `g` would print an exponent
    if subject is not None and subject.path[-1] in ("class", "from_class"):
        return names.quote(names.class_(value))
    if subject is not None and subject.path[-1] == "clock":
        clock = next((clock for clock in names.procedure.clocks if clock.id == value), None)
        return names.quote(names.title(clock) if clock else _literal_title(names, value))
    return names.quote(_literal_title(names, value))


def _literal_title(names: ProcedureNames, value: str) -> str:
    """The title of what a literal names: a role, a fixed value, a department of a route, a fact, an action; else its own words."""
    procedure = names.procedure
    route = next((route for route in procedure.routes if route.department == value and (route.zh or route.en)), None)
    if value in procedure.role_names:
        return names.role(value)
    if route is not None:
        return names.title(route)
    if value in VALUE_NAMES:
        return names.lookup(VALUE_NAMES, value)
    if value in procedure.facts:
        return names.fact(value)
    return names.action(value) if names.is_action(value) else value.replace("_", " ")


def name_text(names: ProcedureNames, node: Name) -> str:
    """A dotted name as a noun phrase."""
    path = node.path
    match path:
        case ("facts", fact):
            return names.quote(names.fact(fact))
        case ("parameters", parameter):
            return names.quote(names.parameter(parameter))
        case ("count", event):
            return names.choose(f"{names.event(event)}的次数", f"the number of times of {names.event(event)}")
        case ("complaint", "kind"):
            return names.choose("来件申报的类别", "the kind as submitted")
        case ("last", event, field):
            return _last_field_text(names, event, field)
        case ("complaint", "complainant", "id"):
            return names.choose("投诉人", "the complainant")
        case ("complaint", "complainant", field):
            return names.choose(f"投诉人的{_field(names, field)}", f"the complainant's {_field(names, field)}")
        case ("complaint", "against") if node.first:
            return names.choose("首列的被投诉人", "the first of the persons or units complained about")
        case ("event", "action"):
            return names.choose("被拒绝的操作", "the refused action")
        case ("event", field):
            return names.choose(f"其{_field(names, field)}", f"its {_field(names, field)}")
        case ("case", "level"):
            return names.choose("管理层级", "the management level")
    return names.choose(_field(names, path[-1]), f"the {_field(names, path[-1])}")


def _last_field_text(names: ProcedureNames, event: str, field: str) -> str:
    latest = names.latest(event)
    if field == "at":
        return latest
    return names.choose(f"{latest}的{_field(names, field)}", f"the {_field(names, field)} of {latest}")


def _field(names: ProcedureNames, field: str) -> str:
    return names.lookup(FIELD_NAMES, field)


def fact_is_true_by_default(names: ProcedureNames, node: Node) -> bool:
    """Whether a fact holds by default."""
    inner = node.operand if isinstance(node, Not) else node
    fact = names.procedure.facts.get(inner.path[1]) if isinstance(inner, Name) and len(inner.path) > 1 else None
    return fact is not None and fact.default is True
