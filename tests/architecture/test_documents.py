"""Links, commands, paths and names in documents exist; every decision record is complete and in the index."""

import re
from pathlib import Path

import pytest

from tests.support.documents import Document, documents, faults
from tests.support.repository import PROJECT, relative_name

RECORDS = PROJECT / "docs" / "adr"
HEADINGS = ("Status", "Context", "Decision", "Rejected", "Consequences")
README_LINES = 150


@pytest.mark.parametrize("document", documents(), ids=lambda document: relative_name(document.path))
def test_everything_that_a_document_mentions_exists(document: Document) -> None:
    assert faults(document) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[guide](how-to/absent.md)", "link to how-to/absent.md: no such file"),
        ("[guide](README.md#absent)", "link to README.md#absent: no such heading"),
        ("# Here\n\n[guide](#there)", "link to #there: no such heading"),
        ("```\n# Here\n```\n\n[guide](#here)", "link to #here: no such heading"),
        ("Run `jiesu simulat my.yaml`.", "jiesu simulat: no such command"),
        ("```\n$ jiesu procedure absent my-rules\n```", "jiesu procedure absent: no such command"),
        ("```\njiesu report month \\\n  --from 2026\n```", "jiesu report --from: no such option"),
        ("`JIESU_ZONE=UTC .venv/bin/jiesu topics apply --force`", "jiesu topics apply --force: no such option"),
        ("```\nmake tests\n```", "make tests: no such target"),
        ("`make demo FAST=1`", "make demo FAST=: no such variable"),
        ("`python -m tests.bench.absent`", "python -m tests.bench.absent: no such module"),
        ("`python -m tests.bench.chain.pipeline --absent 1`", "python -m tests.bench.chain.pipeline --absent: no such option"),
        ("`shared.runtime.absent`", "shared.runtime.absent: no such module or name in a module"),
        ("```python\nfrom shared.absent import x\n```", "from shared.absent import x: no such module or name in a module"),
        (
            "```python\nfrom shared.runtime.clock import Clock, absent_name\n```",
            "from shared.runtime.clock import absent_name: no such module or name in a module",
        ),
        ("`shared/runtime/absent.py`", "shared/runtime/absent.py: no such file or folder"),
        ("```\npytest tests/unit/absent -q\n```", "tests/unit/absent: no such file or folder"),
        ("`tests/architecture/test_documents.py::test_absent`", "tests/architecture/test_documents.py::test_absent: no such test"),
        ("`absent_module.py`", "absent_module.py: no such file"),
        ("`AbsentClass` decides", "AbsentClass: no such class"),
        ("`absent_function()` decides", "absent_function(): no such function"),
        ("`JIESU_ABSENT_SETTING`", "JIESU_ABSENT_SETTING: no such setting or metric"),
        ("```\nsum(jiesu_absent_total)\n```", "jiesu_absent_total: no such setting or metric"),
    ],
)
def test_a_planted_fault_is_found(text: str, expected: str) -> None:
    assert faults(Document(PROJECT / "docs" / "planted.md", text)) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "[guide](how-to/scenarios.md), [sites](https://example.org/absent), `[code](absent.md)`",
        "## Twice\n\n## Twice\n\n[second](#twice-1)",
        "```\njiesu simulate: my.yaml: steps.0: wrong\njiesu dead-letters show sla:2 --body   # --absent\n```",
        "```\njiesu procedure schema      jiesu procedure explain my-rules --html FILE\n```",
        "`make test ARGS='-k my-rules'`, `python -m deploy.sinks --folder my`, `shared/procedures/packs/<id>/`, `deploy/prometheus/*.yml`",
        "Create\n`tests/unit/absent.py`, then\n\n```\npytest tests/unit/absent.py\n```",
        "```python\nfrom services.intake.channels import json_document\nfrom shared.runtime.clock import Clock\n```",
        "```python\nabsent = absent_function()  # jiesu absent\n```",
    ],
)
def test_a_correct_document_has_no_faults(text: str) -> None:
    assert faults(Document(PROJECT / "docs" / "planted.md", text)) == []


def test_both_readmes_stay_short() -> None:
    lengths = {name: (PROJECT / name).read_text(encoding="utf-8").count("\n") for name in ("README.md", "README.zh.md")}
    assert {name: length for name, length in lengths.items() if length > README_LINES} == {}


def test_every_guide_is_in_the_index() -> None:
    indexes = [
        Document(path, path.read_text(encoding="utf-8")) for path in (PROJECT / "docs/README.md", PROJECT / "docs/runbooks/README.md")
    ]
    listed = {(index.path.parent / link.partition("#")[0]).resolve() for index in indexes for link in index.links}
    pages = {path for folder in ("tutorials", "how-to", "explanation", "runbooks") for path in (PROJECT / "docs" / folder).glob("*.md")}
    assert pages
    assert {relative_name(page) for page in pages - listed} == set()


def test_every_decision_record_is_in_the_index_and_nothing_else() -> None:
    records = {path.name for path in RECORDS.glob("[0-9]*.md")}
    assert records
    index = Document(RECORDS / "README.md", (RECORDS / "README.md").read_text(encoding="utf-8"))
    listed = [Path(target).name for target in index.links if re.match(r"(\./)?\d{4}-", target)]
    assert sorted(listed) == sorted(records)


def test_every_decision_record_has_all_its_parts() -> None:
    missing = [
        f"{record.name}: {heading}"
        for record in RECORDS.glob("[0-9]*.md")
        for heading in HEADINGS
        if not re.search(rf"^## {heading}$", record.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert missing == []


def test_decision_records_are_numbered_without_a_gap() -> None:
    numbers = sorted(int(path.name[:4]) for path in RECORDS.glob("[0-9]*.md"))
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_glossary_defines_each_term_once() -> None:
    text = (PROJECT / "docs" / "explanation" / "glossary.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", text, re.MULTILINE)
    terms = [re.sub(r" \(.*\)", "", term) for row in rows if row[0] not in ("term", "---") for term in row[0].split(", ")]
    assert len(terms) > 100
    assert {term for term in terms if terms.count(term) > 1} == set()
