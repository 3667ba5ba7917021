"""How fast and how right deadlines are counted, beside other libraries; run with `python -m tests.bench.deadlines [--write]`."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random
from time import process_time
from typing import Any

import pandas as pd
from businesstimedelta import BusinessTimeDelta, HolidayRule, LunchTimeRule, Rules, WorkDayRule
from pandas.tseries.offsets import CustomBusinessHour

from services.sla.domain.deadlines.counting import Rule, reach
from services.sla.domain.deadlines.deadline import due
from services.sla.domain.deadlines.pauses import ordered
from services.sla.domain.deadlines.worktime import Worktime, micros
from shared.procedures.calendars.calendar import standard
from shared.procedures.model.duration import Duration
from tests.support.minute_counter import CHINA, DAYS_OFF, MinuteCounter, Pause

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "deadlines-performance.md"
COMPARED = 100_000
TIMED = 200_000
PEER_COMPARED = 2_000
AHEAD = [date(2027, 1, day) for day in (2, 9, 16, 23, 30)]  # Saturdays: businesstimedelta fails where no holiday lies ahead
SEED = 20260924
BEGIN = datetime(2024, 1, 1)  # noqa: DTZ001 - the minute counter and the peers are naive
MINUTES = 3 * 365 * 1440
WRITTEN = (
    "30m",
    "2h",
    "1wh",
    "4wh",
    "8wh",
    "0.5wd",
    "1wd",
    "3wd",
    "15wd",
    "3d",
    "15d",
    "60d",
    "1w",
    "1mo",
    "1q",
    "same_day",
    "same_working_day",
)


@dataclass(frozen=True)
class Case:
    """A start (naive, China), a duration as written, a rule, pauses."""

    start: datetime
    written: str
    rule: Rule
    pauses: tuple[Pause, ...] = ()


@dataclass(frozen=True)
class Figures:
    """CPU time in microseconds for one deadline, and the number wrong among those compared."""

    name: str
    micros: float
    wrong: int
    compared: int

    @property
    def a_second(self) -> float:
        return 1_000_000 / self.micros


def cases(count: int, written: Sequence[str] = WRITTEN, *, paused: bool = True) -> list[Case]:
    """Random deadlines over 2024 to 2026; one in five with a pause."""
    chance = Random(SEED)
    return [_case(chance, written, paused=paused) for _ in range(count)]


def _case(chance: Random, written: Sequence[str], *, paused: bool) -> Case:
    start = BEGIN + timedelta(minutes=chance.randrange(MINUTES))
    rule = Rule.of(chance.choice(("exclusive", "inclusive")), chance.choice(("forward", "none")), chance.choice(("midnight", "close")))
    if not paused or chance.random() > 0.2:
        return Case(start + timedelta(microseconds=chance.randrange(60_000_000) if paused else 0), chance.choice(written), rule)
    begun = start + timedelta(minutes=chance.randrange(-300, 1500))
    return Case(start, chance.choice(written), rule, ((begun, begun + timedelta(minutes=chance.randrange(3000))),))


def expected(case: Case) -> datetime | None:
    """What the minute counter says."""
    return MinuteCounter(case.rule.counting, case.rule.roll, case.rule.day_end, case.pauses).due(case.start, case.written)


def wrong(count: int = COMPARED) -> int:
    """How many random deadlines differ from the minute counter."""
    worktime = Worktime.of(standard())
    differing = 0
    for case in cases(count):
        pauses = ordered((begun.replace(tzinfo=CHINA), ended and ended.replace(tzinfo=CHINA)) for begun, ended in case.pauses)
        at = reach(worktime, micros(case.start.replace(tzinfo=CHINA)), Duration.parse(case.written), case.rule, pauses)[0]
        found = None if at is None else worktime.instant(at).replace(tzinfo=None)
        differing += found != expected(case)
    return differing


def best(once: Callable[[], object], count: int, rounds: int = 5) -> float:
    """CPU microseconds for one of `count`, the best of some rounds: the machine is shared."""
    spent = []
    for _ in range(rounds):
        begun = process_time()
        once()
        spent.append(process_time() - begun)
    return min(spent) / count * 1_000_000


def integers() -> float:
    """CPU microseconds for a deadline from integers to integers, durations mixed: what a case costs."""
    worktime = Worktime.of(standard())
    parsed = {written: Duration.parse(written) for written in WRITTEN}
    work = [(micros(case.start.replace(tzinfo=CHINA)), parsed[case.written], case.rule) for case in cases(TIMED, paused=False)]
    return best(lambda: [reach(worktime, start, duration, rule) for start, duration, rule in work], TIMED)


def datetimes() -> float:
    """CPU microseconds for a deadline from datetime to datetime, durations mixed."""
    calendar = standard()
    parsed = {written: Duration.parse(written) for written in WRITTEN}
    work = [(case.start.replace(tzinfo=CHINA), parsed[case.written], case.rule) for case in cases(TIMED, paused=False)]
    return best(lambda: [due(start, duration, calendar, rule=rule) for start, duration, rule in work], TIMED)


def hourly() -> list[Case]:
    """Working hours without pauses: what the peers can count too."""
    return cases(PEER_COMPARED, [f"{hours}wh" for hours in (1, 2, 4, 8, 12, 20)], paused=False)


def peer(name: str, add: Callable[[datetime, int], datetime]) -> Figures:
    """A library's figures on working hours."""
    work = [(case, int(case.written.removesuffix("wh"))) for case in hourly()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cost = best(lambda: [add(case.start, hours) for case, hours in work], len(work), rounds=2)
        differing = sum(add(case.start, hours) != expected(case) for case, hours in work)
    return Figures(name, cost, differing, len(work))


def ours() -> Figures:
    """Our figures on the same working hours."""
    calendar = standard()
    parsed = {f"{hours}wh": Duration.parse(f"{hours}wh") for hours in range(1, 21)}
    work = [(case, case.start.replace(tzinfo=CHINA), parsed[case.written]) for case in hourly()]
    cost = best(lambda: [due(start, duration, calendar) for _, start, duration in work], len(work))
    found = [(case, due(start, duration, calendar).instant) for case, start, duration in work]
    differing = sum(instant is None or instant.replace(tzinfo=None) != expected(case) for case, instant in found)
    return Figures("jiesu, datetimes", cost, differing, len(work))


def businesstimedelta() -> Figures:
    """Weekdays, the lunch break and the days off as holidays; it has no make-up days."""
    days = WorkDayRule(start_time=time(9), end_time=time(18), working_days=[0, 1, 2, 3, 4])
    lunch = LunchTimeRule(start_time=time(12), end_time=time(13), working_days=[0, 1, 2, 3, 4])
    rules = Rules([days, lunch, HolidayRule(dict.fromkeys([*DAYS_OFF, *AHEAD], "off"))])
    spans = {hours: BusinessTimeDelta(rules, hours=hours) for hours in range(1, 21)}
    return peer("businesstimedelta", lambda start, hours: _naive(start + spans[hours]))


def custom_business_hour() -> Figures:
    """Two intervals a day and the days off as holidays; it has no make-up days either."""
    offsets: dict[int, Any] = {
        hours: CustomBusinessHour(n=hours, start=["09:00", "13:00"], end=["12:00", "18:00"], holidays=sorted(DAYS_OFF))
        for hours in range(1, 21)
    }
    return peer("pandas CustomBusinessHour", lambda start, hours: (pd.Timestamp(start) + offsets[hours]).to_pydatetime())


def _naive(found: datetime) -> datetime:
    return found.replace(tzinfo=None)


def measure() -> tuple[float, float, int, list[Figures]]:
    """Everything: CPU microseconds on integers and on datetimes, wrong among COMPARED, and the table with the peers."""
    return integers(), datetimes(), wrong(), [ours(), businesstimedelta(), custom_business_hour()]


def page(found: tuple[float, float, int, list[Figures]]) -> str:
    """The reference page."""
    plain, dated, differing, table = found
    rows = "\n".join(
        f"| {one.name} | {one.micros:,.1f} | {one.a_second:,.0f} | {one.micros / table[0].micros:,.1f} | {one.wrong:,} of {one.compared:,}"
        f" ({one.wrong / one.compared:.1%}) |"
        for one in table
    )
    return f"""# How fast deadlines are counted

Written by `python -m tests.bench.deadlines --write`. CPU time of one process on one core of a shared machine, best of several
rounds; figures vary with the machine, the ratios in one run hardly do.

| what | CPU a deadline | deadlines a second |
| --- | --- | --- |
| `reach`, integers, {len(WRITTEN)} durations mixed, every rule | {plain:.2f} µs | {1_000_000 / plain:,.0f} |
| `due`, datetimes with a zone, the same | {dated:.2f} µs | {1_000_000 / dated:,.0f} |

Wrong among {COMPARED:,} random deadlines of 2024 to 2026 (all rules, one in five with a pause, starts to the microsecond),
against a minute counter written from the text with its own table of holidays: **{differing}**.

## Beside other libraries
Working hours alone, which is what they count: the same {PEER_COMPARED:,} starts, 1 to 20 hours, 09:00–12:00 and 13:00–18:00,
China's days off given as holidays. Neither has make-up working days; pandas also answers with the next opening where
time is used up at closing time.

| library | CPU a deadline, µs | deadlines a second | times ours | wrong |
| --- | --- | --- | --- | --- |
{rows}
"""


def main() -> None:
    """Print the page, or write it."""
    text = page(measure())
    if "--write" in sys.argv[1:]:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
