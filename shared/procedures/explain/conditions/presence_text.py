"""Whether a field is given, and flags of the case, in words."""

from shared.procedures.explain.conditions.condition_syntax import Name
from shared.procedures.explain.names import ProcedureNames
from shared.procedures.explain.value_names import FIELD_NAMES

_Forms = tuple[str, str, str, str]
"""Chinese present and absent, English present and absent; `{it}` is the event that carries the field."""

_PRESENCE: dict[str, _Forms] = {
    "promise": (
        "含有对客户的承诺",
        "不含对客户的承诺",
        "{it} contains a promise to the customer",
        "{it} contains no promise to the customer",
    ),
    "demands": ("另有明确要求", "未另提要求", "{it} contains further demands", "{it} contains no further demands"),
    "attachments": ("附有附件", "未附附件", "{it} has attachments", "{it} has no attachments"),
    "absentees": ("有人缺席", "无人缺席", "somebody was absent", "nobody was absent"),
    "missing": ("报送内容有缺项", "报送内容没有缺项", "required contents are missing", "no required contents are missing"),
    "handler": ("已指定经办人", "尚未指定经办人", "a handler has been named", "no handler has been named"),
    "department": ("责任部门已定", "责任部门未定", "the department responsible is known", "the department responsible is not known"),
    "cooperating": ("列有协同部门", "未列协同部门", "co-operating departments are named", "no co-operating departments are named"),
    "next_date": (
        "写明了下次答复日期",
        "未写明下次答复日期",
        "{it} names the date of the next answer",
        "{it} names no date for the next answer",
    ),
    "to": ("写明了接收方", "未写明接收方", "{it} names a receiver", "{it} names no receiver"),
    "against": (
        "写明了被投诉人",
        "未写明被投诉人",
        "the person or unit complained about is given",
        "the person or unit complained about is not given",
    ),
    "person": ("写明了人员", "未写明人员", "{it} names a person", "{it} names no person"),
    "facts": ("记有事实", "未记事实", "{it} records facts", "{it} records no facts"),
    "id": ("能够识别投诉人", "无法识别投诉人", "the complainant can be identified", "the complainant cannot be identified"),
}
_REGISTRATION_GAPS: _Forms = (
    "登记内容有缺项",
    "登记内容没有缺项",
    "required particulars are missing",
    "no required particulars are missing",
)
_REGISTRATION_PATHS = frozenset({("complaint", "missing"), ("last", "registered", "missing")})
_FLAGS: dict[str, _Forms] = {
    "approved": ("措施已获批准", "措施尚未获批准", "the measures are approved", "the measures are not approved"),
    "accepted": ("已受理", "尚未受理", "the complaint is accepted", "the complaint is not accepted"),
    "suspended": ("已中止", "未中止", "the case is suspended", "the case is not suspended"),
    "open": ("案件尚未了结", "案件已了结", "the case is open", "the case is not open"),
    "anonymous": ("投诉人匿名", "投诉人实名", "the complainant is anonymous", "the complainant is not anonymous"),
    "overdue": ("已逾期", "没有逾期", "it is overdue", "it is not overdue"),
    "breached": ("曾逾期", "从未逾期", "a limit was missed", "no limit was missed"),
    "late": ("已迟延", "未迟延", "it is late", "it is not late"),
    "in_time": ("按时", "未按时", "it is in time", "it is not in time"),
    "agreed": ("表示同意", "表示不同意", "{it} is an agreement", "{it} is no agreement"),
    "passed": ("通过", "未通过", "it is passed", "it is not passed"),
    "needs_sign_off": ("尚待责任人审签", "无须责任人审签", "it awaits sign-off", "it awaits no sign-off"),
}


def field_label(names: ProcedureNames, field: str) -> str:
    """The name of a complaint's field; `complainant.phone` → the complainant's phone."""
    label = names.lookup(FIELD_NAMES, field.rpartition(".")[2])
    if field.startswith("complainant."):
        return names.choose(f"投诉人{label}", f"complainant's {label}")
    return label


def is_flag(node: Name) -> bool:
    """Whether a name is true or false by itself, such as `case.approved`."""
    return node.path[-1] in _FLAGS


def flag_text(names: ProcedureNames, node: Name, *, positive: bool) -> str:
    """A flag, or its opposite."""
    return _form(names, _FLAGS[node.path[-1]], node, positive)


def presence_text(names: ProcedureNames, node: Name, *, positive: bool) -> str:
    """That a field is given, or is not."""
    if node.path[0] == "facts":
        title = names.quote(names.fact(node.path[1]))
        return names.choose(f"{'已' if positive else '未'}注明{title}", f"{title} is {'' if positive else 'not '}given")
    forms = _REGISTRATION_GAPS if node.path in _REGISTRATION_PATHS else _PRESENCE.get(node.path[-1])
    if forms is not None:
        return _form(names, forms, node, positive)
    label = field_label(names, ".".join(node.path[1:]))
    verb = "are" if label.endswith("s") and not label.endswith(("ss", "us")) else "is"
    return names.choose(f"{'写明了' if positive else '未写明'}{label}", f"{'the' if positive else 'no'} {label} {verb} given")


def _form(names: ProcedureNames, forms: _Forms, node: Name, positive: bool) -> str:
    zh_present, zh_absent, en_present, en_absent = forms
    is_last = node.path[0] == "last"
    prefix = carrier = names.latest(node.path[1]) if is_last else ""
    carrier = carrier or "it"
    return names.choose(prefix + (zh_present if positive else zh_absent), (en_present if positive else en_absent).format(it=carrier))
