"""The time of arrival of a mail: as recorded by our own server, never as claimed by the sender."""

import re
from collections.abc import Collection
from datetime import datetime, timedelta

from services.intake.channels.mail.headers import read_date
from services.intake.channels.mail.message import ParsedMail

_BY = re.compile(r"\bby\s+([^\s;()]{1,255})", re.IGNORECASE)
_MAX_FIELDS = 20
# A line that a sender forged below those of our servers must not move the beginning of deadlines: a queue holds mail for days, not longer.
_LONGEST_QUEUE = timedelta(days=5)
_CLOCK_DIFFERENCE = timedelta(minutes=5)


def received_at(mail: ParsedMail, own_servers: Collection[str], arrived_at: datetime) -> datetime:
    """The instant at which one of our servers received the mail, by its topmost Received field; else `arrived_at`.

    `arrived_at` is the mailbox' own instant (INTERNALDATE) or that of our port.
    """
    names = {name.lower().rstrip(".") for name in own_servers}
    for value in mail.fields.get("received", [])[:_MAX_FIELDS] if names else ():
        line = " ".join(value.split())
        server = _BY.search(line)
        if server is not None and server[1].lower().rstrip(".") in names:
            instant = read_date(line.rpartition(";")[2])
            is_possible = instant is not None and arrived_at - _LONGEST_QUEUE <= instant <= arrived_at + _CLOCK_DIFFERENCE
            return min(instant, arrived_at) if instant is not None and is_possible else arrived_at
    return arrived_at
