"""Describes clocks, escalation ladders and periodic duties in sentences."""

from shared.procedures.explain import value_names
from shared.procedures.explain.effect_texts import effects_text, rungs_text
from shared.procedures.explain.procedure_texts import ProcedureTexts
from shared.procedures.model.clauses import clause_ids
from shared.procedures.model.duration import Duration
from shared.procedures.model.effects import Breach, DeemEvent, expand_effect
from shared.procedures.model.form_layout.lists import DEFAULT_LIST
from shared.procedures.model.selectors import requires_all_events
from shared.procedures.model.timed_entries import (
    ClockEntry,
    DueEntry,
    EscalationLadder,
    LimitDefaults,
    LimitSource,
    PeriodicDuty,
    ReminderEntry,
)

_WHOLE_DAYS = frozenset({"working_days", "days", "months"})


def describe_clock(texts: ProcedureTexts, entry: ClockEntry) -> list[str]:
    """A clock: its start and end, who has to act, and what happens at each limit."""
    title, owner = texts.quote(texts.title(entry)), texts.first_held(entry.owner)
    start, end = texts.selector(entry.starts), _end(texts, entry)
    lines = [
        texts.choose(
            f"时限{title}：自{start}起算{end}，由{owner}负责。", f"Deadline {title}: runs from {start}{end}; responsible: {owner}."
        )
    ]
    if entry.when is not None:
        lines.append(texts.choose(f"适用条件：{texts.condition(entry.when)}。", f"Condition: {texts.condition(entry.when)}."))
    lines += [line for due in entry.due for line in _due_lines(texts, entry, due)]
    if entry.every is not None:
        effects, interval = effects_text(texts, entry.do, entry.owner), texts.limit(entry.every)
        lines.append(texts.choose(f"其间每隔{interval}，系统{effects}。", f"Until then, every {interval}, the system {effects}."))
    lines += [_reminder_line(texts, entry, reminder) for reminder in entry.reminders]
    return lines + _default_lines(texts, entry) + _change_lines(texts, entry)


def _default_lines(texts: ProcedureTexts, entry: ClockEntry) -> list[str]:
    """Default effects of the limit, where the clock has no entries of its own."""
    limits = entry.effective_limits(texts.procedure.limits)
    # What holds for every limit of the procedure stands once, in the general rules.
    lines = _limit_default_lines(texts, limits) if _has_limit(entry) and limits != texts.procedure.limits else []
    expected = entry.expects or entry.stops
    if entry.every is not None and limits.missed_period and expected is not None:
        act = texts.selector(expected)
        zh = f"一期之内没有{act}的，记为超期，并报告上一级。"
        lines.append(texts.choose(zh, f"A period without {act} counts as missed, and the role above is told."))
    return lines


def _has_limit(entry: ClockEntry) -> bool:
    return any(isinstance(expand_effect(effect), Breach) for due in entry.due for effect in due.do)


def _limit_default_lines(texts: ProcedureTexts, limits: LimitDefaults) -> list[str]:
    zh, en = _limit_default_parts(texts, limits)
    if not zh:
        return []
    return [texts.choose(f"本条另有安排的之外，系统{zh}。", f"Where this entry says nothing else, the system {en}.")]


def describe_limit_defaults(texts: ProcedureTexts) -> list[str]:
    """Default effects of every limit without entries of its own."""
    zh, en = _limit_default_parts(texts, texts.procedure.limits)
    if not zh or not any(_has_limit(clock) for clock in texts.procedure.clocks):
        return []
    return [
        texts.choose(
            f"届满未完成即记为超期的各时限，所在条款未另作安排的，系统{zh}。",
            f"For every deadline whose missing is recorded, where its own entry says nothing else, the system {en}.",
        )
    ]


