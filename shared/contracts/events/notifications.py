"""Events of notifications, which sla requests and notify delivers."""

from pydantic import Field

from shared.contracts.base import ShortText
from shared.contracts.events.base import CaseEvent, JsonObject


class NotificationRequested(CaseEvent):
    """A notification of persons was requested.

    `recipients` are roles, `by` channels (sms, email, chat, voice), `template` is the text template, `about` the event that caused
    the request.
    """

    name = "notification_requested"

    notification: ShortText = ""
    recipients: list[ShortText] = Field(default_factory=list)
    persons: list[ShortText] = Field(default_factory=list, description="ids of the persons who hold the roles")
    template: ShortText = ""
    about: ShortText = ""
    urgent: bool = False
    values: JsonObject = Field(
        default_factory=dict,
        description="values for the template: number, matter, title, … without contact data; `items` are those of merged requests",
    )
    merged_into: ShortText = Field(default="", description="the notification whose message includes this one, which is not sent by itself")
    contact: str | None = Field(default=None, description="sealed contact data of a complainant who is a recipient")


class NotificationOutcome(CaseEvent):
    """The outcome of one message to one recipient on one channel."""

    notification: ShortText = ""
    delivery: ShortText = ""
    recipient: ShortText = ""
    channel: ShortText = ""
    attempts: int = 0
    reason: ShortText = ""
    carried_by: ShortText = Field(default="", description="the delivery whose message carried this one; empty: its own message")
    merged: ShortText = Field(
        default="", description="why: `digest` (several cases in one message) or `duplicate` (the person was told the same already)"
    )
    provider: ShortText = Field(default="", description="id of the provider that carried the message, or refused it last")
    parts: int = Field(default=0, description="parts of a text message, each of which the carrier charges; 0 for other channels")


class NotificationSent(NotificationOutcome):
    """The provider accepted the message."""

    name = "notification_sent"


class NotificationDelivered(NotificationOutcome):
    """The provider confirmed that the message arrived; `acknowledged` if the person confirmed it, by a key in a call."""

    name = "notification_delivered"

    acknowledged: bool = False


class NotificationFailed(NotificationOutcome):
    """The message could not be delivered, and no further attempt follows."""

    name = "notification_failed"
