"""The typed events: one class each, found by type in `EVENT_CLASSES`."""

from shared.contracts.events import EVENT_CLASSES, CaseEvent, decode_event
from shared.contracts.events.clocks import *  # noqa: F403 - every event
from shared.contracts.events.findings import *  # noqa: F403
from shared.contracts.events.from_work_to_closing import *  # noqa: F403
from shared.contracts.events.notifications import *  # noqa: F403
from shared.contracts.events.triage import *  # noqa: F403
from shared.contracts.events.up_to_approval import *  # noqa: F403

__all__ = ["EVENT_CLASSES", "CaseEvent", "decode_event", *(cls.__name__ for cls in EVENT_CLASSES.values())]  # noqa: PLE0604