def _limit_default_parts(texts: ProcedureTexts, limits: LimitDefaults) -> tuple[str, str]:
    parts: list[tuple[str, str]] = []
    if limits.remind_at is not None:
        share = round(100 * limits.remind_at)
        parts.append((f"在期限用去{share}%时提醒负责人", f"reminds whoever is responsible when {share}% of the time is used up"))
    if limits.tell_owner:
        parts.append(("届满未完成的即行催办", "urges them when the limit is missed"))
    if limits.escalate_after is not None:
        after = texts.duration(limits.escalate_after)
        every = f"then, after every {after} (or the limit's own time, where that is shorter), tells the next role up"
        parts.append((f"此后每隔{after}（期限更短的，每隔同样长的时间）向更上一级报告", every))
    if not parts:
        return "", ""
    zh, en = "，".join(part for part, _ in parts), ", ".join(part for _, part in parts)
    return f"{zh}，至时限结束为止", f"{en}, until the deadline ends"


def _end(texts: ProcedureTexts, entry: ClockEntry) -> str:
    if entry.stops is None:
        return ""
    events = texts.selector(entry.stops)
    if requires_all_events(entry.stops):
        return texts.choose(f"，至{events}均已完成为止", f" until both {events}")
    return texts.choose(f"，至{events}为止", f" until {events}")


def _change_lines(texts: ProcedureTexts, entry: ClockEntry) -> list[str]:
    """The events that restart, pause, resume or cancel the clock, and whether a late action is accepted."""
    sentences = (
        (entry.restarts, "遇{}，期限重新起算。", "On {} the limit starts afresh."),
        (entry.pauses, "遇{}，暂停计时。", "On {} the time stops."),
        (entry.resumes, "遇{}，恢复计时。", "On {} the time goes on."),
        (entry.cancels, "遇{}，时限取消。", "On {} the deadline is cancelled."),
    )
    lines = [texts.choose(zh, en).format(texts.selector(selector)) for selector, zh, en in sentences if selector is not None]
    if entry.calendar == "department":
        by_department = "按各时段主办部门的日历计时。", "It counts by the calendar of the department that leads at each moment."
        lines.append(texts.choose(*by_department))
    deemed = dict.fromkeys(effect.deem for due in entry.due for effect in due.do if isinstance(effect, DeemEvent))
    if entry.stops is None:
        return lines
    late = texts.selector(entry.stops)
    for event in map(texts.event, deemed):
        accepted = ("仍予接受", "still accepted") if entry.late == "accept" else ("不再接受", "refused")
        lines.append(texts.choose(f"{event}之后才{late}的，{accepted[0]}。", f"After {event}, {late} is {accepted[1]}."))
    return lines


def _due_lines(texts: ProcedureTexts, entry: ClockEntry, due: DueEntry) -> list[str]:
    effects = effects_text(texts, due.do, entry.owner, overdue=True)
    limit = texts.limit(due.within) + _day_counting(texts, entry, due.within) + texts.reference(clause_ids(due.clause))
    condition = texts.choose(f"若{texts.condition(due.when)}，", f"If {texts.condition(due.when)}: ") if due.when is not None else ""
    lines = [
        texts.choose(
            f"{condition}期限：{limit}。届满未完成的，{effects}。",
            f"{condition}{'limit' if condition else 'Limit'}: {limit}. If it is not met, the system {effects}.",
        )
    ]
    if due.or_agreed:
        earlier = due.or_agreed == "earlier"
        lines.append(
            texts.choose(
                "与投诉人约定的日期" + ("早于此期限的，以约定为准。" if earlier else "取代此期限。"),
                "A date agreed with the complainant replaces this limit" + (" if it is earlier." if earlier else "."),
            )
        )
    return lines


def _day_counting(texts: ProcedureTexts, entry: ClockEntry, within: LimitSource) -> str:
    """How a limit in whole days is counted; empty for other limits."""
    if not isinstance(within, str):
        return ""
    kind = Duration.parse(within).kind
    if kind not in _WHOLE_DAYS:
        return ""
    inclusive = entry.counting == "inclusive"
    counting = texts.choose(
        "，起算当日计入" if inclusive else "，起算当日不计", ", the first day included" if inclusive else ", the first day not included"
    )
    if kind != "working_days" and entry.roll == "none":
        counting += texts.choose("，末日逢休息日不顺延", ", not extended if the last day is not worked")
    return counting


