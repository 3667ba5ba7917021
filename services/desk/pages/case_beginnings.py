"""Shows cases without a title by the beginning of their text, where the procedure does not keep the text confidential."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.desk.domain.text_beginning import text_beginning
from services.desk.pages.dependencies import DeskDependencies
from services.desk.storage.inbox_queries import load_texts


async def with_beginnings(dependencies: DeskDependencies, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows with `beginning`, empty for a case with a title or a confidential text."""
    hidden = dependencies.confidential.hidden
    shown = [row["case_id"] for row in rows if not row["title"] and "text" not in hidden(row["procedure"], row["version"])]
    texts: Mapping[str, str] = {}
    if shown:
        async with dependencies.database.transaction() as tx:
            texts = await load_texts(tx, shown)
    return [{**row, "beginning": text_beginning(texts.get(row["case_id"], ""))} for row in rows]
