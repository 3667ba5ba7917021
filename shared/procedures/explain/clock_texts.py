"""Describes clocks, escalation ladders and periodic duties in sentences."""

from shared.procedures.explain import value_names
from shared.procedures.explain.effect_texts import effects_text, rungs_text
from shared.procedures.explain.procedure_texts import ProcedureTexts
from shared.procedures.model.clauses import clause_ids
from shared.procedures.model.duration import Duration
from shared.procedures.model.timed_entries import ClockEntry, DueEntry, EscalationLadder, LimitSource, PeriodicDuty, ReminderEntry

_WHOLE_DAYS = frozenset({"working_days", "days", "months"})


def describe_clock(texts: ProcedureTexts, entry: ClockEntry) -> list[str]:
    """A clock: its start and end, who has to act, and what happens at each limit."""
    title = texts.quote(texts.title(entry))
    start = texts.selector(entry.starts)
    end = texts.selector(entry.stops) if entry.stops is not None else ""
    owner = texts.roles(entry.owner)
    lines = [
        texts.choose(
            f"时限{title}：自{start}起算" + (f"，至{end}为止" if end else "") + f"；由{owner}负责。",
            f"Deadline {title}: runs from {start}" + (f" until {end}" if end else "") + f"; {owner} has to act.",
        )
    ]
    if entry.when is not None:
        lines.append(texts.choose(f"仅适用于：{texts.condition(entry.when)}。", f"Only if {texts.condition(entry.when)}."))
    lines += [line for due in entry.due for line in _due_lines(texts, entry, due)]
    if entry.every is not None:
        effects = effects_text(texts, entry.do, entry.owner)
        interval = texts.limit(entry.every)
        lines.append(texts.choose(f"在此之前每{interval}：{effects}。", f"Until then, every {interval}: {effects}."))
    lines += [_reminder_line(texts, entry, reminder) for reminder in entry.reminders]
    return lines + _change_lines(texts, entry)


def _change_lines(texts: ProcedureTexts, entry: ClockEntry) -> list[str]:
    """The events that restart, pause, resume or cancel the clock, and whether a late action is accepted."""
    sentences = (
        (entry.restarts, "发生{}时，重新起算。", "On {} it starts anew with a fresh deadline."),
        (entry.pauses, "发生{}时暂停计时。", "It stands still from {} on."),
        (entry.resumes, "发生{}时恢复计时。", "It runs on from {} on."),
        (entry.cancels, "发生{}时取消。", "It is cancelled by {}."),
    )
    lines = [texts.choose(zh, en).format(texts.selector(selector)) for selector, zh, en in sentences if selector is not None]
    if entry.calendar == "department":
        by_department = "按各时段主办部门的日历计时。", "It counts by the calendar of the department that leads at each moment."
        lines.append(texts.choose(*by_department))
    if entry.late == "accept":
        lines.append(texts.choose("迟到的操作仍予接受。", "An action that comes late is still accepted."))
    return lines


def _due_lines(texts: ProcedureTexts, entry: ClockEntry, due: DueEntry) -> list[str]:
    effects = effects_text(texts, due.do, entry.owner)
    limit = texts.limit(due.within) + _day_counting(texts, entry, due.within)
    clauses = ", ".join(clause_ids(due.clause))
    reference = texts.choose(f"（第{clauses}条）", f" (clause {clauses})") if clauses else ""
    condition = texts.choose(f"若{texts.condition(due.when)}，", f"If {texts.condition(due.when)}: ") if due.when is not None else ""
    lines = [
        texts.choose(
            f"{condition}{limit}仍未完成的{reference}：{effects}。",
            f"{condition}Limit {limit}{reference}; if it is not met: {effects}.",
        )
    ]
    if due.or_agreed:
        earlier = due.or_agreed == "earlier"
        lines.append(
            texts.choose(
                "与投诉人约定的日期" + ("更早的，以约定为准。" if earlier else "取代此期限。"),
                "A date agreed with the complainant replaces this limit" + (" if it is earlier." if earlier else "."),
            )
        )
    return lines


def _day_counting(texts: ProcedureTexts, entry: ClockEntry, within: LimitSource) -> str:
    """How a limit in whole days is counted, in brackets; empty for other limits."""
    if not isinstance(within, str):
        return ""
    kind = Duration.parse(within).kind
    if kind not in _WHOLE_DAYS:
        return ""
    inclusive = entry.counting == "inclusive"
    counting = texts.choose(
        "含起算当日" if inclusive else "起算当日不计", "the first day counts" if inclusive else "the first day does not count"
    )
    if kind != "working_days" and entry.roll == "none":
        counting += texts.choose("，末日逢休息日不顺延", ", not extended if the last day is not worked")
    return texts.choose(f"（{counting}）", f" ({counting})")


def _reminder_line(texts: ProcedureTexts, entry: ClockEntry, reminder: ReminderEntry) -> str:
    effects = effects_text(texts, reminder.do, entry.owner)
    if reminder.before is not None:
        before = texts.duration(reminder.before)
        moment = texts.choose(f"到期前{before}", f"{before} before it is due")
    else:
        share = round(100 * (reminder.share or 0))
        moment = texts.choose(f"期限用去{share}%时", f"When {share} % of the time is used up")
    condition = texts.choose(f"（若{texts.condition(reminder.when)}）", f", if {texts.condition(reminder.when)}") if reminder.when else ""
    return f"{moment[0].upper()}{moment[1:]}{condition}" + texts.choose("：", ": ") + effects + texts.choose("。", ".")


def describe_ladder(texts: ProcedureTexts, entry: EscalationLadder) -> list[str]:
    """An escalation ladder with its rungs."""
    title = texts.quote(texts.title(entry))
    return [texts.choose(f"上报阶梯{title}：", f"Ladder {title}: ") + rungs_text(texts, entry)]


def describe_duty(texts: ProcedureTexts, entry: PeriodicDuty) -> list[str]:
    """A recurring task without a case."""
    period, owner, title = texts.lookup(value_names.PERIOD_NAMES, entry.every), texts.role(entry.owner), texts.quote(texts.title(entry))
    lines = [texts.choose(f"{period}由{owner}完成{title}。", f"{period.capitalize()}, {owner} sees to {title}.")]
    if entry.report is not None:
        lines.append(texts.choose("系统编制统计报表并发送。", "The system draws up the report with its figures and sends it."))
    if entry.seal:
        lines.append(
            texts.choose(
                "系统将当年记录封存，此后任何改动都可被发现。", "The system seals the year's records: any later change can be found."
            )
        )
    return lines
