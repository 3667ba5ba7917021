"""Clocks, ladders and duties in words."""

from shared.procedures.explain import terms
from shared.procedures.explain.effects import climb, done
from shared.procedures.explain.speech import Speech
from shared.procedures.model.clauses import listed
from shared.procedures.model.duration import Duration
from shared.procedures.model.timed_entries import Clock, Due, Duty, Ladder, Reminder, Within

_WHOLE_DAYS = frozenset({"working_days", "days", "months"})


def clock(speech: Speech, entry: Clock) -> list[str]:
    """A clock: from when to when, who has to act, and what happens at each threshold."""
    title = speech.quoted(speech.title(entry))
    starts = speech.selector(entry.starts)
    until = speech.selector(entry.stops) if entry.stops is not None else ""
    who = speech.roles(entry.owner)
    first = speech.say(
        f"时限{title}：自{starts}起算" + (f"，至{until}为止" if until else "") + f"；由{who}负责。",
        f"Deadline {title}: runs from {starts}" + (f" until {until}" if until else "") + f"; {who} has to act.",
    )
    lines = [first]
    if entry.when is not None:
        lines.append(speech.say(f"仅适用于：{speech.condition(entry.when)}。", f"Only if {speech.condition(entry.when)}."))
    lines += [line for due in entry.due for line in _due(speech, entry, due)]
    if entry.every is not None:
        effects = done(speech, entry.do, entry.owner)
        each = speech.limit(entry.every)
        lines.append(speech.say(f"在此之前每{each}：{effects}。", f"Until then, every {each}: {effects}."))
    lines += [_reminder(speech, entry, reminder) for reminder in entry.reminders]
    return lines + _course(speech, entry)


def _course(speech: Speech, entry: Clock) -> list[str]:
    named = (
        (entry.restarts, "发生{}时，重新起算。", "On {} it starts anew with a fresh deadline."),
        (entry.pauses, "发生{}时暂停计时。", "It stands still from {} on."),
        (entry.resumes, "发生{}时恢复计时。", "It runs on from {} on."),
        (entry.cancels, "发生{}时取消。", "It is cancelled by {}."),
    )
    lines = [speech.say(zh, en).format(speech.selector(selector)) for selector, zh, en in named if selector is not None]
    if entry.late == "accept":
        lines.append(speech.say("迟到的操作仍予接受。", "An action that comes late is still accepted."))
    return lines


def _due(speech: Speech, entry: Clock, due: Due) -> list[str]:
    effects = done(speech, due.do, entry.owner)
    limit, counted = speech.limit(due.within), _counted(speech, entry, due.within)
    where = speech.say(f"（第{', '.join(listed(due.clause))}条）", f" (clause {', '.join(listed(due.clause))})") if due.clause else ""
    only = speech.say(f"若{speech.condition(due.when)}，", f"If {speech.condition(due.when)}: ") if due.when is not None else ""
    lines = [
        speech.say(
            f"{only}{limit}{counted}仍未完成的{where}：{effects}。", f"{only}Limit {limit}{counted}{where}; if it is not met: {effects}."
        )
    ]
    if due.or_agreed:
        earlier = due.or_agreed == "earlier"
        lines.append(
            speech.say(
                "与投诉人约定的日期" + ("更早的，以约定为准。" if earlier else "取代此期限。"),
                "A date agreed with the complainant replaces this limit" + (" if it is earlier." if earlier else "."),
            )
        )
    return lines


def _counted(speech: Speech, entry: Clock, within: Within) -> str:
    if not isinstance(within, str):
        return ""
    kind = Duration.parse(within).kind
    if kind not in _WHOLE_DAYS:
        return ""
    inclusive = entry.counting == "inclusive"
    said = speech.say(
        "含起算当日" if inclusive else "起算当日不计", "the first day counts" if inclusive else "the first day does not count"
    )
    if kind != "working_days" and entry.roll == "none":
        said += speech.say("，末日逢休息日不顺延", ", not extended if the last day is not worked")
    return speech.say(f"（{said}）", f" ({said})")


def _reminder(speech: Speech, entry: Clock, reminder: Reminder) -> str:
    effects = done(speech, reminder.do, entry.owner)
    if reminder.before is not None:
        before = speech.duration(reminder.before)
        moment = speech.say(f"到期前{before}", f"{before} before it is due")
    else:
        share = round(100 * (reminder.share or 0))
        moment = speech.say(f"期限用去{share}%时", f"When {share} % of the time is used up")
    only = speech.say(f"（若{speech.condition(reminder.when)}）", f", if {speech.condition(reminder.when)}") if reminder.when else ""
    return f"{moment[0].upper()}{moment[1:]}{only}" + speech.say("：", ": ") + effects + speech.say("。", ".")


def ladder(speech: Speech, entry: Ladder) -> list[str]:
    """A ladder with its rungs."""
    return [
        speech.say(f"上报阶梯{speech.quoted(speech.title(entry))}：", f"Ladder {speech.quoted(speech.title(entry))}: ")
        + climb(speech, entry)
    ]


def duty(speech: Speech, entry: Duty) -> list[str]:
    """A duty without a case."""
    when, who, title = speech.word(terms.PERIODS, entry.every), speech.role(entry.owner), speech.quoted(speech.title(entry))
    lines = [speech.say(f"{when}由{who}完成{title}。", f"{when.capitalize()}, {who} sees to {title}.")]
    if entry.report is not None:
        lines.append(speech.say("系统编制统计报表并发送。", "The system draws up the report with its figures and sends it."))
    if entry.seal:
        lines.append(
            speech.say(
                "系统将当年记录封存，此后任何改动都可被发现。", "The system seals the year's records: any later change can be found."
            )
        )
    return lines
