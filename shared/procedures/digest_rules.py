"""How many messages a person or the holders of a role get singly before further ones are collected."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from shared.contracts.base import StrictModel
from shared.procedures.model.duration import Duration


def _clock_time(text: str) -> str:
    if Duration.parse(text).kind != "clock":
        raise ValueError(f"{text!r} is not clock time; write minutes or hours, such as 15m or 1h")
    return text


ClockTime = Annotated[str, AfterValidator(_clock_time)]
"""Minutes or hours, such as 15m: a digest that waited for working hours would hold back what happens at night."""


class DigestRule(StrictModel):
    """Limits of one channel; an absent one is that of the settings JIESU_DIGEST_*."""

    after: int | None = Field(
        default=None, ge=0, description="messages that come singly within the window; 0: all ordinary ones are collected"
    )
    window: ClockTime | None = Field(default=None, description="how long a digest collects, e.g. 15m")
    urgent_gap: ClockTime | None = Field(
        default=None, description="at most so long do urgent messages beyond `after` wait for each other, e.g. 1m"
    )


OptionalDigest = DigestRule | Literal[False]
"""`false` switches digests off: every message comes singly."""


def clock_time(text: str) -> timedelta:
    """The time of a validated text."""
    return timedelta(microseconds=Duration.parse(text).size)
