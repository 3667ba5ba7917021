"""Lists name classes in the reader's language, and show cases without a title by the beginning of their text."""

import re
from pathlib import Path
from typing import Any

import pytest

from services.desk.config import DeskSettings
from shared.contracts.events.from_work_to_closing import PersonErased
from shared.contracts.events.triage import Classified
from shared.contracts.events.up_to_approval import Amended
from tests.integration.desk.conftest import DEPARTMENTS, PEOPLE, START, DeskProbe, registration
from tests.support.messaging.sample_organisation import PROCEDURE, write_organisation, write_yaml
from tests.support.messaging.settings import SettingsFactory

TITLED = [{**rule, "zh": f"{number}级", "en": f"Level {number}"} for number, rule in enumerate(PROCEDURE["classes"], start=1)]


def settings(make_settings: SettingsFactory, folder: Path, **changes: Any) -> DeskSettings:
    organisation = write_organisation(folder, people=PEOPLE, departments=DEPARTMENTS)
    write_yaml(folder / "procedure.yaml", PROCEDURE | {"classes": TITLED} | changes)
    return make_settings(DeskSettings, organisation=organisation, desk_path="/desk")


@pytest.fixture
def desk_settings(make_settings: SettingsFactory, tmp_path: Path) -> DeskSettings:
    return settings(make_settings, tmp_path)


async def inbox(desk: DeskProbe, language: str = "zh") -> str:
    return (await desk.browser.get("/?state=all", headers={"Accept-Language": language})).text


def classified(case: str, class_: str) -> Any:
    return Classified.model_validate({"case": case, "at": START, "procedure": "shop", "version": 3, "class": class_})


async def test_classes_are_named_in_the_language_of_the_page(desk: DeskProbe) -> None:
    await desk.apply([registration("one"), classified("one", "urgent"), registration("two"), classified("two", "unknown")])
    desk.sign_in("li")
    for language, name in (("zh", "1级"), ("en", "Level 1")):
        page = await inbox(desk, language)
        assert re.findall(r'<td data-label="[^"]*">(1级|Level 1|unknown|urgent)</td>', page) == ["unknown", name]
        assert f'<option value="urgent">{name}</option>' in page
    figures = await desk.browser.get("/management?unit=year", headers={"Accept-Language": "en"})
    assert "Level 1" in figures.text
    assert ">urgent<" not in figures.text


async def test_a_case_without_a_title_shows_the_beginning_of_its_text(desk: DeskProbe) -> None:
    long = "三号楼电梯停运，\n多次报修无人处理。" * 10
    await desk.apply([registration("long", text=long), registration("titled", title="电梯", text="不显示"), registration("empty")])
    desk.sign_in("li")
    page = await inbox(desk)
    assert "三号楼电梯停运， 多次报修无人处理。三号楼" in page
    assert re.search(r"三号楼[^<\n]{20,60}…", page)
    assert "不显示" not in page
    await desk.apply([Amended(case="long", at=START, fields={"text": "一号楼<b>电梯"}), PersonErased(case="empty", at=START)])
    page = await inbox(desk)
    assert "一号楼&lt;b&gt;电梯" in page
    assert "三号楼" not in page
    assert "（无标题）" in page


class TestConfidentialText:
    @pytest.fixture
    def desk_settings(self, make_settings: SettingsFactory, tmp_path: Path) -> DeskSettings:
        return settings(make_settings, tmp_path, confidentiality=[{"hidden": ["text"], "visible_to": ["handler"], "clause": "2"}])

    async def test_a_confidential_text_is_in_no_list(self, desk: DeskProbe) -> None:
        await desk.apply([registration("secret", text="举报内容保密")])
        desk.sign_in("li")
        page = await inbox(desk)
        assert "举报" not in page
        assert "（无标题）" in page
