"""The other entries of a procedure in words: classes, actions, reactions, counts, forms, confidentiality."""

import re

from shared.procedures.checks.reach import NEVER
from shared.procedures.explain import terms
from shared.procedures.explain.effects import done
from shared.procedures.explain.speech import Speech
from shared.procedures.model.procedure import ActionRule, ClassRule, Count, Derived, KindRule, Route, Subject
from shared.procedures.model.timed_entries import Reaction

_UNLESS = re.compile(r"([\w.]+)\s*==\s*''\s*\?\s*''\s*:\s*(.+)", re.DOTALL)
_CHOICE = re.compile(r"([^?]+?)\s*\?\s*(\(.+\)|[^?]+?)\s*:\s*(?:''|\"\")")
"""A key that counts only under a condition: `facts.urgent ? complaint.product : ''`."""
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")


def action(speech: Speech, name: str, rule: ActionRule) -> list[str]:
    """Who may do an action, and what must hold before."""
    said = speech.quoted(speech.action(name))
    lines = [*_allowed(speech, said, rule), *_limits(speech, said, rule)]
    if rule.when is not None:
        only = speech.condition(rule.when)
        lines = [speech.say(f"若{only}：{line}", f"If {only}: {line}") for line in lines]
    return lines


def _allowed(speech: Speech, said: str, rule: ActionRule) -> list[str]:
    lines = []
    if rule.by is not None:
        roles = speech.roles(rule.by)
        lines.append(
            speech.say(
                f"只有{roles}可以{said}；他人的操作被拒绝并记录。",
                f"Only {roles} may {said}; anybody else is refused, and that is recorded.",
            )
        )
    if rule.requires is not None:
        needed = speech.condition(rule.requires)
        lines.append(
            speech.say(
                f"{said}须满足：{needed}；否则拒绝并记录。",
                f"To {said}, this must hold: {needed}; otherwise it is refused, and that is recorded.",
            )
        )
    if rule.reason:
        reason = speech.quoted(speech.spoken(rule.reason))
        lines.append(speech.say(f"拒绝时说明：{reason}", f"The refusal says: {reason}"))
    return lines


def _limits(speech: Speech, said: str, rule: ActionRule) -> list[str]:
    lines = []
    if rule.needs_sign_off is not None:
        when = speech.condition(rule.needs_sign_off)
        lines.append(speech.say(f"若{when}，须经责任人签字方为有效。", f"If {when}, it counts only once the owner has signed it off."))
    if rule.at_most is not None:
        lines.append(speech.say(f"{said}至多{rule.at_most}次。", f"It is accepted {rule.at_most} time(s) at most: {said}."))
    if rule.reasons:
        reasons = speech.several([speech.spoken(reason) for reason in rule.reasons])
        lines.append(speech.say(f"{said}的理由限于：{reasons}。", f"Reasons accepted for {said}: {reasons}."))
    if rule.in_time:
        lines.append(speech.say(f"{said}须在期限届满前提出。", f"It has to come before the deadline: {said}."))
    return lines


def reaction(speech: Speech, entry: Reaction) -> list[str]:
    """What follows at once from an event."""
    events = speech.selector(entry.on)
    only = speech.say(f"且{speech.condition(entry.when)}", f", if {speech.condition(entry.when)}") if entry.when is not None else ""
    effects = done(speech, entry.do)
    return [speech.say(f"一经{events}{only}，系统立即：{effects}。", f"At once upon {events}{only}: {effects}.")]


def kind(speech: Speech, entry: KindRule) -> list[str]:
    """When a complaint is of a kind."""
    return [_chosen(speech, "类别", "kind", speech.word(terms.VALUES, entry.id), entry.when)]


def class_(speech: Speech, entry: ClassRule) -> list[str]:
    """When a complaint is of a class."""
    return [_chosen(speech, "级别", "class", speech.title(entry), entry.when)]


