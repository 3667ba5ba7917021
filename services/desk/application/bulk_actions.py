"""One action on several cases, each through sla with the person's token."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from services.desk.application.service_client import ServiceClient, ServiceRefusedError, ServiceUnavailableError

ACTIONS = ("assign", "acknowledge", "urge")
MAX_CASES = 200
_PARALLEL = 8


@dataclass(frozen=True, slots=True)
class ActionOutcome:
    """sla's answer for one case: `accepted`, `refused` with reason and clause, or `unavailable`."""

    case_id: str
    outcome: str
    reason: str = ""
    clause: str = ""


class TakeBulkActions:
    """Takes an action on each of some cases; a refusal of one does not keep the others from it."""

    def __init__(self, services: ServiceClient) -> None:
        self._services = services

    async def take(
        self, case_ids: Sequence[str], action: str, data: Mapping[str, Any], token: str, form_id: str, role: str = ""
    ) -> list[ActionOutcome]:
        """The outcome for each case; `form_id` names the form, so that a form sent twice acts once; `role` is empty for the only one."""
        turns = asyncio.Semaphore(_PARALLEL)
        # sla refuses an action without a role of whoever holds several: the record has to say in which one he acted.
        body = {"action": action, **({"role": role} if role else {}), "data": dict(data)}

        async def act(case_id: str) -> ActionOutcome:
            async with turns:
                return await self._act(case_id, body, token, f"{form_id}:{case_id}"[:200])

        return list(await asyncio.gather(*(act(case_id) for case_id in dict.fromkeys(case_ids))))

    async def _act(self, case_id: str, body: Mapping[str, Any], token: str, key: str) -> ActionOutcome:
        try:
            await self._services.post("sla", f"/v1/cases/{quote(case_id, safe='')}/actions", token, body, key)
        except ServiceRefusedError as refusal:
            return ActionOutcome(case_id, "refused", refusal.reason, refusal.clause)
        except ServiceUnavailableError:
            return ActionOutcome(case_id, "unavailable")
        return ActionOutcome(case_id, "accepted")
