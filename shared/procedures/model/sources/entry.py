"""The ways in which people bring complaints to a source."""

from pydantic import Field

from shared.contracts.base import StrictModel
from shared.procedures.model.sources.web_form import WebForm


class SourceEntry(StrictModel):
    """Entry by hand and by the web form; `ComplaintSource` inherits both fields."""

    entered_by: list[str] = Field(
        default_factory=list,
        description="ids of people and of roles who enter complaints for the source by hand: with their own token, or named by its system",
    )
    form: WebForm | None = Field(default=None, description="its page for complainants, served by intake at /complain/{source}")
