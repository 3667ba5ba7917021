"""Which messages to staff also go by another channel: what a regulation wants by phone, or posted into a group."""

from typing import Literal

from pydantic import Field

from shared.contracts.base import StrictModel


class AdditionalChannel(StrictModel):
    """A channel by which messages also go; each condition that is given must hold, and a person without an address there is left out."""

    # greentown 4.6 wants urgent complaints told by phone or text message; the pack sends text messages, which every organisation has.
    channel: Literal["chat", "voice", "sms", "email"]
    procedures: list[str] = Field(default_factory=list, description="ids of procedures; none: all")
    clauses: list[str] = Field(default_factory=list, description="clauses that the message is sent for; none: all")
    roles: list[str] = Field(default_factory=list, description="roles that the message is for; none: all")
    urgent: bool = Field(default=False, description="only urgent messages")

    def applies(self, *, procedure: str, clauses: list[str], roles: list[str], urgent: bool) -> bool:
        """Whether a message for these clauses and roles also goes by the channel."""
        return (
            (not self.procedures or procedure in self.procedures)
            and (not self.clauses or not set(self.clauses).isdisjoint(clauses))
            and (not self.roles or not set(self.roles).isdisjoint(roles))
            and (urgent or not self.urgent)
        )
