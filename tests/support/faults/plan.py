"""Plans faults from a seed: which kind, against which part, when, and for how long."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count

from cli.service_names import SERVICES

GAP_SECONDS = 4.0
"""Mean interval between the beginnings of two faults."""
LONG_SECONDS = 15.0
"""A fault that may last longer than this is a long one."""
MOST_LONG_FAULTS = 15
BROKER = "kafka"
ALL_BROKERS = "all brokers"


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A kind of fault, the parts of the system that it may hit, and the range of its length in seconds (0: it has no length)."""

    name: str
    targets: tuple[str, ...]
    shortest: float = 0.0
    longest: float = 0.0


KINDS: tuple[FaultKind, ...] = (
    FaultKind("kill", (*SERVICES, BROKER, "postgres", "sinks")),
    FaultKind("freeze", (*SERVICES, BROKER, "sinks"), 1, 12),
    FaultKind("terminate", (*SERVICES, BROKER)),
    FaultKind("stay down", ("triage", "sla", "notify"), 3, 60),
    FaultKind("clock ahead", SERVICES, 5, 15),
    FaultKind("clock behind", SERVICES, 5, 15),
    FaultKind("join", ("triage", "sla", "notify"), 6, 15),
    FaultKind("join two", ("triage", "sla", "notify"), 6, 15),
    FaultKind("roll", ("intake", "triage", "sla", "notify")),
    FaultKind("cut off", (BROKER, "mail", "sms"), 2, 60),
    FaultKind("delay", (BROKER, "mail", "sms"), 2, 10),
    FaultKind("reset", (BROKER, "mail", "sms"), 1, 4),
    FaultKind("half", ("mail", "sms"), 1, 4),
    FaultKind("twice", ("mail", "sms"), 1, 4),
    FaultKind("garbage", ("mail", "sms"), 1, 4),
    FaultKind("unavailable", ("mail", "sms"), 1, 10),
    FaultKind("stop at once", ("postgres",)),
    FaultKind("restart", ("postgres",)),
    FaultKind("close backends", ("postgres",)),
    FaultKind("no connections", ("postgres",), 1, 5),
    FaultKind("hold locks", ("postgres",), 1, 5),
    FaultKind("hold rows", ("postgres",), 1, 12),
    FaultKind("full disk", ("postgres",), 1, 5),
)


def kinds_for(brokers: Sequence[str], *, small_disk: bool) -> list[FaultKind]:
    """The kinds that a system with these brokers allows; of several each is hit, and in some kinds all at once."""
    several = (*brokers, ALL_BROKERS) if len(brokers) > 1 else (*brokers,)
    return [
        replace(kind, targets=tuple(chain.from_iterable(several if target == BROKER else (target,) for target in kind.targets)))
        for kind in KINDS
        if small_disk or kind.name != "full disk"
    ]


@dataclass(frozen=True, slots=True)
class PlannedFault:
    """A fault; `at` is in seconds after the beginning of the load."""

    number: int
    at: float
    kind: str
    target: str
    seconds: float

    def __str__(self) -> str:
        length = f" for {self.seconds:.1f} s" if self.seconds else ""
        return f"#{self.number} at {self.at:.1f} s: {self.kind} {self.target}{length}"


def plan_faults(
    seed: int, number: int, *, kinds: Sequence[FaultKind] = KINDS, gap: float = GAP_SECONDS, longest: float = math.inf
) -> list[PlannedFault]:
    """That many faults in the order of their beginnings, none longer than `longest` seconds.

    Each kind comes once before one comes again, and hits each of its targets before one is hit again.
    """
    chance = random.Random(f"{seed} faults")
    hits, at, long_faults = _hits(chance, kinds), 0.0, 0
    plan = []
    for each in range(1, number + 1):
        kind, target = next(hits)
        at += chance.expovariate(1 / gap)
        bound = min(kind.longest, longest if long_faults < MOST_LONG_FAULTS else min(longest, LONG_SECONDS))
        seconds = chance.uniform(min(kind.shortest, bound), bound)
        long_faults += seconds > LONG_SECONDS
        plan.append(PlannedFault(each, at, kind.name, target, seconds))
    return plan


def _hits(chance: random.Random, kinds: Sequence[FaultKind]) -> Iterator[tuple[FaultKind, str]]:
    # Kinds in turns, so that a short run has as many kinds as possible; the targets of a kind in turns too.
    targets = {kind.name: chance.sample(kind.targets, len(kind.targets)) for kind in kinds}
    for turn in count():
        for kind in chance.sample(kinds, len(kinds)):
            yield kind, targets[kind.name][turn % len(kind.targets)]
