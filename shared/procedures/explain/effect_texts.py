"""Describes effects, each as the predicate of a sentence whose subject is the system."""

import re
from collections.abc import Sequence

from shared.procedures.explain import value_names
from shared.procedures.explain.procedure_texts import ProcedureTexts
from shared.procedures.model.clauses import clause_ids
from shared.procedures.model.effects import (
    CASE_DEPARTMENTS,
    LEAD,
    AnyEffect,
    AssignHandler,
    Breach,
    CancelClock,
    DeemEvent,
    Effect,
    Escalate,
    Notify,
    RaiseLevel,
    Reclassify,
    RefuseActions,
    Remind,
    RoleNames,
    SetFacts,
    StartClock,
    expand_effect,
    role_tuple,
)
from shared.procedures.model.timed_entries import ActorOfEvent, EscalationLadder

Owner = RoleNames | ActorOfEvent | None
_DOER = re.compile(r"last\.(?P<event>\w+)\.role == '(?P<role>\w+)'")
_CHINESE_NUMBERS = "零一二三四五六七八九"


def effects_text(texts: ProcedureTexts, effects: Sequence[AnyEffect], owner: Owner = None, *, overdue: bool = False) -> str:
    """The effects in their order; `owner` is the owner of the clock that runs them, `overdue` whether its limit has passed."""
    expanded = [expand_effect(effect) for effect in effects]
    groups = _groups_by_doer(expanded)
    parts = [_doers_text(texts, group) if len(group) > 1 else _effect_with_condition(texts, group[0], owner, overdue) for group in groups]
    expanded = [group[0] for group in groups]
    if not any(effect.when for effect in expanded):
        if len(parts) > 1 and texts.is_chinese:
            return f"{'，'.join(parts[:-1])}，并{parts[-1]}"
        return texts.join_list(parts, ("", "and"))
    opening = texts.choose("作如下处理：", "acts as follows: ") if expanded[0].when else ""
    follows = ["" if effect.when or (index == 0) else texts.choose("", "it ") for index, effect in enumerate(expanded)]
    return opening + texts.choose("；", "; ").join(before + part for before, part in zip(follows, parts, strict=True))


def _groups_by_doer(effects: Sequence[Effect]) -> list[list[Effect]]:
    """The effects, those together that send the same message to whichever role did the same thing."""
    groups = list[list[Effect]]()
    for effect in effects:
        previous = groups[-1][0] if groups else None
        doer = _DOER.fullmatch(effect.when or "")
        earlier = _DOER.fullmatch(previous.when or "") if previous is not None else None
        same = (
            isinstance(effect, Remind)
            and isinstance(previous, Remind)
            and doer is not None
            and earlier is not None
            and (effect.remind, previous.remind) == (doer["role"], earlier["role"])
            and doer["event"] == earlier["event"]
            and (effect.by, effect.departments, effect.clause) == (previous.by, previous.departments, previous.clause)
        )
        if same:
            groups[-1].append(effect)
        else:
            groups.append([effect])
    return groups


def _doers_text(texts: ProcedureTexts, effects: Sequence[Effect]) -> str:
    """Messages to whichever of some roles did a thing, in one sentence instead of one for each role."""
    reminders = [effect for effect in effects if isinstance(effect, Remind)]
    first = reminders[0]
    doer = _DOER.fullmatch(first.when or "")
    event = texts.latest(doer["event"]) if doer is not None else ""
    roles = texts.join_list([texts.roles(effect.remind) for effect in reminders])
    channels = _channels_text(texts, first)
    reference = texts.reference(clause_ids(first.clause))
    return texts.choose(
        f"若{event}系由{roles}作出，以{channels}提醒该岗位{reference}",
        f"if {event} was by {roles}, it reminds that role by {channels}{reference}",
    )


def _effect_with_condition(texts: ProcedureTexts, effect: Effect, owner: Owner, overdue: bool) -> str:
    text = _effect_text(texts, effect, owner, overdue) + texts.reference(clause_ids(effect.clause))
    if effect.when is None:
        return text
    condition = texts.condition(effect.when)
    return texts.choose(f"若{condition}，{text}", f"if {condition}, it {text}")


def _effect_text(texts: ProcedureTexts, effect: Effect, owner: Owner, overdue: bool) -> str:
    match effect:
        case Breach():
            exception = texts.choose("（注明为原则性期限）", ", marked as that of a limit in principle")
            return texts.choose("记为超期", "records the missed deadline") + (exception if effect.in_principle else "")
        case Remind() | Notify():
            return _message_text(texts, effect, owner, overdue)
        case Escalate():
            return _escalation_text(texts, effect)
        case DeemEvent():
            event = texts.event(effect.deem)
            return event if texts.is_chinese and "视为" in event else texts.choose(f"视为{event}", f"records {event}")
        case Reclassify() | RaiseLevel() | SetFacts():
            return _case_change_text(texts, effect)
        case AssignHandler():
            role = texts.role_phrase(effect.assign)
            return texts.choose(f"指定{role}跟进", f"assigns {role} to follow the case")
        case StartClock():
            title = _clock_title(texts, effect.start)
            return texts.choose(f"重新起算时限{title}", f"starts the deadline {title} afresh")
        case CancelClock():
            title = _clock_title(texts, effect.cancel)
            return texts.choose(f"取消时限{title}", f"cancels the deadline {title}")
        case RefuseActions():
            actions = texts.join_list([texts.quote(texts.action(action)) for action in role_tuple(effect.refuse_further)])
            return texts.choose(f"此后不再接受{actions}", f"from then on refuses {actions}")
    raise TypeError(f"{type(effect).__name__}: has no description; add a case for it")


