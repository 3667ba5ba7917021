"""Draws the rates of every stage around one fault as SVG, with the marks of the fault."""

from __future__ import annotations

from typing import Any

from services.desk.drawings.picture import NORMAL, Picture
from tests.support.faults.recovery.throughput import AFTER_SECONDS, BEFORE_SECONDS

_WIDTH, _LEFT, _RIGHT, _TOP, _ROW, _PLOT = 720.0, 90.0, 110.0, 64.0, 58.0, 44.0
_TICK_SECONDS = 10
_STYLE = (
    "<style>text{font-family:sans-serif} .drawing{color:#333;background:#fff} .fault{fill:#d33;opacity:.25} .wait{fill:#e90;opacity:.2} "
    ".rate{color:#06c;stroke-width:1.5} .usual{color:#888} .mark{color:#080;stroke-width:1.5} .axis{color:#888}</style>"
)


def draw_recovery(result: dict[str, Any]) -> str:
    """The picture of one entry of `recovery.json`; times are in seconds from the beginning of the fault."""
    title = fault_title(result)
    end: float = result["whole"] + AFTER_SECONDS
    picture = Picture(f"fault-{result['number']}", _WIDTH, _TOP + _ROW * len(result["stages"]) + 24, title, description(result))
    bottom = _TOP + _ROW * len(result["stages"])

    def across(seconds: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (seconds + BEFORE_SECONDS) / (end + BEFORE_SECONDS)

    picture.text((10, 20), title, _WIDTH - 20, size=NORMAL)
    picture.text((10, 38), description(result), _WIDTH - 20)
    picture.rectangle((across(0), _TOP, max(1.0, across(result["over"]) - across(0)), bottom - _TOP), "fault")
    picture.rectangle((across(result["over"]), _TOP, across(result["whole"]) - across(result["over"]), bottom - _TOP), "wait")
    for mark, dashes in (("answering", "4 3"), ("whole", "")):
        picture.line((across(result[mark]), _TOP), (across(result[mark]), bottom), "mark", dashes)
    for row, (stage, recovery) in enumerate(result["stages"].items()):
        base = _TOP + row * _ROW + _PLOT
        highest = max(2 * recovery["usual"], 1.0)

        def up(value: float, base: float = base, highest: float = highest) -> float:
            return base - _PLOT * min(value, highest) / highest

        picture.text((_LEFT - 8, base - _PLOT / 2), stage, _LEFT - 10, anchor="end")
        picture.line((_LEFT, base), (_WIDTH - _RIGHT, base), "axis")
        picture.line((_LEFT, up(recovery["usual"])), (_WIDTH - _RIGHT, up(recovery["usual"])), "usual", "2 3")
        middles = [(across(second + 0.5 - BEFORE_SECONDS), up(value)) for second, value in enumerate(recovery["drawn"])]
        picture.polyline(middles, "rate")
        picture.text((_WIDTH - _RIGHT + 6, base - _PLOT / 2), seconds_text(recovery["seconds"]), _RIGHT - 10)
    for second in range(0, int(end) + 1, _TICK_SECONDS):
        picture.text((across(second), bottom + 14), f"{second} s", 60, anchor="middle")
    head, mark, rest = str(picture.markup()).partition(">")
    return f"{head}{mark}{_STYLE}{rest}\n"


def fault_title(result: dict[str, Any]) -> str:
    """Kind, target and length of the fault."""
    length = f", {result['seconds']:.0f} s" if result["seconds"] else ""
    return f"{result['kind']}: {result['target']}{length}"


def description(result: dict[str, Any]) -> str:
    """The marks in words."""
    return (
        f"fault over after {result['over']:.1f} s (red), servers answer after {result['answering']:.1f} s (dashed), "
        f"groups whole after {result['whole']:.1f} s (line)"
    )


def seconds_text(seconds: float | None) -> str:
    """How long after the groups were whole a rate was back."""
    return f"not within {AFTER_SECONDS:.0f} s" if seconds is None else f"{seconds:.1f} s"
