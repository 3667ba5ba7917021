"""The other entries of a procedure in words: classes, actions, reactions, counts, forms, confidentiality."""

import re

from shared.procedures.explain import value_names
from shared.procedures.explain.effect_texts import effects_text
from shared.procedures.explain.procedure_texts import ProcedureTexts
from shared.procedures.model.procedure import (
    NEVER_HOLDS,
    ActionRule,
    ClassRule,
    CountEntry,
    DerivationEntry,
    KindRule,
    RouteEntry,
    SubjectNode,
)
from shared.procedures.model.timed_entries import ReactionEntry

_EMPTY_UNLESS = re.compile(r"([\w.]+)\s*==\s*''\s*\?\s*''\s*:\s*(.+)", re.DOTALL)
_CONDITIONAL_KEY = re.compile(r"([^?]+?)\s*\?\s*(\(.+\)|[^?]+?)\s*:\s*(?:''|\"\")")
"""A key that counts only under a condition: `facts.urgent ? complaint.product : ''`."""
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


def describe_action_rule(texts: ProcedureTexts, action_id: str, rule: ActionRule) -> list[str]:
    """Who may do an action, and what must hold before."""
    said = texts.quote(texts.action(action_id))
    lines = [*_permission_lines(texts, said, rule), *_limit_lines(texts, said, rule)]
    if rule.when is not None:
        only = texts.condition(rule.when)
        lines = [texts.choose(f"若{only}：{line}", f"If {only}: {line}") for line in lines]
    return lines


def _permission_lines(texts: ProcedureTexts, said: str, rule: ActionRule) -> list[str]:
    lines = []
    if rule.by is not None:
        roles = texts.roles(rule.by)
        lines.append(
            texts.choose(
                f"只有{roles}可以{said}；他人的操作被拒绝并记录。",
                f"Only {roles} may {said}; anybody else is refused, and that is recorded.",
            )
        )
    if rule.requires is not None:
        needed = texts.condition(rule.requires)
        lines.append(
            texts.choose(
                f"{said}须满足：{needed}；否则拒绝并记录。",
                f"To {said}, this must hold: {needed}; otherwise it is refused, and that is recorded.",
            )
        )
    if rule.reason:
        reason = texts.quote(texts.own_language_part(rule.reason))
        lines.append(texts.choose(f"拒绝时说明：{reason}", f"The refusal says: {reason}"))
    return lines


def _limit_lines(texts: ProcedureTexts, said: str, rule: ActionRule) -> list[str]:
    lines = []
    if rule.needs_sign_off is not None:
        when = texts.condition(rule.needs_sign_off)
        lines.append(texts.choose(f"若{when}，须经责任人签字方为有效。", f"If {when}, it counts only once the owner has signed it off."))
    if rule.at_most is not None:
        lines.append(texts.choose(f"{said}至多{rule.at_most}次。", f"It is accepted {rule.at_most} time(s) at most: {said}."))
    if rule.reasons:
        reasons = texts.join_list([texts.own_language_part(reason) for reason in rule.reasons])
        lines.append(texts.choose(f"{said}的理由限于：{reasons}。", f"Reasons accepted for {said}: {reasons}."))
    if rule.in_time:
        lines.append(texts.choose(f"{said}须在期限届满前提出。", f"It has to come before the deadline: {said}."))
    return lines


def describe_reaction(texts: ProcedureTexts, entry: ReactionEntry) -> list[str]:
    """What follows at once from an event."""
    events = texts.selector(entry.on)
    only = texts.choose(f"且{texts.condition(entry.when)}", f", if {texts.condition(entry.when)}") if entry.when is not None else ""
    effects = effects_text(texts, entry.do)
    return [texts.choose(f"一经{events}{only}，系统立即：{effects}。", f"At once upon {events}{only}: {effects}.")]


def describe_kind(texts: ProcedureTexts, entry: KindRule) -> list[str]:
    """When a complaint is of a kind."""
    return [_choice_line(texts, "类别", "kind", texts.lookup(value_names.VALUE_NAMES, entry.id), entry.when)]


def describe_class(texts: ProcedureTexts, entry: ClassRule) -> list[str]:
    """When a complaint is of a class."""
    return [_choice_line(texts, "级别", "class", texts.title(entry), entry.when)]


