"""Retention erases ended cases whose time is over, never what is open or held, and says so before it does."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.integration.cli.keeping.running_services import RunningServices, jiesu

OLD, OPEN, HELD = "花园的灯不亮", "快递柜打不开", "屋顶渗水半年"


async def _run(*options: str) -> list[dict[str, Any]]:
    run = await jiesu("retention", "--json", *options)
    assert run.exit_code == 0, run.output
    figures: list[dict[str, Any]] = json.loads(run.stdout)
    return figures


@pytest.mark.timeout(240)
async def test_ended_cases_past_their_retention_are_erased_in_batches(services: RunningServices, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [(figure["days"], figure["past"]) for figure in await _run()] == [(0, 0), (0, 0)]
    attachments = {text: await services.attach("照片.txt", text.encode()) for text in (OLD, OPEN, HELD)}
    cases = {
        text: await services.submit(
            complainant={"name": "欧阳明月", "phone": "13911112222"}, text=text, external_id=f"kept-{text}", attachments=[attachments[text]]
        )
        for text in (OLD, OPEN, HELD)
    }
    for text in (OLD, HELD):
        await services.end(cases[text])
    await services.settle()
    held = await jiesu("hold", cases[HELD], "--because", "court", "--by", "li")
    assert held.exit_code == 0, held.output
    later = datetime.now(UTC) + timedelta(days=800)
    monkeypatch.setenv("JIESU_CLOCK", f"{later.isoformat()}@{datetime.now(UTC).isoformat()}x1")
    monkeypatch.setenv("JIESU_CASE_RETENTION_DAYS", "730")
    monkeypatch.setenv("JIESU_ATTACHMENT_RETENTION_DAYS", "60")

    planned = await _run("--dry-run")
    # Other tests' cases on these tables are old by then too.
    assert all(figure["past"] >= 1 and figure["held"] >= 1 and figure["erased"] == 0 for figure in planned)
    assert {"sla.ledger", "attachments"} <= await services.stores_of([OLD])
    done = await _run()
    assert [figure["erased"] for figure in done] == [planned[0]["past"], 0]
    await services.settle()
    places = {text: await services.stores_of([text]) for text in cases}
    assert places[OLD] == set()
    assert {"sla.ledger", "intake.complaint", "attachments"} <= places[OPEN] & places[HELD]
    assert [(figure["past"], figure["erased"]) for figure in await _run()] == [(0, 0), (0, 0)]
    [row] = await services.rows("sla", "SELECT cases, finished_at IS NOT NULL AS done FROM erasure WHERE ground = 'retention'")
    assert cases[OLD] in row["cases"]
    assert row["done"]
    # Neither the dry run, nor the run of 800 days before.
    runs = await services.rows("sla", "SELECT outcome, limits FROM retention_run ORDER BY started_at")
    assert [tuple(run) for run in runs] == [("done", True), ("done", True)]
    checked = await jiesu("ledger", "verify")
    assert checked.exit_code == 0, checked.output


async def test_a_run_that_fails_is_recorded_as_failed(services: RunningServices, monkeypatch: pytest.MonkeyPatch) -> None:
    case = await services.submit(text="路灯不亮", external_id="fails", attachments=[await services.attach("照片.txt", b"x")])
    later = datetime.now(UTC) + timedelta(days=900)
    monkeypatch.setenv("JIESU_CLOCK", f"{later.isoformat()}@{datetime.now(UTC).isoformat()}x1")
    monkeypatch.setenv("JIESU_CASE_RETENTION_DAYS", "730")
    monkeypatch.setenv("JIESU_ATTACHMENT_STORE", "")
    await services.end(case)
    await services.settle()
    failed = await jiesu("retention")
    assert failed.exit_code == 1, failed.output
    [latest] = await services.rows("sla", "SELECT outcome, ended_at FROM retention_run ORDER BY started_at DESC LIMIT 1")
    assert latest["outcome"] == "failed"
    assert latest["ended_at"] is not None
