"""The watched folder: a file is moved aside only when its report is durable, and nothing is imported twice."""

import asyncio
from pathlib import Path

import orjson
import pytest

from services.intake.storage import imports
from services.intake.transports.imports.folder import ImportFolder
from services.intake.transports.imports.importing import Imports
from tests.integration.intake.transports.imports.test_interrupted_imports import ROWS, numbers, parts, work
from tests.support.messaging.import_samples import csv_bytes, read_csv

__all__ = ["parts", "work"]
REPORT = "export.csv.report.csv"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "import"
    (folder / "web").mkdir(parents=True)
    return folder


def watching(work: Imports, root: Path, max_bytes: int = 1_000_000) -> ImportFolder:
    return ImportFolder(work, root, max_bytes, asyncio.Event())


async def run_waiting(work: Imports) -> None:
    async with work.database.transaction() as tx:
        import_id = await imports.find_waiting(tx)
    assert import_id is not None
    await work.run(import_id, "one")


async def test_file_is_imported_reported_and_moved(work: Imports, root: Path) -> None:
    path, folder = root / "web/export.csv", watching(work, root)
    path.write_bytes(csv_bytes(ROWS, "gb18030"))
    for name in (".hidden.csv", "~$open.xlsx", "half.csv.part"):
        (root / "web" / name).write_bytes(b"x")
    await folder.look()
    async with work.database.transaction() as tx:
        assert await imports.find_waiting(tx) is None, "a file has to rest between two looks"
    await folder.look()
    await run_waiting(work)
    assert path.exists()
    await folder.look()
    done = root / "web/done"
    assert sorted(each.name for each in done.iterdir()) == ["export.csv", REPORT, "export.csv.summary.json"]
    assert [row["jiesu_case_number"] for row in read_csv((done / REPORT).read_bytes(), "gb18030")] == await numbers(work)
    summary = orjson.loads((done / "export.csv.summary.json").read_bytes())
    assert (summary["state"], summary["accepted"], summary["found"]["encoding"][:7]) == ("done", 25, "GB18030")
    assert sorted(each.name for each in (root / "web").iterdir()) == [".hidden.csv", "done", "half.csv.part", "~$open.xlsx"]


async def test_stop_before_the_move_imports_no_row_twice(work: Imports, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = root / "web/export.csv"
    path.write_bytes(csv_bytes(ROWS, "utf-8"))
    for _ in range(2):
        # Another process each time: it knows nothing of the first, and finds the import by the content of the file.
        folder = watching(work, root)
        await folder.look()
        await folder.look()
    await run_waiting(work)
    async with work.database.transaction() as tx:
        assert await tx.fetchval("SELECT count(*) FROM import_file") == 1
    folder = watching(work, root)
    await folder.look()
    with monkeypatch.context() as patch:
        patch.setattr(ImportFolder, "_move", lambda *_: (_ for _ in ()).throw(OSError(5, "input/output error")))
        await folder.look()
    assert path.exists()
    await folder.look()
    await run_waiting(work)
    await folder.look()
    assert not path.exists()
    assert len(await numbers(work)) == 25
    assert (root / "web/done/export.csv").exists()


async def test_same_name_twice_keeps_both(work: Imports, root: Path) -> None:
    folder = watching(work, root)
    for rows in (ROWS[:3], ROWS[3:6]):
        (root / "web/export.csv").write_bytes(csv_bytes(rows, "utf-8"))
        await folder.look()
        await folder.look()
        await run_waiting(work)
        await folder.look()
    names = sorted(each.name for each in (root / "web/done").glob("*.csv") if "report" not in each.name)
    assert names == ["export-1.csv", "export.csv"]
    assert len(await numbers(work)) == 6


async def test_file_that_cannot_be_read_is_set_aside_with_the_reason(work: Imports, root: Path) -> None:
    folder = watching(work, root, max_bytes=5000)
    (root / "web/empty.csv").write_bytes(b"  ")
    (root / "web/large.csv").write_bytes(b"x" * 5001)
    await folder.look()
    await folder.look()
    await run_waiting(work)
    await folder.look()
    refused = root / "web/refused"
    rules = {path.name: orjson.loads(path.read_bytes())["errors"][0]["rule"] for path in refused.glob("*.json")}
    assert rules == {"empty.csv.summary.json": "empty", "large.csv.summary.json": "too_large"}
    assert not list((root / "web").glob("*.csv"))


async def test_stop_after_the_move_of_a_failed_file_lets_the_same_file_be_imported_later(
    work: Imports, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, folder = root / "web/export.csv", watching(work, root)
    content = csv_bytes(ROWS, "utf-8")
    path.write_bytes(content)
    for _ in range(2):
        await folder.look()
    with monkeypatch.context() as patch:
        patch.setattr(work, "file_maps", {})
        await run_waiting(work)
    move = ImportFolder._move

    def stop_behind(self: ImportFolder, source: Path, target: Path) -> None:
        move(self, source, target)
        raise OSError(5, "input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(ImportFolder, "_move", stop_behind)
        await folder.look()
    assert not path.exists()
    path.write_bytes(content)
    for _ in range(2):
        await folder.look()
    await run_waiting(work)
    await folder.look()
    assert (root / "web/done/export.csv").exists()
    assert len(await numbers(work)) == 25
