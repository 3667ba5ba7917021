"""The pages of docs/runbooks and the queries that they tell an operator to ask."""

import re

from tests.support.repository import PROJECT

FOLDER = PROJECT / "docs/runbooks"


def runbook_queries(language: str) -> list[tuple[str, str]]:
    """The page and the query of each line of the fenced blocks in a language: `promql` or `sql`."""
    fence = re.compile(rf"^```{language}\n(.*?)^```", re.MULTILINE | re.DOTALL)
    return [
        (page.name, line.strip().removesuffix(";"))
        for page in sorted(FOLDER.glob("*.md"))
        for block in fence.findall(page.read_text(encoding="utf-8"))
        for line in block.splitlines()
    ]
