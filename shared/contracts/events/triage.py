"""Events of registration and of triage's decisions, which persons may also make."""

from typing import Any, Literal

from pydantic import Field

from shared.contracts.base import ShortText
from shared.contracts.complaint import Complaint, ComplaintKind
from shared.contracts.events.base import ActionEvent, CaseEvent, JsonObject


class Registered(CaseEvent):
    """A complaint was registered under a gapless number: case opened, clocks count from `complaint.received_at`."""

    name = "registered"

    complaint: Complaint
    number: ShortText = ""
    missing: list[ShortText] = Field(default_factory=list)
    forms: list[ShortText] = Field(default_factory=list)
    parameters: JsonObject = Field(default_factory=dict)


class Classified(ActionEvent):
    """Kind, class and subject were decided; `facts` are those that triage derived, `evidence` what the decision rests on."""

    name = "classified"

    kind: ComplaintKind | Literal[""] = ""
    class_: ShortText = Field(default="", alias="class")
    subject: ShortText = ""
    facts: JsonObject = Field(default_factory=dict)
    evidence: list[ShortText] = Field(default_factory=list)
    department: ShortText = Field(
        default="", description="with the first decision: where triage routes the case, or proposes to; the event follows"
    )
    registered: Registered | None = Field(default=None, description="on triage-events alone: all that sla needs to open the case")


class Reclassified(Classified):
    """An earlier decision on kind, class or subject was replaced."""

    name = "reclassified"

    from_class: ShortText = ""


class Routed(ActionEvent):
    """A lead department, and others co-operating, are responsible."""

    name = "routed"

    department: ShortText = ""
    cooperating: list[ShortText] = Field(default_factory=list)
    complaint: dict[str, Any] = Field(default_factory=dict, description="on department topics alone: what the case is about, redacted")


class RouteProposed(Routed):
    """Triage proposes a department; a person routes. The catch-all department is always only proposed."""

    name = "route_proposed"


class GroupFound(CaseEvent):
    """Enough cases count together; on the case that completes the group, naming all members, once a group."""

    name = "group_found"

    group: ShortText = ""
    members: list[ShortText] = Field(default_factory=list)
    count: int = 0
    key: ShortText = ""


class GroupDissolved(CaseEvent):
    """A group no longer holds."""

    name = "group_dissolved"

    group: ShortText = ""
    members: list[ShortText] = Field(default_factory=list)
