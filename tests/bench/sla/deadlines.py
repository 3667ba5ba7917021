"""Measures speed and errors of counting deadlines, beside other libraries: `python -m tests.bench.sla.deadlines [--write]`."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random
from time import process_time
from typing import Any

import pandas as pd
from businesstimedelta import BusinessTimeDelta, HolidayRule, LunchTimeRule, Rules, WorkDayRule
from pandas.tseries.offsets import CustomBusinessHour

from services.sla.domain.deadlines.calendar_pieces import calendar_with_changes, count_duration
from services.sla.domain.deadlines.counting import CountingRule, add_duration
from services.sla.domain.deadlines.deadline import compute_deadline
from services.sla.domain.deadlines.pauses import normalize_pauses
from services.sla.domain.deadlines.worktime import Worktime, to_micros
from shared.procedures.calendars.calendar import WEEKDAYS, Calendar, default_calendar
from shared.procedures.model.duration import Duration
from tests.bench.measuring.outcome import Bench, Goal, Options, Outcome
from tests.support.deadlines.minute_counter import CHINA, DAYS_OFF, NIGHT_HOURS, OFFICE_HOURS, LocalPause, MinuteCounter
from tests.support.deadlines.piece_counter import PieceCounter, piece_calendars

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "deadlines-performance.md"
COMPARED = 100_000
TIMED = 200_000
PEER_COMPARED = 2_000
FUTURE_HOLIDAYS = [date(2027, 1, day) for day in (2, 9, 16, 23, 30)]  # Saturdays: businesstimedelta fails without a later holiday
SEED = 20260924
NIGHT_SHIFTS = {name: ["20:00-23:00", "23:30-06:00"] for name in ("mon", "tue", "wed", "thu", "fri")}
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
    """A deadline to count; times are naive and local in China."""

    start: datetime
    duration: str
    rule: CountingRule
    pauses: tuple[LocalPause, ...] = ()
    by_night: bool = False
    leads: tuple[tuple[datetime, str], ...] = ()
    """Changes of the calendar: office, night or duty counts from each instant on."""


@dataclass(frozen=True)
class DeadlineTiming:
    """CPU microseconds for one deadline, and how many of the compared deadlines are wrong."""

    name: str
    cpu_micros: float
    wrong_count: int
    compared_count: int

    @property
    def per_second(self) -> float:
        return 1_000_000 / self.cpu_micros


def random_samples(count: int, durations: Sequence[str] = DURATIONS, *, paused: bool = True) -> list[DeadlineSample]:
    """Random deadlines over 2024 to 2026; with `paused` one in five has a pause."""
    random = Random(SEED)
    return [_random_sample(random, durations, paused=paused) for _ in range(count)]


def _random_sample(random: Random, durations: Sequence[str], *, paused: bool) -> DeadlineSample:
    start = RANGE_START + timedelta(minutes=random.randrange(MINUTES))
    rule = CountingRule.parse(
        random.choice(("exclusive", "inclusive")), random.choice(("forward", "none")), random.choice(("midnight", "close"))
    )
    if not paused or random.random() > 0.2:
        micros = random.randrange(60_000_000) if paused else 0
        return DeadlineSample(start + timedelta(microseconds=micros), random.choice(durations), rule)
    pause_start = start + timedelta(minutes=random.randrange(-300, 1500))
    pause = (pause_start, pause_start + timedelta(minutes=random.randrange(3000)))
    return DeadlineSample(start, random.choice(durations), rule, (pause,))


def _random_leads(random: Random, start: datetime) -> tuple[tuple[datetime, str], ...]:
    """One to three changes of the calendar around a start, at full minutes; some at the very close of a day."""
    leads, at = [], start.replace(second=0, microsecond=0) - timedelta(minutes=600)
    for _ in range(random.randint(1, 3)):
        at += timedelta(minutes=random.randrange(4000))
        if random.random() < 0.3:
            at = at.replace(hour=random.choice((0, 6, 18, 20)), minute=0)
        leads.append((at, random.choice(("office", "night", "duty"))))
    return tuple(sorted(leads, key=lambda lead: lead[0]))


def expected_due(sample: DeadlineSample) -> datetime | None:
    """The due instant by the minute counter."""
    if sample.leads:
        counters = piece_calendars(sample.rule.counting, sample.rule.roll, sample.rule.day_end, sample.pauses)
        leads = [(RANGE_START - timedelta(days=366), counters["office"]), *((at, counters[name]) for at, name in sample.leads)]
        return PieceCounter(leads, []).due(sample.start, sample.duration)
    rule, hours = sample.rule, NIGHT_HOURS if sample.by_night else OFFICE_HOURS
    return MinuteCounter(rule.counting, rule.roll, rule.day_end, sample.pauses, hours).due(sample.start, sample.duration)


def count_wrong(count: int = COMPARED) -> int:
    """How many random deadlines differ from the minute counter.

    Of three, one is counted by office hours, one by shifts over midnight, one piece by piece by calendars that follow one another.
    """
    every_day = {name: ["08:00-20:00"] for name in WEEKDAYS}
    calendars = {
        "office": default_calendar(),
        "night": Calendar.parse({"id": "night", "version": 1, "hours": NIGHT_SHIFTS}),
        "duty": Calendar.parse({"id": "duty", "version": 1, "schedule": "none", "hours": every_day}),
    }
    tables = {name: Worktime.for_calendar(calendar) for name, calendar in calendars.items()}
    wrong, random = 0, Random(SEED)
    for number, any_sample in enumerate(random_samples(count)):
        leads = _random_leads(random, any_sample.start) if number % 3 == 2 else ()
        sample = replace(any_sample, by_night=number % 3 == 1, leads=leads)
        worktime = tables["night" if sample.by_night else "office"]
        changes = [(to_micros(at.replace(tzinfo=CHINA)), tables[name]) for at, name in sample.leads]
        pauses = normalize_pauses((start.replace(tzinfo=CHINA), end and end.replace(tzinfo=CHINA)) for start, end in sample.pauses)
        start = to_micros(sample.start.replace(tzinfo=CHINA))
        due, _, _ = count_duration(calendar_with_changes(worktime, changes), start, Duration.parse(sample.duration), sample.rule, pauses)
        local_due = None if due is None else worktime.to_datetime(due).replace(tzinfo=None)
        wrong += local_due != expected_due(sample)
    return wrong


def best_cpu_micros(once: Callable[[], object], count: int, rounds: int = 5) -> float:
    """CPU microseconds for one of `count` deadlines; the best of several rounds, because other processes share the machine."""
    seconds = []
    for _ in range(rounds):
        start = process_time()
        once()
        seconds.append(process_time() - start)
    return min(seconds) / count * 1_000_000


def measure_integers() -> float:
    """CPU microseconds for a deadline from integers to integers, as a case counts it; durations mixed."""
    worktime = Worktime.for_calendar(default_calendar())
    parsed = {duration: Duration.parse(duration) for duration in DURATIONS}
    samples = random_samples(TIMED, paused=False)
    work = [(to_micros(sample.start.replace(tzinfo=CHINA)), parsed[sample.duration], sample.rule) for sample in samples]
    return best_cpu_micros(lambda: [add_duration(worktime, start, duration, rule) for start, duration, rule in work], TIMED)


def measure_datetimes() -> float:
    """CPU microseconds for a deadline from datetime to datetime, durations mixed."""
    calendar = default_calendar()
    parsed = {duration: Duration.parse(duration) for duration in DURATIONS}
    samples = random_samples(TIMED, paused=False)
    work = [(sample.start.replace(tzinfo=CHINA), parsed[sample.duration], sample.rule) for sample in samples]
    return best_cpu_micros(lambda: [compute_deadline(start, duration, calendar, rule=rule) for start, duration, rule in work], TIMED)


def working_hour_samples() -> list[DeadlineSample]:
    """Working hours without pauses, which the other libraries can count too."""
    return random_samples(PEER_COMPARED, [f"{hours}wh" for hours in (1, 2, 4, 8, 12, 20)], paused=False)


def measure_peer(name: str, add: Callable[[datetime, int], datetime]) -> DeadlineTiming:
    """Time another library on working hours."""
    work = [(sample, int(sample.duration.removesuffix("wh"))) for sample in working_hour_samples()]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cost = best_cpu_micros(lambda: [add(sample.start, hours) for sample, hours in work], len(work), rounds=2)
        wrong = sum(add(sample.start, hours) != expected_due(sample) for sample, hours in work)
    return DeadlineTiming(name, cost, wrong, len(work))


def measure_own() -> DeadlineTiming:
    """Time this project on the same working hours."""
    calendar = default_calendar()
    parsed = {f"{hours}wh": Duration.parse(f"{hours}wh") for hours in range(1, 21)}
    work = [(sample, sample.start.replace(tzinfo=CHINA), parsed[sample.duration]) for sample in working_hour_samples()]
    cost = best_cpu_micros(lambda: [compute_deadline(start, duration, calendar) for _, start, duration in work], len(work))
    instants = [(sample, compute_deadline(start, duration, calendar).instant) for sample, start, duration in work]
    wrong = sum(instant is None or instant.replace(tzinfo=None) != expected_due(sample) for sample, instant in instants)
    return DeadlineTiming("jiesu, datetimes", cost, wrong, len(work))


def measure_businesstimedelta() -> DeadlineTiming:
    """Weekdays with a lunch break, and the days off as holidays; it has no make-up days."""
    days = WorkDayRule(start_time=time(9), end_time=time(18), working_days=[0, 1, 2, 3, 4])
    lunch = LunchTimeRule(start_time=time(12), end_time=time(13), working_days=[0, 1, 2, 3, 4])
    rules = Rules([days, lunch, HolidayRule(dict.fromkeys([*DAYS_OFF, *FUTURE_HOLIDAYS], "off"))])
    spans = {hours: BusinessTimeDelta(rules, hours=hours) for hours in range(1, 21)}

    def add(start: datetime, hours: int) -> datetime:
        due: datetime = start + spans[hours]
        return due.replace(tzinfo=None)

    return measure_peer("businesstimedelta", add)


def measure_custom_business_hour() -> DeadlineTiming:
    """Two intervals a day and the days off as holidays; it has no make-up days either."""
    offsets: dict[int, Any] = {
        hours: CustomBusinessHour(n=hours, start=["09:00", "13:00"], end=["12:00", "18:00"], holidays=sorted(DAYS_OFF))
        for hours in range(1, 21)
    }
    return measure_peer("pandas CustomBusinessHour", lambda start, hours: (pd.Timestamp(start) + offsets[hours]).to_pydatetime())


def measure() -> tuple[float, float, int, list[DeadlineTiming]]:
    """CPU microseconds on integers and on datetimes, how many of COMPARED deadlines are wrong, and the table with other libraries."""
    return (
        measure_integers(),
        measure_datetimes(),
        count_wrong(),
        [measure_own(), measure_businesstimedelta(), measure_custom_business_hour()],
    )


def render_page(measured: tuple[float, float, int, list[DeadlineTiming]]) -> str:
    """The reference page."""
    integers, datetimes, wrong, table = measured
    rows = "\n".join(
        f"| {row.name} | {row.cpu_micros:,.1f} | {row.per_second:,.0f} | {row.cpu_micros / table[0].cpu_micros:,.1f}"
        f" | {row.wrong_count:,} of {row.compared_count:,} ({row.wrong_count / row.compared_count:.1%}) |"
        for row in table
    )
    return f"""# How fast deadlines are counted