def _choice_line(texts: ProcedureTexts, zh: str, en: str, title: str, when: str | None) -> str:
    quoted = texts.quote(title)
    if when is None:
        return texts.choose(f"其余投诉的{zh}为{quoted}。", f"Every other complaint is of the {en} {quoted}.")
    if when == NEVER_HOLDS:
        return texts.choose(f"{zh}{quoted}只由人认定。", f"The {en} {quoted} is given by a person alone.")
    return texts.choose(
        f"{zh}为{quoted}的情形：{texts.condition(when)}。", f"A complaint is of the {en} {quoted} if {texts.condition(when)}."
    )


def describe_subject(texts: ProcedureTexts, entry: SubjectNode) -> list[str]:
    """A node of the subject tree."""
    title = texts.quote(texts.title(entry))
    lines = [texts.choose(f"专业分类{title}。", f"Subject {title}.")]
    if entry.words:
        found = texts.join_list([texts.quote(word) for word in entry.words])
        lines.append(texts.choose(f"文字中出现{found}即归入。", f"Recognised by the words {found}."))
    if entry.when is not None:
        lines.append(texts.choose(f"条件：{texts.condition(entry.when)}。", f"Recognised if {texts.condition(entry.when)}."))
    if entry.department is not None:
        lines.append(texts.choose(f"归{entry.department}负责。", f"The department {entry.department} is responsible."))
    return lines


def describe_route(texts: ProcedureTexts, entry: RouteEntry) -> list[str]:
    """Which department leads."""
    title = texts.title(entry, entry.department) if entry.id else entry.department
    only = texts.condition(entry.when) if entry.when is not None else texts.choose("其余情形", "nothing else applies")
    lines = [texts.choose(f"由{texts.quote(title)}牵头：{only}。", f"The department {texts.quote(title)} leads if {only}.")]
    if entry.cooperating:
        lines.append(texts.choose(f"协办：{'、'.join(entry.cooperating)}。", f"Co-operating: {', '.join(entry.cooperating)}."))
    return lines


def describe_derivation(texts: ProcedureTexts, entry: DerivationEntry) -> list[str]:
    """Facts that the system reads out of a complaint by itself."""
    facts = "、".join(f"{texts.quote(texts.fact(name))} = {texts.value(value)}" for name, value in entry.set.items())
    when = texts.condition(entry.when)
    return [
        texts.choose(
            f"未注明时系统自行认定：若{when}，则{facts}。",
            f"Unless the complaint says otherwise, the system takes it that {facts}, if {when}.",
        )
    ]


def describe_count(texts: ProcedureTexts, entry: CountEntry) -> list[str]:
    """Counting across cases."""
    lines = [_count_line(texts, entry)]
    facts = [f"{texts.quote(texts.fact(name))} = {texts.value(value)}" for name, value in entry.does.set.items()]
    if facts:
        lines.append(texts.choose(f"并记入：{'、'.join(facts)}。", f"It is put on record that {', '.join(facts)}."))
    if entry.does.reclassify:
        title = texts.quote(texts.class_(entry.does.reclassify))
        lines.append(texts.choose(f"并改为{title}。", f"They become {title}."))
    lines.append(
        texts.choose("此前已登记的同组投诉一并适用。", "Earlier cases of the group are treated likewise.")
        if entry.reaches_back
        else texts.choose("只适用于达到数量的这一件。", "Only the case that completes the number is concerned.")
    )
    return lines


def _count_line(texts: ProcedureTexts, entry: CountEntry) -> str:
    choice = _CONDITIONAL_KEY.fullmatch(_EMPTY_UNLESS.sub(r"\1 != '' ? (\2) : ''", " ".join(entry.key.split())))
    conditions = [source for source in (entry.when, choice[1] if choice else None) if source]
    key = choice[2] if choice else entry.key
    same = "" if _QUOTED.fullmatch(key) else texts.condition(key)
    only = texts.choose("且", " and ").join(texts.condition(source) for source in conditions)
    window = texts.duration(entry.window) if entry.window else ""
    who, title = (texts.choose("不同投诉人的", "different complainants' ") if entry.distinct else ""), texts.quote(texts.title(entry))
    linked = texts.lookup(value_names.VALUE_NAMES, entry.does.link_as)
    return texts.choose(
        f"{title}：{who}投诉"
        + (f"（{only}）" if only else "")
        + (f"在{window}内" if window else "累计")
        + f"达到{entry.threshold}件"
        + (f"且{same}相同" if same else "")
        + f"的，作为{linked}关联。",
        f"{title}: {entry.threshold} {who}cases"
        + (f" within {window}" if window else " in all")
        + (f" that agree in {same}" if same else "")
        + (f" (counted if {only})" if only else "")
        + f" are linked as {linked}.",
    )
