"""Entries of a person of the organisation file: absences, and rights besides those of roles."""

from typing import Literal

from pydantic import AwareDatetime, Field

from shared.contracts.base import StrictModel

PersonRight = Literal["find_by_phone", "unmask", "what_if"]


class Absence(StrictModel):
    """A person is absent from `from` (inclusive) to `to` (exclusive)."""

    from_: AwareDatetime = Field(alias="from")
    to: AwareDatetime
