"""What is done, in words: one sentence an effect."""

from collections.abc import Sequence

from shared.procedures.explain import value_names
from shared.procedures.explain.procedure_texts import ProcedureTexts
from shared.procedures.model.clauses import clause_ids
from shared.procedures.model.effects import (
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
from shared.procedures.model.timed_entries import ActorOfEvent, ClockEntry, EscalationLadder


def effects_text(texts: ProcedureTexts, effects: Sequence[AnyEffect], owner: RoleNames | ActorOfEvent | None = None) -> str:
    """The effects in their order, as one clause of a sentence; `owner` is the clock's."""
    return texts.choose("；", "; ").join(_effect_with_condition(texts, expand_effect(item), owner) for item in effects)


def _effect_with_condition(texts: ProcedureTexts, item: Effect, owner: RoleNames | ActorOfEvent | None) -> str:
    said = _effect_text(texts, item, owner)
    if item.when is not None:
        said = texts.choose(f"若{texts.condition(item.when)}，{said}", f"if {texts.condition(item.when)}, {said}")
    if item.clause is not None:
        clauses = ", ".join(clause_ids(item.clause))
        said = texts.choose(f"{said}（第{clauses}条）", f"{said} (clause {clauses})")
    return said


def _effect_text(texts: ProcedureTexts, item: Effect, owner: RoleNames | ActorOfEvent | None) -> str:
    match item:
        case Breach():
            soft = texts.choose("（原则性期限，可附理由超出）", " (a limit in principle: it may be exceeded with a recorded reason)")
            return texts.choose("记为超期", "it is recorded as overdue") + (soft if item.in_principle else "")
        case Remind():
            roles, means = _role_names(texts, item.remind, owner), _message_channels(texts, item.by)
            return texts.choose(f"以{means}催办{roles}", f"{roles} is chased by {means}")
        case Notify():
            roles, means = _role_names(texts, item.notify, owner), _message_channels(texts, item.by)
            urgent = texts.choose("紧急", " at once") if item.urgent else ""
            return texts.choose(f"以{means}{urgent}通知{roles}", f"{roles} is told by {means}{urgent}")
        case Escalate():
            return _escalation_text(texts, item)
        case DeemEvent():
            return texts.choose(f"自动视为：{texts.event(item.deem)}", f"by itself this takes place: {texts.event(item.deem)}")
        case Reclassify() | RaiseLevel() | SetFacts():
            return _case_change_text(texts, item)
        case AssignHandler():
            return texts.choose(f"指定{texts.role(item.assign)}专人跟进", f"{texts.role(item.assign)} is named to follow the case")
        case StartClock():
            return texts.choose(f"起算时限{_clock_title(texts, item.start)}", f"the deadline {_clock_title(texts, item.start)} starts anew")
        case CancelClock():
            return texts.choose(
                f"取消时限{_clock_title(texts, item.cancel)}", f"the deadline {_clock_title(texts, item.cancel)} is cancelled"
            )
        case RefuseActions():
            actions = texts.join_list([texts.quote(texts.action(action)) for action in role_tuple(item.refuse_further)])
            return texts.choose(f"此后不再接受{actions}", f"from then on {actions} is refused")
    raise TypeError(f"{type(item).__name__} has no words")


def _case_change_text(texts: ProcedureTexts, item: Reclassify | RaiseLevel | SetFacts) -> str:
    if isinstance(item, RaiseLevel):
        return texts.choose(f"管理层级提高{item.raise_level}级", f"the management level is raised by {item.raise_level}")
    if isinstance(item, SetFacts):
        facts = [f"{texts.quote(texts.fact(name))} = {texts.value(value)}" for name, value in item.set.items()]
        return texts.choose("记入：" + "、".join(facts), "it is put on record that " + ", ".join(facts))
    found = [texts.quote(texts.class_(item.reclassify))] if item.reclassify else []
    found += [texts.quote(texts.lookup(value_names.VALUE_NAMES, item.kind))] if item.kind else []
    return texts.choose(f"改为{'、'.join(found)}", f"the case becomes {', '.join(found)}")


def _escalation_text(texts: ProcedureTexts, item: Escalate) -> str:
    means = _message_channels(texts, item.by)
    ladder = next((ladder for ladder in texts.procedure.ladders if ladder.id == item.escalate), None)
    if ladder is None:
        role = texts.role(item.escalate)
        return texts.choose(
            f"以{means}上报{role}，仍无确认则逐级上报",
            f"the matter is put before {role} by {means}, and without acknowledgement goes on up",
        )
    title = texts.quote(texts.title(ladder))
    return texts.choose(
        f"按{title}逐级上报：{rungs_text(texts, ladder)}", f"the matter goes up the ladder {title}: {rungs_text(texts, ladder)}"
    )


def rungs_text(texts: ProcedureTexts, ladder: EscalationLadder) -> str:
    """The rungs of a ladder, and when it goes on up."""
    rungs = " → ".join(texts.roles(rung) for rung in ladder.rungs)
    if ladder.every is None:
        return texts.choose(f"{rungs}（仅因新的事由再上一级）", f"{rungs} (only a new cause goes on up)")
    wait = texts.duration(ladder.every)
    return texts.choose(f"{rungs}（{wait}无人确认即上一级）", f"{rungs} (up by one after each {wait} without acknowledgement)")


def _role_names(texts: ProcedureTexts, roles: RoleNames, owner: RoleNames | ActorOfEvent | None) -> str:
    named = [texts.roles(owner) if role == "owner" and owner is not None else texts.role(role) for role in role_tuple(roles)]
    return texts.join_list(named, ("和", "and"))


def _message_channels(texts: ProcedureTexts, by: Sequence[str]) -> str:
    return texts.join_list([texts.lookup(value_names.MESSAGE_CHANNEL_NAMES, means) for means in by], ("和", "and"))


def _clock_title(texts: ProcedureTexts, clock_id: str) -> str:
    clock: ClockEntry | None = next((clock for clock in texts.procedure.clocks if clock.id == clock_id), None)
    return texts.quote(texts.title(clock) if clock else clock_id)
