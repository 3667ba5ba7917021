"""What is done, in words: one sentence an effect."""

from collections.abc import Sequence

from shared.procedures.explain import terms
from shared.procedures.explain.speech import Speech
from shared.procedures.model.clauses import listed
from shared.procedures.model.effects import (
    AnyEffect,
    Assign,
    Breach,
    Cancel,
    Deem,
    Effect,
    Escalate,
    Notify,
    RaiseLevel,
    Reclassify,
    RefuseFurther,
    Remind,
    Roles,
    SetFacts,
    Start,
    effect,
    names,
)
from shared.procedures.model.timed_entries import Clock, Ladder, WhoOf


def done(speech: Speech, items: Sequence[AnyEffect], owner: Roles | WhoOf | None = None) -> str:
    """The effects in their order, as one clause of a sentence; `owner` is the clock's."""
    return speech.say("；", "; ").join(_one(speech, effect(item), owner) for item in items)


def _one(speech: Speech, item: Effect, owner: Roles | WhoOf | None) -> str:
    said = _said(speech, item, owner)
    if item.when is not None:
        said = speech.say(f"若{speech.condition(item.when)}，{said}", f"if {speech.condition(item.when)}, {said}")
    if item.clause is not None:
        clauses = ", ".join(listed(item.clause))
        said = speech.say(f"{said}（第{clauses}条）", f"{said} (clause {clauses})")
    return said


def _said(speech: Speech, item: Effect, owner: Roles | WhoOf | None) -> str:
    match item:
        case Breach():
            soft = speech.say("（原则性期限，可附理由超出）", " (a limit in principle: it may be exceeded with a recorded reason)")
            return speech.say("记为超期", "it is recorded as overdue") + (soft if item.in_principle else "")
        case Remind():
            roles, means = _roles(speech, item.remind, owner), _means(speech, item.by)
            return speech.say(f"以{means}催办{roles}", f"{roles} is chased by {means}")
        case Notify():
            roles, means = _roles(speech, item.notify, owner), _means(speech, item.by)
            urgent = speech.say("紧急", " at once") if item.urgent else ""
            return speech.say(f"以{means}{urgent}通知{roles}", f"{roles} is told by {means}{urgent}")
        case Escalate():
            return _escalated(speech, item)
        case Deem():
            return speech.say(f"自动视为：{speech.event(item.deem)}", f"by itself this takes place: {speech.event(item.deem)}")
        case Reclassify() | RaiseLevel() | SetFacts():
            return _changed(speech, item)
        case Assign():
            return speech.say(f"指定{speech.role(item.assign)}专人跟进", f"{speech.role(item.assign)} is named to follow the case")
        case Start():
            return speech.say(f"起算时限{_clock(speech, item.start)}", f"the deadline {_clock(speech, item.start)} starts anew")
        case Cancel():
            return speech.say(f"取消时限{_clock(speech, item.cancel)}", f"the deadline {_clock(speech, item.cancel)} is cancelled")
        case RefuseFurther():
            actions = speech.several([speech.quoted(speech.action(action)) for action in names(item.refuse_further)])
            return speech.say(f"此后不再接受{actions}", f"from then on {actions} is refused")
    raise TypeError(f"{type(item).__name__} has no words")


def _changed(speech: Speech, item: Reclassify | RaiseLevel | SetFacts) -> str:
    if isinstance(item, RaiseLevel):
        return speech.say(f"管理层级提高{item.raise_level}级", f"the management level is raised by {item.raise_level}")
    if isinstance(item, SetFacts):
        facts = [f"{speech.quoted(speech.fact(name))} = {speech.value(value)}" for name, value in item.set.items()]
        return speech.say("记入：" + "、".join(facts), "it is put on record that " + ", ".join(facts))
    found = [speech.quoted(speech.class_(item.reclassify))] if item.reclassify else []
    found += [speech.quoted(speech.word(terms.VALUES, item.kind))] if item.kind else []
    return speech.say(f"改为{'、'.join(found)}", f"the case becomes {', '.join(found)}")


def _escalated(speech: Speech, item: Escalate) -> str:
    means = _means(speech, item.by)
    ladder = next((ladder for ladder in speech.procedure.ladders if ladder.id == item.escalate), None)
    if ladder is None:
        role = speech.role(item.escalate)
        return speech.say(
            f"以{means}上报{role}，仍无确认则逐级上报",
            f"the matter is put before {role} by {means}, and without acknowledgement goes on up",
        )
    title = speech.quoted(speech.title(ladder))
    return speech.say(f"按{title}逐级上报：{climb(speech, ladder)}", f"the matter goes up the ladder {title}: {climb(speech, ladder)}")


def climb(speech: Speech, ladder: Ladder) -> str:
    """The rungs of a ladder, and when it goes on up."""
    rungs = " → ".join(speech.roles(rung) for rung in ladder.rungs)
    if ladder.every is None:
        return speech.say(f"{rungs}（仅因新的事由再上一级）", f"{rungs} (only a new cause goes on up)")
    wait = speech.duration(ladder.every)
    return speech.say(f"{rungs}（{wait}无人确认即上一级）", f"{rungs} (up by one after each {wait} without acknowledgement)")


def _roles(speech: Speech, roles: Roles, owner: Roles | WhoOf | None) -> str:
    named = [speech.roles(owner) if role == "owner" and owner is not None else speech.role(role) for role in names(roles)]
    return speech.several(named, ("和", "and"))


def _means(speech: Speech, by: Sequence[str]) -> str:
    return speech.several([speech.word(terms.MEANS, means) for means in by], ("和", "and"))


def _clock(speech: Speech, clock_id: str) -> str:
    clock: Clock | None = next((clock for clock in speech.procedure.clocks if clock.id == clock_id), None)
    return speech.quoted(speech.title(clock) if clock else clock_id)
