"""All benches, in the order of the page."""

from __future__ import annotations

from tests.bench.chain import alone, procedures
from tests.bench.desk import whole_desk
from tests.bench.growth import armed_timers, memory, open_cases
from tests.bench.limits import comparison
from tests.bench.measuring.outcome import Bench
from tests.bench.notify import message_layers
from tests.bench.requests import accepting, latency
from tests.bench.sla import deadlines, decide

BENCHES: dict[str, Bench] = {
    "limits": comparison.BENCH,
    "procedures": procedures.BENCH,
    "alone": alone.BENCH,
    "accept": accepting.BENCH,
    "latency": latency.BENCH,
    "timers": armed_timers.BENCH,
    "cases": open_cases.BENCH,
    "memory": memory.BENCH,
    "desk": whole_desk.BENCH,
    "messages": message_layers.BENCH,
    "decide": decide.BENCH,
    "deadlines": deadlines.BENCH,
}
