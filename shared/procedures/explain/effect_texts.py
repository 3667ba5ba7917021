"""Describes effects, each as a clause of a sentence."""

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
from shared.procedures.model.timed_entries import ActorOfEvent, EscalationLadder


def effects_text(texts: ProcedureTexts, effects: Sequence[AnyEffect], owner: RoleNames | ActorOfEvent | None = None) -> str:
    """The effects in their order, joined by semicolons; `owner` is the owner of the clock that runs them."""
    return texts.choose("；", "; ").join(_effect_with_condition(texts, expand_effect(effect), owner) for effect in effects)


def _effect_with_condition(texts: ProcedureTexts, effect: Effect, owner: RoleNames | ActorOfEvent | None) -> str:
    text = _effect_text(texts, effect, owner)
    if effect.when is not None:
        condition = texts.condition(effect.when)
        text = texts.choose(f"若{condition}，{text}", f"if {condition}, {text}")
    if effect.clause is not None:
        clauses = ", ".join(clause_ids(effect.clause))
        text = texts.choose(f"{text}（第{clauses}条）", f"{text} (clause {clauses})")
    return text


def _effect_text(texts: ProcedureTexts, effect: Effect, owner: RoleNames | ActorOfEvent | None) -> str:
    match effect:
        case Breach():
            exception = texts.choose("（原则性期限，可附理由超出）", " (a limit in principle: it may be exceeded with a recorded reason)")
            return texts.choose("记为超期", "it is recorded as overdue") + (exception if effect.in_principle else "")
        case Remind():
            roles, channels = _role_names(texts, effect.remind, owner), _message_channels(texts, effect.by)
            return texts.choose(f"以{channels}催办{roles}", f"{roles} is chased by {channels}")
        case Notify():
            roles, channels = _role_names(texts, effect.notify, owner), _message_channels(texts, effect.by)
            urgent = texts.choose("紧急", " at once") if effect.urgent else ""
            return texts.choose(f"以{channels}{urgent}通知{roles}", f"{roles} is told by {channels}{urgent}")
        case Escalate():
            return _escalation_text(texts, effect)
        case DeemEvent():
            return texts.choose(f"自动视为：{texts.event(effect.deem)}", f"by itself this takes place: {texts.event(effect.deem)}")
        case Reclassify() | RaiseLevel() | SetFacts():
            return _case_change_text(texts, effect)
        case AssignHandler():
            return texts.choose(f"指定{texts.role(effect.assign)}专人跟进", f"{texts.role(effect.assign)} is named to follow the case")
        case StartClock():
            return texts.choose(
                f"起算时限{_clock_title(texts, effect.start)}", f"the deadline {_clock_title(texts, effect.start)} starts anew"
            )
        case CancelClock():
            return texts.choose(
                f"取消时限{_clock_title(texts, effect.cancel)}", f"the deadline {_clock_title(texts, effect.cancel)} is cancelled"
            )
        case RefuseActions():
            actions = texts.join_list([texts.quote(texts.action(action)) for action in role_tuple(effect.refuse_further)])
            return texts.choose(f"此后不再接受{actions}", f"from then on {actions} is refused")
    raise TypeError(f"{type(effect).__name__}: has no description; add a case for it")


def _case_change_text(texts: ProcedureTexts, effect: Reclassify | RaiseLevel | SetFacts) -> str:
    if isinstance(effect, RaiseLevel):
        return texts.choose(f"管理层级提高{effect.raise_level}级", f"the management level is raised by {effect.raise_level}")
    if isinstance(effect, SetFacts):
        facts = [f"{texts.quote(texts.fact(name))} = {texts.value(value)}" for name, value in effect.set.items()]
        return texts.choose("记入：" + "、".join(facts), "it is put on record that " + ", ".join(facts))
    changes = [texts.quote(texts.class_(effect.reclassify))] if effect.reclassify else []
    changes += [texts.quote(texts.lookup(value_names.VALUE_NAMES, effect.kind))] if effect.kind else []
    return texts.choose(f"改为{'、'.join(changes)}", f"the case becomes {', '.join(changes)}")


def _escalation_text(texts: ProcedureTexts, effect: Escalate) -> str:
    channels = _message_channels(texts, effect.by)
    ladder = next((ladder for ladder in texts.procedure.ladders if ladder.id == effect.escalate), None)
    if ladder is None:
        role = texts.role(effect.escalate)
        return texts.choose(
            f"以{channels}上报{role}，仍无确认则逐级上报",
            f"the matter is put before {role} by {channels}, and without acknowledgement goes on up",
        )
    title = texts.quote(texts.title(ladder))
    return texts.choose(
        f"按{title}逐级上报：{rungs_text(texts, ladder)}", f"the matter goes up the ladder {title}: {rungs_text(texts, ladder)}"
    )


def rungs_text(texts: ProcedureTexts, ladder: EscalationLadder) -> str:
    """The rungs of a ladder, and when the next one follows."""
    rungs = " → ".join(texts.roles(rung) for rung in ladder.rungs)
    if ladder.every is None:
        return texts.choose(f"{rungs}（仅因新的事由再上一级）", f"{rungs} (only a new cause goes on up)")
    wait = texts.duration(ladder.every)
    return texts.choose(f"{rungs}（{wait}无人确认即上一级）", f"{rungs} (up by one after each {wait} without acknowledgement)")


def _role_names(texts: ProcedureTexts, roles: RoleNames, owner: RoleNames | ActorOfEvent | None) -> str:
    names = [texts.roles(owner) if role == "owner" and owner is not None else texts.role(role) for role in role_tuple(roles)]
    return texts.join_list(names, ("和", "and"))


def _message_channels(texts: ProcedureTexts, by: Sequence[str]) -> str:
    return texts.join_list([texts.lookup(value_names.MESSAGE_CHANNEL_NAMES, channel) for channel in by], ("和", "and"))


def _clock_title(texts: ProcedureTexts, clock_id: str) -> str:
    clock = next((clock for clock in texts.procedure.clocks if clock.id == clock_id), None)
    return texts.quote(texts.title(clock) if clock else clock_id)