def _chosen(speech: Speech, zh: str, en: str, title: str, when: str | None) -> str:
    quoted = speech.quoted(title)
    if when is None:
        return speech.say(f"其余投诉的{zh}为{quoted}。", f"Every other complaint is of the {en} {quoted}.")
    if when == NEVER:
        return speech.say(f"{zh}{quoted}只由人认定。", f"The {en} {quoted} is given by a person alone.")
    return speech.say(
        f"{zh}为{quoted}的情形：{speech.condition(when)}。", f"A complaint is of the {en} {quoted} if {speech.condition(when)}."
    )


def subject(speech: Speech, entry: Subject) -> list[str]:
    """A node of the subject tree."""
    title = speech.quoted(speech.title(entry))
    lines = [speech.say(f"专业分类{title}。", f"Subject {title}.")]
    if entry.words:
        found = speech.several([speech.quoted(word) for word in entry.words])
        lines.append(speech.say(f"文字中出现{found}即归入。", f"Recognised by the words {found}."))
    if entry.when is not None:
        lines.append(speech.say(f"条件：{speech.condition(entry.when)}。", f"Recognised if {speech.condition(entry.when)}."))
    if entry.department is not None:
        lines.append(speech.say(f"归{entry.department}负责。", f"The department {entry.department} is responsible."))
    return lines


def route(speech: Speech, entry: Route) -> list[str]:
    """Which department leads."""
    title = speech.title(entry, entry.department) if entry.id else entry.department
    only = speech.condition(entry.when) if entry.when is not None else speech.say("其余情形", "nothing else applies")
    lines = [speech.say(f"由{speech.quoted(title)}牵头：{only}。", f"The department {speech.quoted(title)} leads if {only}.")]
    if entry.cooperating:
        lines.append(speech.say(f"协办：{'、'.join(entry.cooperating)}。", f"Co-operating: {', '.join(entry.cooperating)}."))
    return lines


def derived(speech: Speech, entry: Derived) -> list[str]:
    """Facts that the system reads out of a complaint by itself."""
    facts = "、".join(f"{speech.quoted(speech.fact(name))} = {speech.value(value)}" for name, value in entry.set.items())
    when = speech.condition(entry.when)
    return [
        speech.say(
            f"未注明时系统自行认定：若{when}，则{facts}。",
            f"Unless the complaint says otherwise, the system takes it that {facts}, if {when}.",
        )
    ]


def count(speech: Speech, entry: Count) -> list[str]:
    """Counting across cases."""
    lines = [_counted(speech, entry)]
    facts = [f"{speech.quoted(speech.fact(name))} = {speech.value(value)}" for name, value in entry.does.set.items()]
    if facts:
        lines.append(speech.say(f"并记入：{'、'.join(facts)}。", f"It is put on record that {', '.join(facts)}."))
    if entry.does.reclassify:
        title = speech.quoted(speech.class_(entry.does.reclassify))
        lines.append(speech.say(f"并改为{title}。", f"They become {title}."))
    lines.append(
        speech.say("此前已登记的同组投诉一并适用。", "Earlier cases of the group are treated likewise.")
        if entry.reaches_back
        else speech.say("只适用于达到数量的这一件。", "Only the case that completes the number is concerned.")
    )
    return lines


def _counted(speech: Speech, entry: Count) -> str:
    choice = _CHOICE.fullmatch(_UNLESS.sub(r"\1 != '' ? (\2) : ''", " ".join(entry.key.split())))
    conditions = [source for source in (entry.when, choice[1] if choice else None) if source]
    key = choice[2] if choice else entry.key
    same = "" if _QUOTED.fullmatch(key) else speech.condition(key)
    only = speech.say("且", " and ").join(speech.condition(source) for source in conditions)
    window = speech.duration(entry.window) if entry.window else ""
    who, title = (speech.say("不同投诉人的", "different complainants' ") if entry.distinct else ""), speech.quoted(speech.title(entry))
    linked = speech.word(terms.VALUES, entry.does.link_as)
    return speech.say(
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
