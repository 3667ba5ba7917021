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

from services.sla.domain.deadlines.counting import CountingRule, add_duration
from services.sla.domain.deadlines.deadline import compute_deadline
from services.sla.domain.deadlines.pauses import normalize_pauses
from services.sla.domain.deadlines.worktime import Worktime, to_micros
from shared.procedures.calendars.calendar import standard
from shared.procedures.model.duration import Duration
from tests.support.minute_counter import CHINA, DAYS_OFF, LocalPause, MinuteCounter

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "deadlines-performance.md"
COMPARED = 100_000
TIMED = 200_000
PEER_COMPARED = 2_000
FUTURE_HOLIDAYS = [date(2027, 1, day) for day in (2, 9, 16, 23, 30)]  # Saturdays: businesstimedelta fails where no holiday lies ahead
SEED = 20260924
RANGE_START = datetime(2024, 1, 1)  # noqa: DTZ001 - the minute counter and the peers are naive
MINUTES = 3 * 365 * 1440
DURATIONS = (
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
class DeadlineSample:
    """A start (naive, China), a duration as written, a rule, pauses."""

    start: datetime
    duration: str
    rule: CountingRule
    pauses: tuple[LocalPause, ...] = ()


@dataclass(frozen=True)
class DeadlineTiming:
    """CPU time in microseconds for one deadline, and the number wrong among those compared."""

    name: str
    cpu_micros: float
    wrong_count: int
    compared_count: int

    @property
    def per_second(self) -> float:
        return 1_000_000 / self.cpu_micros


def random_samples(count: int, durations: Sequence[str] = DURATIONS, *, paused: bool = True) -> list[DeadlineSample]:
    """Random deadlines over 2024 to 2026; one in five with a pause."""
    chance = Random(SEED)
    return [_case(chance, durations, paused=paused) for _ in range(count)]


def _case(chance: Random, written: Sequence[str], *, paused: bool) -> DeadlineSample:
    start = RANGE_START + timedelta(minutes=chance.randrange(MINUTES))
    rule = CountingRule.parse(
        chance.choice(("exclusive", "inclusive")), chance.choice(("forward", "none")), chance.choice(("midnight", "close"))
    )
    if not paused or chance.random() > 0.2:
        return DeadlineSample(start + timedelta(microseconds=chance.randrange(60_000_000) if paused else 0), chance.choice(written), rule)
    begun = start + timedelta(minutes=chance.randrange(-300, 1500))
    return DeadlineSample(start, chance.choice(written), rule, ((begun, begun + timedelta(minutes=chance.randrange(3000))),))


def expected_due(case: DeadlineSample) -> datetime | None:
    """What the minute counter says."""
    return MinuteCounter(case.rule.counting, case.rule.roll, case.rule.day_end, case.pauses).due(case.start, case.duration)


def count_wrong(count: int = COMPARED) -> int:
    """How many random deadlines differ from the minute counter."""
    worktime = Worktime.for_calendar(standard())
    differing = 0
    for case in random_samples(count):
        pauses = normalize_pauses((begun.replace(tzinfo=CHINA), ended and ended.replace(tzinfo=CHINA)) for begun, ended in case.pauses)
        at = add_duration(worktime, to_micros(case.start.replace(tzinfo=CHINA)), Duration.parse(case.duration), case.rule, pauses)[0]
        found = None if at is None else worktime.to_datetime(at).replace(tzinfo=None)
        differing += found != expected_due(case)
    return differing


def best_cpu_micros(once: Callable[[], object], count: int, rounds: int = 5) -> float:
    """CPU microseconds for one of `count`, the best of some rounds: the machine is shared."""
    spent = []
    for _ in range(rounds):
        begun = process_time()
        once()
        spent.append(process_time() - begun)
    return min(spent) / count * 1_000_000


def measure_integers() -> float:
    """CPU microseconds for a deadline from integers to integers, durations mixed: what a case costs."""
    worktime = Worktime.for_calendar(standard())
    parsed = {written: Duration.parse(written) for written in DURATIONS}
    work = [(to_micros(case.start.replace(tzinfo=CHINA)), parsed[case.duration], case.rule) for case in random_samples(TIMED, paused=False)]
    return best_cpu_micros(lambda: [add_duration(worktime, start, duration, rule) for start, duration, rule in work], TIMED)


def measure_datetimes() -> float:
    """CPU microseconds for a deadline from datetime to datetime, durations mixed."""
    calendar = standard()
    parsed = {written: Duration.parse(written) for written in DURATIONS}
    work = [(case.start.replace(tzinfo=CHINA), parsed[case.duration], case.rule) for case in random_samples(TIMED, paused=False)]
    return best_cpu_micros(lambda: [compute_deadline(start, duration, calendar, rule=rule) for start, duration, rule in work], TIMED)


def working_hour_samples() -> list[DeadlineSample]:
    """Working hours without pauses: what the peers can count too."""
    return random_samples(PEER_COMPARED, [f"{hours}wh" for hours in (1, 2, 4, 8, 12, 20)], paused=False)


def measure_peer(name: str, add: Callable[[datetime, int], datetime]) -> DeadlineTiming:
    """A library's figures on working hours."""
    work = [(case, int(case.duration.removesuffix("wh"))) for case in working_hour_samples()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cost = best_cpu_micros(lambda: [add(case.start, hours) for case, hours in work], len(work), rounds=2)
        differing = sum(add(case.start, hours) != expected_due(case) for case, hours in work)
    return DeadlineTiming(name, cost, differing, len(work))


def measure_own() -> DeadlineTiming:
    """Our figures on the same working hours."""
    calendar = standard()
    parsed = {f"{hours}wh": Duration.parse(f"{hours}wh") for hours in range(1, 21)}
    work = [(case, case.start.replace(tzinfo=CHINA), parsed[case.duration]) for case in working_hour_samples()]
    cost = best_cpu_micros(lambda: [compute_deadline(start, duration, calendar) for _, start, duration in work], len(work))
    found = [(case, compute_deadline(start, duration, calendar).instant) for case, start, duration in work]
    differing = sum(instant is None or instant.replace(tzinfo=None) != expected_due(case) for case, instant in found)
    return DeadlineTiming("jiesu, datetimes", cost, differing, len(work))


def measure_businesstimedelta() -> DeadlineTiming:
    """Weekdays, the lunch break and the days off as holidays; it has no make-up days."""
    days = WorkDayRule(start_time=time(9), end_time=time(18), working_days=[0, 1, 2, 3, 4])
    lunch = LunchTimeRule(start_time=time(12), end_time=time(13), working_days=[0, 1, 2, 3, 4])
    rules = Rules([days, lunch, HolidayRule(dict.fromkeys([*DAYS_OFF, *FUTURE_HOLIDAYS], "off"))])
    spans = {hours: BusinessTimeDelta(rules, hours=hours) for hours in range(1, 21)}
    return measure_peer("businesstimedelta", lambda start, hours: _naive(start + spans[hours]))


def measure_custom_business_hour() -> DeadlineTiming:
    """Two intervals a day and the days off as holidays; it has no make-up days either."""
    offsets: dict[int, Any] = {
        hours: CustomBusinessHour(n=hours, start=["09:00", "13:00"], end=["12:00", "18:00"], holidays=sorted(DAYS_OFF))
        for hours in range(1, 21)
    }
    return measure_peer("pandas CustomBusinessHour", lambda start, hours: (pd.Timestamp(start) + offsets[hours]).to_pydatetime())


def _naive(found: datetime) -> datetime:
    return found.replace(tzinfo=None)


def measure() -> tuple[float, float, int, list[DeadlineTiming]]:
    """Everything: CPU microseconds on integers and on datetimes, wrong among COMPARED, and the table with the peers."""
    return (
        measure_integers(),
        measure_datetimes(),
        count_wrong(),
        [measure_own(), measure_businesstimedelta(), measure_custom_business_hour()],
    )


def render_page(found: tuple[float, float, int, list[DeadlineTiming]]) -> str:
    """The reference page."""
    plain, dated, differing, table = found
    rows = "\n".join(
        f"| {one.name} | {one.cpu_micros:,.1f} | {one.per_second:,.0f} | {one.cpu_micros / table[0].cpu_micros:,.1f} | {one.wrong_count:,} of {one.compared_count:,}"
        f" ({one.wrong_count / one.compared_count:.1%}) |"
        for one in table
    )
    return f"""# How fast deadlines are counted

Written by `python -m tests.bench.deadlines --write`. CPU time of one process on one core of a shared machine, best of several
rounds; figures vary with the machine, the ratios in one run hardly do.

| what | CPU a deadline | deadlines a second |
| --- | --- | --- |
| `reach`, integers, {len(DURATIONS)} durations mixed, every rule | {plain:.2f} µs | {1_000_000 / plain:,.0f} |
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
    text = render_page(measure())
    if "--write" in sys.argv[1:]:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