def _reminder_line(texts: ProcedureTexts, entry: ClockEntry, reminder: ReminderEntry) -> str:
    effects = effects_text(texts, reminder.do, entry.owner)
    if reminder.before is not None:
        before = texts.duration(reminder.before)
        moment = texts.choose(f"届满前{before}", f"{before} before the limit")
    else:
        share = round(100 * (reminder.share or 0))
        moment = texts.choose(f"期限用去{share}%时", f"when {share}% of the time is used up")
    reference = texts.reference(clause for clause in clause_ids(reminder.clause) if clause not in clause_ids(entry.clause))
    if reminder.when is None:
        return texts.choose(f"{moment}，系统{effects}{reference}。", f"{moment[0].upper()}{moment[1:]}, the system {effects}{reference}.")
    condition = texts.condition(reminder.when)
    return texts.choose(
        f"{moment}，若{condition}，系统{effects}{reference}。",
        f"{moment[0].upper()}{moment[1:]}, if {condition}, the system {effects}{reference}.",
    )


def describe_ladder(texts: ProcedureTexts, entry: EscalationLadder) -> list[str]:
    """An escalation ladder with its rungs."""
    title = texts.quote(texts.title(entry))
    channels = texts.join_list([texts.lookup(value_names.MESSAGE_CHANNEL_NAMES, channel) for channel in entry.by], ("和", "and"))
    return [texts.choose(f"上报顺序{title}（{channels}）：", f"Order of escalation {title} (by {channels}): ") + rungs_text(texts, entry)]


def describe_duty(texts: ProcedureTexts, entry: PeriodicDuty) -> list[str]:
    """A recurring task without a case."""
    period, owner = texts.period(entry.every_), texts.role_phrase(entry.owner)
    title = texts.quote(texts.title(entry))
    channels = texts.join_list([texts.lookup(value_names.MESSAGE_CHANNEL_NAMES, channel) for channel in entry.by], ("和", "and"))
    lines = [
        texts.choose(
            f"{period}由{owner}完成{title}；系统届时以{channels}通知。",
            f"{period[0].upper()}{period[1:]}, {title} is due from {owner}; the system then sends a notice by {channels}.",
        )
    ]
    if entry.report is not None:
        lines.append(texts.choose("系统为此编制当期统计报表。", "The system draws up the period's figures for it."))
    lines += _report_parts(texts, entry)
    if entry.seal:
        lines.append(
            texts.choose(
                "系统将当年记录封存，此后任何改动都可被发现。", "The system seals the year's records, so that any later change is detected."
            )
        )
    return lines


def _report_parts(texts: ProcedureTexts, entry: PeriodicDuty) -> list[str]:
    """The lists that a duty's report contains, and by when it is signed."""
    if entry.report is None:
        return []
    titles = {listed.id: texts.title(listed) for listed in [*texts.procedure.lists, DEFAULT_LIST]}
    names = texts.join_list([texts.document(titles[name]) for name in entry.lists if name in titles], ("和", "and"))
    lines = [texts.choose(f"报告附期末当时的{names}。", f"The report contains {names}, as at the end of the period.")] if names else []
    if entry.sign_within is not None:
        owner, limit = texts.role_phrase(entry.owner), texts.duration(entry.sign_within)
        lines.append(
            texts.choose(
                f"{owner}应在报告生成后{limit}内签署；逾期未签的，系统通知{owner}及其上级。",
                f"{owner[0].upper()}{owner[1:]} signs the report within {limit} of its completion; "
                f"if it is not signed by then, the system notifies {owner} and the role above.",
            )
        )
    return lines