def _channels_text(texts: ProcedureTexts, effect: Remind | Notify) -> str:
    return texts.join_list([texts.lookup(value_names.MESSAGE_CHANNEL_NAMES, channel) for channel in effect.by], ("和", "and"))


# Regulations use 催办 for what is overdue and 提醒 before; both are the event `reminded`.
def _message_text(texts: ProcedureTexts, effect: Remind | Notify, owner: Owner, overdue: bool) -> str:
    """`remind` asks for an act, `notify` informs; once a limit has passed the reminder is a chase (催办)."""
    channels = _channels_text(texts, effect)
    if isinstance(effect, Remind):
        verb = ("催办", "urges") if overdue else ("提醒", "reminds")
        roles = _departments_text(texts, effect, _role_names(texts, effect.remind, owner))
        return texts.choose(f"以{channels}{verb[0]}{roles}", f"{verb[1]} {roles} by {channels}")
    roles = _departments_text(texts, effect, _role_names(texts, effect.notify, owner))
    urgently = texts.choose("加急", "urgently ") if effect.urgent else ""
    return texts.choose(f"以{channels}{urgently}通知{roles}", f"{urgently}notifies {roles} by {channels}")


def _case_change_text(texts: ProcedureTexts, effect: Reclassify | RaiseLevel | SetFacts) -> str:
    if isinstance(effect, RaiseLevel):
        steps = _CHINESE_NUMBERS[effect.raise_level]
        return texts.choose(f"将管理层级上浮{steps}级", f"raises the management level by {effect.raise_level}")
    if isinstance(effect, SetFacts):
        return texts.choose(f"认定{facts_text(texts, effect.set)}", f"records that {facts_text(texts, effect.set)}")
    changes = [texts.quote(texts.class_(effect.reclassify))] if effect.reclassify else []
    changes += [texts.quote(texts.lookup(value_names.VALUE_NAMES, effect.kind))] if effect.kind else []
    return texts.choose(f"将案件改为{'、'.join(changes)}", f"changes the case to {' and '.join(changes)}")


def facts_text(texts: ProcedureTexts, facts: dict[str, object]) -> str:
    """Facts with the values that are set: “Urgent” applies, “Matter” is “hr”."""
    parts = []
    for name, value in facts.items():
        title = texts.quote(texts.fact(name))
        if isinstance(value, bool):
            parts.append(texts.choose(title if value else f"{title}不成立", f"{title} applies" if value else f"{title} does not apply"))
            continue
        text = texts.quote(texts.role(value)) if isinstance(value, str) else str(value)
        parts.append(texts.choose(f"{title}为{text}", f"{title} is {text}"))
    return texts.join_list(parts, ("和", "and"))


def _escalation_text(texts: ProcedureTexts, effect: Escalate) -> str:
    ladder = next((ladder for ladder in texts.procedure.ladders if ladder.id == effect.escalate), None)
    if ladder is None:
        role = texts.role_phrase(effect.escalate)
        return texts.choose(
            f"上报{role}，无人确认的，逐级再报", f"escalates the case to {role} and, without acknowledgement, further up the line"
        )
    title = texts.quote(texts.title(ladder))
    return texts.choose(f"按{title}上报", f"escalates the case along {title}")


def rungs_text(texts: ProcedureTexts, ladder: EscalationLadder) -> str:
    """The rungs of a ladder, and when the next one follows."""
    rungs = texts.choose("、", ", then ").join(texts.roles(rung, ("和", "and")) for rung in ladder.rungs)
    if ladder.every_ is None:
        return texts.choose(f"{rungs}；每有新的事由上报一级。", f"{rungs}; each new cause leads one step up.")
    wait = texts.limit(ladder.every_)
    return texts.choose(
        f"{rungs}；每级{wait}内无人确认的，上报下一级。", f"{rungs}; one step up after each {wait} without acknowledgement."
    )


def _role_names(texts: ProcedureTexts, roles: RoleNames, owner: Owner) -> str:
    names = [texts.roles(owner) if role == "owner" and owner is not None else texts.role_phrase(role) for role in role_tuple(roles)]
    return texts.join_list(names, ("和", "and"))


def _departments_text(texts: ProcedureTexts, effect: Remind | Notify, roles: str) -> str:
    """The roles with the departments in which they are looked for, where these are not the lead's alone."""
    if effect.departments == [LEAD]:
        return roles
    names = texts.join_list([_department_name(texts, name) for name in effect.departments], ("和", "and"))
    return texts.choose(f"{names}各自线条的{roles}", f"{roles} of {names}")


def _department_name(texts: ProcedureTexts, name: str) -> str:
    if name in CASE_DEPARTMENTS:
        return texts.choose(*(("主办部门", "the lead department") if name == LEAD else ("各协同部门", "each co-operating department")))
    role = texts.role_phrase(name)
    return texts.choose(f"{role}所在部门", f"the department of {role}")


def _clock_title(texts: ProcedureTexts, clock_id: str) -> str:
    clock = next((clock for clock in texts.procedure.clocks if clock.id == clock_id), None)
    return texts.quote(texts.title(clock) if clock else clock_id)
