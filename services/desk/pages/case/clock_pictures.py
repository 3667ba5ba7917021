"""Pictures of the clocks of a case, each with the sentences that explain why it is due then."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from services.desk.application.service_client import ServiceClient
from services.desk.drawings.clock.clock_data import clock_data
from services.desk.drawings.clock.clock_drawing import draw_clock
from services.desk.drawings.clock.why_due import why_due
from shared.procedures.explain.procedure_texts import ProcedureTexts


async def explained_clocks(services: ServiceClient, token: str, case: str) -> list[dict[str, Any]]:
    """Explanation by sla of each clock that has started, in the order of their starts; raises as `ServiceClient.get`."""
    path = f"/v1/cases/{quote(case, safe='')}/clocks"
    listed = await services.get("sla", path, token)
    ids = dict.fromkeys(run["clock"] for run in listed["clocks"])
    explained = (services.get("sla", f"{path}/{quote(clock, safe='')}", token) for clock in ids)
    return list(await asyncio.gather(*explained))


def drawn_rounds(answers: Iterable[Mapping[str, Any]], texts: ProcedureTexts, now: datetime) -> list[dict[str, Any]]:
    """A picture for each due instant of each round, in the order of the rounds."""
    titles = {clock.id: texts.title(clock) for clock in texts.procedure.clocks}
    drawn: list[dict[str, Any]] = []
    for answer in answers:
        for run in answer["rounds"]:
            title = titles.get(run["clock"], run["clock"])
            for index, due in enumerate(run["dues"]):
                reminders = [each["at"] for each in run["reminders"] if each["of"] == index]
                data = clock_data(title, due, now, reminders=reminders, ended=run["ended_at"])
                key = f"clock-{len(drawn)}"
                drawn.append({"title": title, "run": run, "why": why_due(due, texts), "drawing": draw_clock(data, texts.language, key)})
    return drawn
