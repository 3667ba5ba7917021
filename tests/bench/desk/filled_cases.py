"""Cases for the benches of the desk: rows of its read model, copied as a rebuild does."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from services.desk.domain.search_grams import grams, normalise, row_grams
from services.desk.domain.viewer import department_key, person_key
from shared.runtime.database.database import Database

NOW = datetime.now(UTC)
WORDS = [
    "电梯",
    "停运",
    "漏水",
    "噪音",
    "停车",
    "物业",
    "态度",
    "收费",
    "门禁",
    "绿化",
    "垃圾",
    "照明",
    "水压",
    "暖气",
    "维修",
    "施工",
    "消防",
    "管道",
    "楼道",
    "车位",
    "保安",
    "投诉",
    "退款",
    "质量",
    "开裂",
    "渗水",
]
PLACES = ["一号楼", "二号楼", "三号楼", "四号楼", "五号楼", "东门", "西门", "南门", "北门", "地下车库", "会所", "泳池", "花园", "大堂"]
LATIN = ["lift", "noise", "water", "refund", "parking", "invoice", "warranty", "delivery", "service"]
DEPARTMENTS = [f"unit{number:02}" for number in range(40)]
CHUNK = 20_000
ROW_COLUMNS = (
    *("case_id", "number", "procedure", "title", "kind", "class", "subject", "channel", "state", "department", "proposed", "handler"),
    *("due_clock", "lead", "review", "running", "version", "level", "urgings", "sequence", "breached", "escalated", "suspended"),
    *("anonymous", "cooperating", "against", "seen_by", "received_at", "due_at", "changed_at", "ended_at"),
)


def rows(first: int, count: int, *, is_open: bool, chance: random.Random) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """Rows of case_row and case_search; departments differ in size by a factor of forty."""
    for number in range(first, first + count):
        department = DEPARTMENTS[int(len(DEPARTMENTS) * chance.random() ** 2)]
        received = NOW - timedelta(minutes=chance.randrange(60 * 24 * (60 if is_open else 1500)))
        due = received + timedelta(hours=chance.randrange(24 * 70)) if is_open and chance.random() < 0.95 else None
        handler = f"head{DEPARTMENTS.index(department):02}" if chance.random() < 0.6 else ""
        text = f"{chance.choice(PLACES)}{''.join(chance.sample(WORDS, 6))}，{chance.choice(LATIN)} {chance.choice(LATIN)}"
        case, label = f"case-{number:07}", f"TS-{number:07}"
        keys = [department_key(department), *([person_key(handler)] if handler else [])]
        against = ["head03"] if chance.random() < 0.001 else []
        state = "open" if is_open else "closed"
        texts = (label, f"p{number % 5}", text[:12], "complaint", f"c{number % 4}", "", "hotline", state, department, "", handler)
        flags = (bool(due and due < NOW), chance.random() < 0.02, False, False)
        instants = (received, due, received, None if is_open else received + timedelta(days=9))
        words = normalise(f"{label} {text}")
        row: tuple[Any, ...] = (case, *texts, "answer", "", "", "{}", 1, 0, 0, 9, *flags, [], against, keys, *instants)
        yield row, (case, words, received, row_grams(grams(words), received, keys, is_open=is_open))


async def fill(database: Database, open_cases: int, ended_cases: int) -> None:
    """Copy the cases into an empty read model; the indexes are built afterwards, as a rebuild does."""
    chance = random.Random(15)
    async with database.transaction() as tx:
        if await tx.fetchval("SELECT EXISTS (SELECT FROM case_row)"):
            return
        indexes = await tx.fetch(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'desk' AND tablename IN ('case_row', 'case_search') "
            "AND indexdef LIKE 'CREATE INDEX%'"
        )
        for index in indexes:
            await tx.execute(f"DROP INDEX {index['indexname']}")
    for is_open, total, offset in ((True, open_cases, 0), (False, ended_cases, open_cases)):
        for first in range(0, total, CHUNK):
            made = list(rows(offset + first, min(CHUNK, total - first), is_open=is_open, chance=chance))
            async with database.transaction() as tx:
                await tx.copy_rows("case_row", ROW_COLUMNS, [row for row, _ in made])
                await tx.copy_rows("case_search", ("case_id", "words", "received_at", "grams"), [search for _, search in made])
    async with database.transaction() as tx:
        await tx.execute("SELECT set_config('statement_timeout', '0', true), set_config('maintenance_work_mem', '1GB', true)")
        for index in indexes:
            await tx.driver_connection.execute(index["indexdef"], timeout=600)
    connection = database.engine.execution_options(isolation_level="AUTOCOMMIT")
    async with connection.connect() as session:
        driver = (await session.get_raw_connection()).driver_connection
        assert driver is not None
        await driver.execute("VACUUM ANALYZE desk.case_row", timeout=600)
        await driver.execute("VACUUM ANALYZE desk.case_search", timeout=600)
