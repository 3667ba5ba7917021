"""Checks settings, organisation and earlier data before processes start, so that a fault is one line at once."""

from pathlib import Path

from click import ClickException

from cli.database import connect
from cli.stack.process_environment import SETTINGS_BY_SERVICE
from shared.procedures.checks.organisation.organisation_check import load_checked_organisation

# The context of each decision names the organisation; intake and triage store none.
_ORGANISATIONS = "SELECT DISTINCT convert_from(content, 'UTF8')::jsonb -> 'organisation' ->> 'id' AS id FROM sla.basis ORDER BY 1"


def check_settings(organisation: Path) -> None:
    """Check the environment's settings for every service, then the organisation file; raises `Misconfigured` or `ProcedureError`."""
    for settings in SETTINGS_BY_SERVICE.values():
        settings()
    load_checked_organisation(organisation)


async def reject_other_organisation(database_url: str, organisation_id: str) -> None:
    """Raise `ClickException` where the database holds decisions made for another organisation."""
    async with connect(database_url) as connection:
        others = [row["id"] for row in await connection.fetch(_ORGANISATIONS) if row["id"] != organisation_id]
    if others:
        raise ClickException(
            f"the data belong to the organisation {others[0]}, the organisation file describes {organisation_id}: "
            "name its file, or keep the data of each organisation apart (--root, DATABASE_URL)"
        )
