"""Describes the rules of actions, reactions and triage (kinds, classes, subjects, routes, derived facts, groups) in sentences."""

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

# Two forms of a key for groups to which only some cases belong: `product == '' ? '' : product` and `facts.urgent ? product : ''`.
_EMPTY_IF_EMPTY = re.compile(r"([\w.]+)\s*==\s*''\s*\?\s*''\s*:\s*(.+)", re.DOTALL)
_CONDITIONAL_KEY = re.compile(r"([^?]+?)\s*\?\s*(\(.+\)|[^?]+?)\s*:\s*(?:''|\"\")")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


def describe_action_rule(texts: ProcedureTexts, action_id: str, rule: ActionRule) -> list[str]:
    """Who may perform an action, and what has to hold before."""
    action = texts.quote(texts.action(action_id))
    lines = [*_permission_lines(texts, action, rule), *_limit_lines(texts, action, rule)]
    if rule.when is not None:
        condition = texts.condition(rule.when)
        lines = [texts.choose(f"若{condition}：{line}", f"If {condition}: {line}") for line in lines]
    return lines


def _permission_lines(texts: ProcedureTexts, action: str, rule: ActionRule) -> list[str]:
    lines = []
    if rule.by is not None:
        roles = texts.roles(rule.by)
        lines.append(
            texts.choose(
                f"只有{roles}可以{action}；他人的操作被拒绝并记录。",
                f"Only {roles} may {action}; anybody else is refused, and that is recorded.",
            )
        )
    if rule.requires is not None:
        requirement = texts.condition(rule.requires)
        lines.append(
            texts.choose(
                f"{action}须满足：{requirement}；否则拒绝并记录。",
                f"To {action}, this must hold: {requirement}; otherwise it is refused, and that is recorded.",
            )
        )
    if rule.reason:
        reason = texts.quote(texts.own_language_part(rule.reason))
        lines.append(texts.choose(f"拒绝时说明：{reason}", f"The refusal says: {reason}"))
    return lines


def _limit_lines(texts: ProcedureTexts, action: str, rule: ActionRule) -> list[str]:
    lines = []
    if rule.needs_sign_off is not None:
        condition = texts.condition(rule.needs_sign_off)
        lines.append(
            texts.choose(f"若{condition}，须经责任人签字方为有效。", f"If {condition}, it counts only once the owner has signed it off.")
        )
    if rule.at_most is not None:
        lines.append(texts.choose(f"{action}至多{rule.at_most}次。", f"It is accepted {rule.at_most} time(s) at most: {action}."))
    if rule.reasons:
        reasons = texts.join_list([texts.own_language_part(reason) for reason in rule.reasons])
        lines.append(texts.choose(f"{action}的理由限于：{reasons}。", f"Reasons accepted for {action}: {reasons}."))
    if rule.in_time:
        lines.append(texts.choose(f"{action}须在期限届满前提出。", f"It has to come before the deadline: {action}."))
    return lines


def describe_reaction(texts: ProcedureTexts, entry: ReactionEntry) -> list[str]:
    """The effects that run at once on an event."""
    events = texts.selector(entry.on)
    condition = texts.choose(f"且{texts.condition(entry.when)}", f", if {texts.condition(entry.when)}") if entry.when is not None else ""
    effects = effects_text(texts, entry.do)
    return [texts.choose(f"一经{events}{condition}，系统立即：{effects}。", f"At once upon {events}{condition}: {effects}.")]


def describe_kind(texts: ProcedureTexts, entry: KindRule) -> list[str]:
    """The condition of a kind."""
    return [_choice_line(texts, "类别", "kind", texts.lookup(value_names.VALUE_NAMES, entry.id), entry.when)]


def describe_class(texts: ProcedureTexts, entry: ClassRule) -> list[str]:
    """The condition of a class."""
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
        words = texts.join_list([texts.quote(word) for word in entry.words])
        lines.append(texts.choose(f"文字中出现{words}即归入。", f"Recognised by the words {words}."))
    if entry.when is not None:
        lines.append(texts.choose(f"条件：{texts.condition(entry.when)}。", f"Recognised if {texts.condition(entry.when)}."))
    if entry.department is not None:
        lines.append(texts.choose(f"归{entry.department}负责。", f"The department {entry.department} is responsible."))
    return lines


def describe_route(texts: ProcedureTexts, entry: RouteEntry) -> list[str]:
    """The lead department and its condition."""
    title = texts.title(entry, entry.department) if entry.id else entry.department
    condition = texts.condition(entry.when) if entry.when is not None else texts.choose("其余情形", "nothing else applies")
    lines = [texts.choose(f"由{texts.quote(title)}牵头：{condition}。", f"The department {texts.quote(title)} leads if {condition}.")]
    if entry.cooperating:
        lines.append(texts.choose(f"协办：{'、'.join(entry.cooperating)}。", f"Co-operating: {', '.join(entry.cooperating)}."))
    return lines


def describe_derivation(texts: ProcedureTexts, entry: DerivationEntry) -> list[str]:
    """Facts that the system derives from a complaint."""
    facts = "、".join(f"{texts.quote(texts.fact(name))} = {texts.value(value)}" for name, value in entry.set.items())
    condition = texts.condition(entry.when)
    return [
        texts.choose(
            f"未注明时系统自行认定：若{condition}，则{facts}。",
            f"Unless the complaint says otherwise, the system takes it that {facts}, if {condition}.",
        )
    ]


def describe_count(texts: ProcedureTexts, entry: CountEntry) -> list[str]:
    """A group of cases and the changes to its members."""
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
    conditional = _CONDITIONAL_KEY.fullmatch(_EMPTY_IF_EMPTY.sub(r"\1 != '' ? (\2) : ''", " ".join(entry.key.split())))
    conditions = [source for source in (entry.when, conditional[1] if conditional else None) if source]
    key = conditional[2] if conditional else entry.key
    shared = "" if _QUOTED.fullmatch(key) else texts.condition(key)
    condition = texts.choose("且", " and ").join(texts.condition(source) for source in conditions)
    window = texts.duration(entry.window) if entry.window else ""
    complainants = texts.choose("不同投诉人的", "different complainants' ") if entry.distinct else ""
    complainants += texts.choose("同一投诉人的", "one complainant's ") if entry.same else ""
    withdrawn = texts.choose("，撤回的也计入", ", withdrawn ones included,") if entry.withdrawn else ""
    title = texts.quote(texts.title(entry))
    linked = texts.lookup(value_names.VALUE_NAMES, entry.does.link_as)
    return texts.choose(
        f"{title}：{complainants}投诉"
        + (f"（{condition}）" if condition else "")
        + (f"在{window}内" if window else "累计")
        + f"达到{entry.threshold}件{withdrawn}"
        + (f"且{shared}相同" if shared else "")
        + f"的，作为{linked}关联。",
        f"{title}: {entry.threshold} {complainants}cases{withdrawn}"
        + (f" within {window}" if window else " in all")
        + (f" that agree in {shared}" if shared else "")
        + (f" (counted if {condition})" if condition else "")
        + f" are linked as {linked}.",
    )
