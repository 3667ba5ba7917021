"""Messages to people: asked for by sla, carried out by notify."""

from pydantic import Field

from shared.contracts.base import ShortText
from shared.contracts.events.base import CaseEvent, JsonObject


class NotificationRequested(CaseEvent):
    """Somebody is to be told.

    `recipients` are roles, `by` the channels (sms, email), `template` the kind of text, `about` the event that asks.
    """

    name = "notification_requested"

    notification: ShortText = ""
    recipients: list[ShortText] = Field(default_factory=list)
    persons: list[ShortText] = Field(default_factory=list, description="ids of the persons who hold the roles")
    template: ShortText = ""
    about: ShortText = ""
    urgent: bool = False
    values: JsonObject = Field(default_factory=dict, description="what the template shows: number, title, due_at, … without personal data")
    contact: str | None = Field(default=None, description="sealed contact data, where the complainant is told")


class NotificationOutcome(CaseEvent):
    """What became of one message on one channel to one recipient."""

    notification: ShortText = ""
    delivery: ShortText = ""
    recipient: ShortText = ""
    channel: ShortText = ""
    attempts: int = 0
    reason: ShortText = ""


class NotificationSent(NotificationOutcome):
    """The provider accepted the message."""

    name = "notification_sent"


class NotificationDelivered(NotificationOutcome):
    """The provider's receipt says that the message arrived."""

    name = "notification_delivered"


class NotificationFailed(NotificationOutcome):
    """The message finally could not be delivered."""

    name = "notification_failed"
