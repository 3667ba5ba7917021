"""`jiesu up` refuses the data of another organisation."""

import pytest
from click import ClickException

from cli.database import connect
from cli.stack.preflight import reject_other_organisation
from services.sla.domain.evidence.decision_context import capture_context
from shared.procedures.organisation import Organisation


async def test_data_of_another_organisation_are_refused(database_url: str) -> None:
    await reject_other_organisation(database_url, "second")
    async with connect(database_url) as connection:
        for version in (1, 2):
            context = capture_context(Organisation(id="first", version=version), {})
            insert = "INSERT INTO sla.basis (stamp, calendar, content) VALUES ($1, $2, $3)"
            await connection.execute(insert, context.stamp, "calendars", context.content)
    await reject_other_organisation(database_url, "first")
    with pytest.raises(ClickException, match="the data belong to the organisation first, the organisation file describes second"):
        await reject_other_organisation(database_url, "second")