Written by `python -m tests.bench.sla.deadlines --write`. CPU time of one process on one core of a shared machine, best of several
rounds. The figures depend on the machine; their ratios hardly do.

| what | CPU a deadline | deadlines a second |
| --- | --- | --- |
| `add_duration`, integers, {len(DURATIONS)} durations mixed, every rule | {integers:.2f} µs | {1_000_000 / integers:,.0f} |
| `compute_deadline`, datetimes with a zone, the same | {datetimes:.2f} µs | {1_000_000 / datetimes:,.0f} |

Wrong among {COMPARED:,} random deadlines of 2024 to 2026 (all rules, half by shifts over midnight, one in five with a pause, starts
to the microsecond),
compared with a minute counter that shares no code with the engine and has its own table of holidays: **{wrong}**.

## Beside other libraries
Only working hours, because the other libraries count nothing else: the same {PEER_COMPARED:,} starts, 1 to 20 hours, 09:00–12:00 and
13:00–18:00, China's days off as holidays. Neither library has make-up working days. Where time is used up exactly at
closing time, pandas returns the next opening.

| library | CPU a deadline, µs | deadlines a second | times ours | wrong |
| --- | --- | --- | --- | --- |
{rows}
"""


def measure_outcome(_: Options) -> Outcome:
    """Speed and errors, as goals; the page of deadlines has the comparison with other libraries."""
    cost, wrong = measure_integers(), count_wrong()
    peers = [measure_businesstimedelta(), measure_custom_business_hour()]
    own = measure_own()
    goals = [
        Goal("deadlines counted a second of CPU", round(1_000_000 / cost), 500_000, "/s"),
        Goal(f"wrong of {COMPARED:,} random deadlines", wrong + own.wrong_count, 0, "", at_most=True, required=True),
    ]
    times = {peer.name: round(peer.cpu_micros / own.cpu_micros, 1) for peer in peers}
    return Outcome({"cpu_micros": round(cost, 2), "peers": times}, goals)


def section(figures: Mapping[str, Any]) -> Iterator[str]:
    """Two sentences."""
    peers = ", ".join(f"{name} takes {times:g} times as long" for name, times in figures["peers"].items())
    yield f"{figures['cpu_micros']:g} µs of CPU a deadline; {peers} for working hours ([deadlines](deadlines-performance.md)).\n"


BENCH = Bench("Counting deadlines", measure_outcome, section)


def main() -> None:
    """Print the page; with `--write` also save it."""
    text = render_page(measure())
    if "--write" in sys.argv[1:]:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
