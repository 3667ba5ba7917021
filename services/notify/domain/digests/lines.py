"""The content of a digest: one line a request in a table, the most urgent first; and the identity of a request's content."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import orjson

from services.notify.domain.message_templates import MessageTemplates, RenderedMessage, cut, one_line
from shared.contracts.events.notifications import NotificationRequested
from shared.contracts.instants import read_instant

_NAMESPACE = uuid5(NAMESPACE_URL, "urn:jiesu:notified-thing")
_LONGEST_WHAT = 60
_LONGEST_NAME = 40
_LONGEST_MAIL = 80_000
"""Characters: a table of the listed rows, and the further numbers."""
_VALUES_OF_RECIPIENT = frozenset({"contact_person", "source"})
LISTED_ROWS = 200
"""Rows of a mail's table; of the cases beyond them the mail lists the numbers."""
LISTED_NUMBERS = 1000
MOST_URGENT = 3
"""Numbers that a text message names."""


@dataclass(frozen=True, slots=True)
class DigestLine:
    """One request in a digest; `since` is when it was or is due (ISO text), else when it happened."""

    number: str
    what: str
    since: str
    department: str = ""
    overdue: bool = False
    urgent: bool = False

    def encode(self) -> str:
        """The line as JSON text."""
        return orjson.dumps(asdict(self)).decode()

    @classmethod
    def decode(cls, text: str) -> "DigestLine":
        """The line of a JSON text that `encode` wrote."""
        return cls(**orjson.loads(text))


def digest_line(request: NotificationRequested, values: Mapping[str, Any], *, urgent: bool) -> DigestLine:
    """The line of a request; `values` are those of its template."""
    wordings = [str(item.get("message") or item.get("title") or "") for item in values["items"]]
    what = "；".join(filter(None, wordings)) or values["message"] or values["title"] or values["matter"] or request.about
    return DigestLine(
        number=one_line(str(values["number"]), _LONGEST_NAME),
        what=one_line(str(what).rstrip("。．."), _LONGEST_WHAT),
        # In one zone, so that the text sorts as the instants do.
        since=(read_instant(values["due_at"]) or request.at).astimezone(UTC).isoformat(),
        department=one_line(str(values["department"]), _LONGEST_NAME),
        overdue=bool(values["overdue"]),
        urgent=urgent,
    )


def is_urgent(request: NotificationRequested, now: datetime, window: timedelta) -> bool:
    """Whether a message must not wait for a digest: urgent by its procedure, about a danger, or due before the reader could act."""
    if request.urgent or request.values.get("danger"):
        return True
    due_at = None if request.values.get("overdue") else read_instant(request.values.get("due_at"))
    # A digest comes a window later; a reminder that then leaves less than another window to act would come too late.
    return due_at is not None and now < due_at <= now + 2 * window


def thing_id(request: NotificationRequested, recipient: str, channel: str) -> UUID:
    """The id of a message's content: equal for two requests of a case with the same values for the same person, in whatever role."""
    content = {name: value for name, value in request.values.items() if name not in _VALUES_OF_RECIPIENT}
    words = orjson.dumps(
        [request.case, request.about, request.at.isoformat(), request.template, content, recipient, channel], option=orjson.OPT_SORT_KEYS
    )
    return uuid5(_NAMESPACE, words.decode())


def render_digest(templates: MessageTemplates, template: str, lines: Iterable[DigestLine], total: int) -> RenderedMessage:
    """The message of a digest of `total` requests, of which these are the first. Raises `TemplateRenderError`."""
    longest = _LONGEST_MAIL if template.endswith(".email") else None
    return templates.render(template, digest_values(lines, total), longest_list=LISTED_NUMBERS, longest_text=longest)


def digest_values(lines: Iterable[DigestLine], total: int) -> dict[str, Any]:
    """The values of the template `digest`: rows, further numbers, the number of urgent requests, and the numbers for a text message."""
    ordered = sorted(lines, key=lambda line: (not line.urgent, line.since, line.number))
    numbers = list(dict.fromkeys(line.number for line in ordered))
    listed = {line.number for line in ordered[:LISTED_ROWS]}
    further = [number for number in numbers if number not in listed][:LISTED_NUMBERS]
    return {
        "count": total,
        "urgent_count": sum(line.urgent for line in ordered),
        "overdue_count": sum(line.overdue for line in ordered),
        "rows": [asdict(line) for line in ordered[:LISTED_ROWS]],
        "further": further,
        "unlisted": total - len(ordered),
        "first_numbers": [cut(number, 20) for number in numbers[:MOST_URGENT]],
    }
