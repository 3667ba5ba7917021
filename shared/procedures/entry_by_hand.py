"""Entry by hand: the channels on which people take complaints, and the people whom a source lists for it."""

from shared.procedures.organisation import ComplaintSource, Organisation

BY_HAND = ("hotline", "visit", "letter", "fax", "box", "media", "regulator")
"""Channels on which a person takes the complaint; what comes by mail, web or app brings itself."""


def enterers(source: ComplaintSource, organisation: Organisation) -> frozenset[str]:
    """The ids of the people whom the source lists, by id or by a role that they hold."""
    listed = set(source.entered_by)
    return frozenset(person.id for person in organisation.people if person.id in listed or listed.intersection(person.roles))
