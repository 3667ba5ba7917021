"""Sentences that explain the due instant of a deadline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, Final

from services.desk.drawings.clock.duration_text import duration_text
from services.desk.drawings.words import minute_text
from shared.procedures.explain.procedure_texts import ProcedureTexts

_ONE_DAY: Final = timedelta(days=1)
_MOST_STRETCHES: Final = 12
_REASONS: Final[dict[str, tuple[str, str]]] = {
    "start_day": ("开始当日", "the start day"),
    "after_close": ("下班后开始的当日", "the day on which it started after close"),
    "weekend": ("周末", "weekends"),
    "day_off": ("放假", "days off"),
    "paused": ("暂停", "paused days"),
    "counted_before": ("已由前一部门计入的日期", "days that the department before had counted"),
    "lead_changed": ("变更牵头部门之日", "days on which the lead changed"),
}


def why_due(explanation: Mapping[str, Any], texts: ProcedureTexts) -> list[str]:
    """The sentences in the order in which the deadline is counted, in the language of `texts`."""
    return list(_sentences(explanation, texts))


def _sentences(explanation: Mapping[str, Any], texts: ProcedureTexts) -> Iterator[str]:
    yield _basis(explanation, texts)
    yield from _calendars(explanation, texts)
    if explanation["unit"] in ("d", "wd"):
        yield from _counted_days(explanation["segments"], texts)
    else:
        yield from _counted_time(explanation, texts)
    for pause in explanation["pauses"]:
        yield _pause(pause, texts, by_days=explanation["unit"] in ("d", "wd"))
    for extension in explanation["extensions"]:
        yield _extension(extension, texts)
    if rolled := explanation["rolled"]:
        yield _roll(rolled, texts)
    yield _due(explanation, texts)
    if explanation["provisional"]:
        after = explanation["unpublished_after"]
        yield texts.choose(
            f"暂定：{after}之后的放假安排尚未公布，公布后可能变动。",
            f"Provisional: the public schedule after {after} is not yet announced, and may move this.",
        )


def _basis(explanation: Mapping[str, Any], texts: ProcedureTexts) -> str:
    duration, start = texts.duration(explanation["duration"]), _minute(explanation["start"])
    clauses = explanation.get("clauses") or [clause for clause in [explanation.get("clause")] if clause]
    title = texts.document(texts.title(texts.procedure.title))
    event = explanation.get("starts_on")
    if texts.is_chinese:
        begins = f"自{start}{f'（{texts.event(event)}）' if event else ''}起算"
        return f"依据{title}{texts.clause_list(clauses)}，{begins}，时限：{duration}。"
    by = f"By {title}{f', {texts.clause_list(clauses)}' if clauses else ''}"
    begins = f"counted from {start}{f' ({texts.event(event)})' if event else ''}"
    return f"{by}: {duration}, {begins}."


def _calendars(explanation: Mapping[str, Any], texts: ProcedureTexts) -> Iterator[str]:
    if "calendars" in explanation:
        for piece in explanation["calendars"]:
            begin, end = _minute(piece["from"]), "" if piece["to"] is None else _minute(piece["to"])
            yield texts.choose(
                f"{begin}至{end or '今'}按日历 {piece['id']}（{piece['version']}版）计算。",
                f"From {begin}{f' to {end}' if end else ''} by the calendar {piece['id']}, version {piece['version']}.",
            )
        return
    calendar = explanation["calendar"]
    yield texts.choose(
        f"日历：{calendar['id']}，{calendar['version']}版，时区 {calendar['zone']}。",
        f"Calendar {calendar['id']}, version {calendar['version']}, zone {calendar['zone']}.",
    )


def _counted_days(segments: Sequence[Mapping[str, Any]], texts: ProcedureTexts) -> Iterator[str]:
    counted = [_day(segment) for segment in segments if segment["amount"]]
    if counted:
        listed = _ranges(counted, texts)
        yield texts.choose(f"计入{len(counted)}天：{listed}。", f"{_days_in_words(len(counted))} counted: {listed}.")
    for reason, (zh, en) in _REASONS.items():
        days = [_day(segment) for segment in segments if not segment["amount"] and segment["because"] == reason]
        if days:
            listed = _ranges(days, texts)
            yield texts.choose(f"不计{zh}：{listed}。", f"Not counted, {en}: {listed}.")
    make_up = [_day(segment) for segment in segments if segment["amount"] and segment["because"] == "make_up_day"]
    if make_up:
        listed = _ranges(make_up, texts)
        yield texts.choose(f"其中调休上班：{listed}。", f"Of these, make-up working days: {listed}.")
    for segment in segments:
        if hours := segment.get("hours"):
            at, listed = _ranges([_day(segment)], texts), ", ".join(hours)
            yield texts.choose(f"{at}工作时间为 {listed}。", f"On {at} the working hours are {listed}.")


def _days_in_words(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def _counted_time(explanation: Mapping[str, Any], texts: ProcedureTexts) -> Iterator[str]:
    segments = explanation["segments"]
    if segments:
        shown = [
            f"{_minute(segment['from'])}–{_end(segment)} ({duration_text(timedelta(seconds=segment['amount']))})"
            for segment in segments[:_MOST_STRETCHES]
        ]
        shown += ["…"] if len(segments) > len(shown) else []
        total = duration_text(timedelta(seconds=sum(segment["amount"] for segment in segments)))
        listed = texts.choose("；", "; ").join(shown)
        yield texts.choose(f"计入：{listed}；合计 {total}。", f"Counted: {listed}; together {total}.")
    off = explanation.get("days_off", ())
    for reason in dict.fromkeys(day["because"] for day in off):
        listed = _ranges([_day(day) for day in off if day["because"] == reason], texts)
        yield texts.choose(f"其间{_REASONS[reason][0]}：{listed}，不计。", f"In between, not counted, {_REASONS[reason][1]}: {listed}.")


def _end(segment: Mapping[str, Any]) -> str:
    start, end = datetime.fromisoformat(segment["from"]), datetime.fromisoformat(segment["to"])
    return minute_text(end)[11:] if start.date() == end.date() else minute_text(end)


def _pause(pause: Mapping[str, Any], texts: ProcedureTexts, *, by_days: bool) -> str:
    begin = _minute(pause["from"])
    if pause["to"] is None:
        return texts.choose(f"自{begin}起暂停，尚未恢复。", f"Paused since {begin}, not yet resumed.")
    end = _minute(pause["to"])
    if by_days:
        return texts.choose(
            f"{begin}至{end}暂停：在此期间结束的日子不计。", f"Paused from {begin} to {end}: a day that ends in between does not count."
        )
    return texts.choose(f"{begin}至{end}暂停，不计。", f"Paused from {begin} to {end}, which does not count.")


def _extension(extension: Mapping[str, Any], texts: ProcedureTexts) -> str:
    if "by" in extension:
        by = texts.duration(extension["by"])
        return texts.choose(f"准予延长{by}。", f"Extended by {by}.")
    until = _minute(extension["until"])
    return texts.choose(f"准予延长至{until}。", f"Extended until {until}.")


def _roll(rolled: Mapping[str, Any], texts: ProcedureTexts) -> str:
    reasons = [texts.choose(*_REASONS[reason]) for reason in dict.fromkeys(day["because"] for day in rolled["over"]) if reason in _REASONS]
    listed = texts.join_list(reasons, ("、", "and"))
    first, last = (_ranges([date.fromisoformat(rolled[name])], texts) for name in ("from", "to"))
    return texts.choose(f"最后一日{first}逢{listed}，顺延至{last}。", f"The last day, {first}, moves on to {last} over {listed}.")


def _due(explanation: Mapping[str, Any], texts: ProcedureTexts) -> str:
    due = explanation["due"]
    if due is None:
        return texts.choose("因此到期时间未定。", "So there is no due time yet.")
    at, replaced = _minute(due), explanation["replaced"]
    if replaced is None:
        return texts.choose(f"因此于{at}到期。", f"So it is due at {at}.")
    counted = "" if replaced["counted"] is None else _minute(replaced["counted"])
    by_agreement = replaced["by"] == "agreed"
    if texts.is_chinese:
        return (
            f"{'以约定日期为准' if by_agreement else '以准予延长的日期为准'}，于{at}到期{f'（按天数计应为{counted}）' if counted else ''}。"
        )
    ground = "the agreed date" if by_agreement else "the granted extension"
    return f"By {ground}, it is due at {at}{f' (counted: {counted})' if counted else ''}."


def _minute(text: str) -> str:
    at = datetime.fromisoformat(text)
    # 24:00 is how a day's end reads; 00:00 of the next date reads as a day later.
    return f"{at - _ONE_DAY:%Y-%m-%d} 24:00" if at.hour == at.minute == at.second == at.microsecond == 0 else minute_text(at)


def _day(segment: Mapping[str, Any]) -> date:
    return date.fromisoformat(segment["day"])


def _ranges(days: Sequence[date], texts: ProcedureTexts) -> str:
    """Days as a list in which days that follow each other are a range."""
    runs = [[day for _, day in run] for _, run in groupby(enumerate(days), key=lambda each: each[1] - each[0] * _ONE_DAY)]
    return texts.choose("、", ", ").join(_range(run[0], run[-1]) for run in runs)


def _range(first: date, last: date) -> str:
    if first == last:
        return str(first)
    return f"{first}–{last:%m-%d}" if first.year == last.year else f"{first}–{last}"
