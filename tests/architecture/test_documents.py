"""Every link between our documents leads somewhere; every decision record is complete and in the index."""

import re
from pathlib import Path

from tests.support.repository import PROJECT, relative_name, text_files

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
RECORDS = PROJECT / "docs" / "adr"
HEADINGS = ("Status", "Context", "Decision", "Rejected", "Consequences")


def documents() -> list[Path]:
    return [path for path in text_files() if path.suffix == ".md"]


def links(document: Path) -> list[str]:
    prose = re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return LINK.findall(re.sub(r"`[^`\n]*`", "", prose))


def anchors(document: Path) -> set[str]:
    """The names that a forge gives to the headings."""
    headings = re.findall(r"^#+\s+(.*?)\s*$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def leads_somewhere(document: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    aim = (document.parent / path) if path else document
    return aim.exists() and (not anchor or aim.suffix != ".md" or anchor.lower() in anchors(aim))


def test_every_relative_link_leads_somewhere() -> None:
    broken = [
        f"{relative_name(document)}: {target}"
        for document in documents()
        for target in links(document)
        if not re.match(r"[a-z]+:", target) and not leads_somewhere(document, target)
    ]
    assert broken == []


def test_every_decision_record_is_in_the_index_and_nothing_else() -> None:
    records = {path.name for path in RECORDS.glob("[0-9]*.md")}
    assert records
    listed = [Path(target).name for target in links(RECORDS / "README.md") if re.match(r"(\./)?\d{4}-", target)]
    assert sorted(listed) == sorted(records)


def test_every_decision_record_has_all_its_parts() -> None:
    missing = [
        f"{record.name}: {heading}"
        for record in RECORDS.glob("[0-9]*.md")
        for heading in HEADINGS
        if not re.search(rf"^(#+ |\*\*|- ){heading}|^{heading}:", record.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert missing == []


def test_decision_records_are_numbered_without_a_gap() -> None:
    numbers = sorted(int(path.name[:4]) for path in RECORDS.glob("[0-9]*.md"))
    assert numbers == list(range(1, len(numbers) + 1))
