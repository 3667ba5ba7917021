"""Submits complaints by HTTP: one, then many."""

import asyncio
import os

from jiesu_client import Complainant, IntakeClient, RequestRefusedError, Submission


async def main() -> None:
    """The environment holds INTAKE (address) and KEY (of the source)."""
    async with IntakeClient(os.environ["INTAKE"], os.environ["KEY"]) as intake:
        one = Submission.model_validate(
            {
                "external_id": "call-4711",
                "received_at": "2026-11-23T05:30:00+08:00",
                "complainant": Complainant(name="王先生", phone="13800000000"),
                "text": "3号楼电梯停运，老人下不了楼",
            }
        )
        registered = await intake.submit(one)
        print(registered.status, registered.number, registered.case, flush=True)
        many = [{"external_id": f"row-{n}", "received_at": "2026-11-23T06:00:00+08:00", "text": "路灯不亮" * (n % 3)} for n in range(3)]
        for result in await intake.submit_many(many):
            print(f"refused: {result}" if isinstance(result, RequestRefusedError) else f"{result.status} {result.number}", flush=True)


asyncio.run(main())
