"""An erased person is in no table, topic, attachment or archive any more, while ledgers hold and figures stay."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from services.intake.attachments.store import AttachmentStore
from tests.integration.cli.keeping.running_services import RunningServices, jiesu

NAME, PHONE, EMAIL, ADDRESS = "欧阳明月", "13911112222", "mingyue@example.org", "桂花巷七号"
TEXT, LATER, ANSWER, CALL = "楼道里堆满了旧家具", "昨夜又多了一张沙发", "已请物业清走家具", "欧阳女士表示满意"
NEEDLES = [NAME, PHONE, EMAIL, ADDRESS, "旧家具", "沙发", ANSWER, CALL, "139****2222", "欧**", "欧阳", "照片内容"]
OPEN, HELD, GONE = "电梯门夹人两次", "水管漏水三天", "车位被占一周"
PERSON = {"name": NAME, "phone": PHONE, "email": EMAIL, "address": ADDRESS}
OTHER = {"name": "孙二", "phone": "13700000001"}


async def _complaints(services: RunningServices) -> tuple[list[str], str]:
    """Two ended cases of the person, connected by an address only, and one of somebody else on the same matter."""
    facts: dict[str, Any] = {"policy": "P-7"}
    attachment = await services.attach("欧阳家门口.txt", "照片内容".encode())
    first = await services.submit(
        complainant=PERSON, text=TEXT, title="旧家具", facts=facts, attachments=[attachment], external_id="web-1", object="楼道"
    )
    second = await services.submit(complainant={"name": NAME, "email": EMAIL}, text=LATER, facts=facts, external_id="web-2")
    other = await services.submit(complainant=OTHER, text="楼道太黑", facts=facts, external_id="web-3", object="楼道")
    for case in (first, second, other):
        await services.end(case, answer=ANSWER if case != other else "已修", call=CALL if case != other else "好")
    await services.settle()
    return [first, second], other


async def _figures(services: RunningServices) -> tuple[Any, Any]:
    report = await jiesu("report", "month", "--procedure", Path(services.settings.organisation).parent / "procedure.yaml", "--json")
    assert report.exit_code == 0, report.output
    groups = await services.rows("triage", "SELECT procedure, count, founder, found_size FROM counted_group ORDER BY 1, 2")
    people = await services.rows(
        "triage", "SELECT procedure, count, count(*), count(DISTINCT person) FROM mark GROUP BY 1, 2 ORDER BY 1, 2"
    )
    return json.loads(report.stdout)["figures"], (groups, people)


async def _require_intact() -> None:
    for command in (("ledger", "verify"), ("replay", "--verify")):
        checked = await jiesu(*command)
        assert checked.exit_code == 0, checked.output


@pytest.mark.timeout(240)
async def test_erased_person_is_nowhere_and_figures_stay(
    services: RunningServices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases, other = await _complaints(services)
    figures = await _figures(services)
    await _require_intact()
    before = await services.places_of(NEEDLES)
    assert {
        "sla.ledger",
        "sla.cases",
        "intake.complaint",
        "triage.known",
        "desk.case_search",
        "case-events",
        "complaint-events",
        "attachments",
    } <= before

    plan = await jiesu("erase", "--person", "-", "--by", "li", "--dry-run", "--json", stdin=f"{PHONE}\n")
    assert plan.exit_code == 0, plan.output
    document = json.loads(plan.stdout)
    assert document["cases"] == sorted(cases)
    assert document["rows"]["sla.cases"] == document["rows"]["intake.complaint"] == document["rows"]["triage.known"] == 2
    assert len(document["attachments"]) == 1
    assert {held["topic"] for held in document["topics"]} >= {"case-events", "complaint-events", "triage-events"}
    assert await services.stores_of(NEEDLES) == {place for place in before if "." in place or place == "attachments"}

    # A crash in the middle: the store is away when triage is done already.
    with monkeypatch.context() as patch:
        patch.setattr(AttachmentStore, "erase", _unreachable_store)
        interrupted = await jiesu("erase", "--person", EMAIL, "--by", "li")
    assert interrupted.exit_code == 1, interrupted.output
    assert "sla.ledger" in await services.stores_of(NEEDLES)
    waiting = await jiesu("erase", "--resume", "--json")
    assert waiting.exit_code == 1, waiting.output
    [state] = json.loads(waiting.stdout)["erasures"]
    assert state["state"] == "waits for topics"
    await services.settle()
    assert await services.stores_of(NEEDLES) == set()
    done = await jiesu("erase", "--resume", "--trim-topics", "--json")
    assert done.exit_code == 0, done.output
    assert await services.places_of(NEEDLES) == set()
    assert json.loads((await jiesu("erase", "--resume", "--json")).stdout) == {"erasures": []}

    assert await _figures(services) == figures
    await _require_intact()
    await _require_archive_without(cases[0], tmp_path / "case.zip")
    again = await jiesu("erase", "--case", cases[0], "--case", cases[1], "--by", "li", "--json")
    assert (again.exit_code, json.loads(again.stdout)["state"]) == (0, "done"), again.output
    unknown = await jiesu("erase", "--person", PHONE, "--by", "li")
    assert unknown.exit_code == 1
    assert await services.rows("sla", "SELECT FROM case_person WHERE case_id = $1", other)
    await _require_intact()


def _unreachable_store(*_: object) -> None:
    raise OSError("the store is away")


async def _require_archive_without(case: str, archive: Path) -> None:
    exported = await jiesu("evidence", case, "--out", archive)
    assert exported.exit_code == 0, exported.output
    with zipfile.ZipFile(archive) as opened:
        content = b"".join(opened.read(name) for name in opened.namelist())
    assert [needle for needle in NEEDLES if needle.encode() in content] == []
    verified = await jiesu("evidence", "--verify", archive)
    assert verified.exit_code == 0, verified.output


@pytest.mark.timeout(240)
async def test_erasure_is_refused_where_a_duty_a_hold_or_a_right_is_in_the_way(services: RunningServices) -> None:
    open_case = await services.submit(complainant={"phone": "13700000008"}, text=OPEN, external_id="refused-1")
    ended = await services.submit(
        complainant={"phone": "13700000009", "id_number": "110101199003070011"}, text=HELD, external_id="refused-2"
    )
    namesake = await services.submit(
        complainant={"phone": "13700000009", "id_number": "110101199003070020"}, text=GONE, external_id="refused-3"
    )
    for case in (ended, namesake):
        await services.end(case)
    await services.settle()
    held = await jiesu("hold", ended, "--because", "court, file 12", "--by", "li")
    assert held.exit_code == 0, held.output
    refusals = {
        ("--case", open_case, "--by", "li"): "is still open; end it first",
        ("--case", ended, "--by", "li"): "is under legal hold",
        ("--case", namesake, "--by", "zhao"): "--by zhao: holds none of the roles keeper",
        ("--case", "no-such", "--by", "li"): "there is no such case",
        ("--person", "13700000009", "--by", "li"): "several people with different id numbers share it",
        ("--person", "13700000008"): "--by: must name",
        ("--person", "13700000008", "--resume"): "give either",
    }
    for arguments, reason in refusals.items():
        refused = await jiesu("erase", *arguments)
        assert (refused.exit_code, reason in refused.output) == (2, True), (arguments, refused.output)
    assert {"sla.ledger", "intake.complaint"} <= await services.stores_of([OPEN, GONE])
    assert await services.rows("sla", "SELECT FROM erasure WHERE cases && $1", [open_case, ended, namesake]) == []

    of_one = await jiesu("erase", "--person", "110101199003070020", "--by", "li", "--trim-topics", "--json")
    assert of_one.exit_code == 0, of_one.output
    assert json.loads(of_one.stdout)["cases"] == [namesake]
    await services.settle()
    assert await services.places_of([GONE]) == set()
    assert await services.stores_of([OPEN]) != set()
    # The source that sends the erased complaint again gets its old answer, and no text comes back.
    assert await services.submit(complainant={"phone": "13700000009"}, text=GONE, external_id="refused-3") == namesake
    await services.settle()
    assert await services.places_of([GONE]) == set()

    assert [hold["case"] for hold in json.loads((await jiesu("hold", "--json")).stdout)] == [ended]
    states = [
        await jiesu("hold", *words) for words in ((ended, "--because", "x", "--by", "li"), (ended, "--release"), (ended, "--release"))
    ]
    assert [state.exit_code for state in states] == [1, 0, 1]
    assert (await jiesu("hold", "no-such", "--because", "x", "--by", "li")).exit_code == 2
