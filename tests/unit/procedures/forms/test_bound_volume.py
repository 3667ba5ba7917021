"""The bound volume of a year: cover with the seal, index whose pages are right, every form, and the keeper's receipt."""

import re

from pypdfium2 import PdfDocument

from shared.procedures.forms.bound_volume import BoundVolume, VolumeCase, render_volume
from shared.procedures.forms.printing import print_case_form
from tests.unit.procedures.forms.sample_form import event, registered, sample_events, sample_texts


def volume() -> BoundVolume:
    long_case = [registered("S-2", text="渗水。" * 2000), *sample_events()[1:], event(6, "called_back", "desk", "li")]
    cases = []
    for number, events in (("S-1", sample_events()), ("S-2", long_case), ("S-3", sample_events())):
        form = print_case_form(sample_texts(), "sheet", events)[0]
        cases.append(VolumeCase(number, "2026年9月17日 15:10", (form,)))
    return BoundVolume(2026, "某物业", "样例规程", "档案员吴芳", "ab" * 32, "2027年1月4日 09:00", tuple(cases))


def pages() -> list[str]:
    with PdfDocument(render_volume(volume())) as document:
        return [page.get_textpage().get_text_range().replace("\r\n", "\n") for page in document]


def test_volume_has_cover_index_forms_and_receipt() -> None:
    printed = pages()
    assert all(text in printed[0] for text in ("2026年度已关闭投诉记录", "某物业", "ab" * 20, "档案员吴芳"))
    assert "卷内目录" in printed[1]
    receipt = printed[-1]
    assert f"本卷共{len(printed)}页" in receipt
    assert all(text in receipt for text in ("封存章", "保管人（档案员吴芳）", "装订人", "3件"))
    assert sum("处理单" in page for page in printed[2:]) >= 3


def test_index_names_the_page_on_which_each_case_begins() -> None:
    printed = pages()
    index = [int(page) for page in re.findall(r"处理单\s+(\d+)", printed[1])]
    assert index[0] == 3
    assert index[2] - index[1] > 1
    for page in index:
        assert printed[page - 1].startswith("某物业\n处理单")


def test_equal_volumes_are_equal_files() -> None:
    assert render_volume(volume()) == render_volume(volume())
