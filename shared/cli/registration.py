"""A scenario's complaint, registered."""

from datetime import datetime

from shared.cli.scenario import Complained
from shared.contracts.complaint import Complaint, MaskedComplainant
from shared.contracts.events.triage import Registered
from shared.procedures.bound import Bound


def registered(complained: Complained, case: str, number: int, bound: Bound, at: datetime) -> Registered:
    """The registration of a scenario's complaint."""
    procedure = bound.procedure
    given = complained.model_dump(exclude={"id", "complainant", "source", "external_id"}, exclude_none=True)
    who = complained.complainant
    has = [name for name in ("name", "phone", "email", "address", "identity", "enterprise", "household") if getattr(who, name)]
    missing = [
        name
        for name in procedure.register_.required
        if not (name.split(".")[1] in has if name.startswith("complainant.") else given.get(name))
    ]
    mark = who.phone or who.email or who.identity or who.name
    masked = MaskedComplainant(
        kind=who.kind, anonymous=who.anonymous, id=mark, identity=who.identity, enterprise=who.enterprise, household=who.household, has=has
    )
    written = procedure.register_.number.format(year=at.year, seq=number)
    complaint = Complaint.model_validate(
        {
            **given,
            "case": case,
            "number": written,
            "source": complained.source or "scenario",
            "registered_at": at,
            "complainant": masked,
            "missing": missing,
            "contact": "sealed" if has else None,
        }
    )
    forms = [form.id for form in procedure.forms if form.opens == "registered"]
    return Registered(case=case, at=at, complaint=complaint, number=written, missing=missing, forms=forms, parameters=bound.parameters)
