"""Rows by their column map: fields, fixed values, translations, rounded numbers."""

from typing import Any
from zoneinfo import ZoneInfo

from services.intake.channels.mapped_fields import MappedDocument
from services.intake.channels.mapped_rows import RowReader
from shared.procedures.source_formats.file_map import FileMap

COLUMNS = {"编号": "external_id", "时间": "received_at", "内容": "text", "电话": "complainant.phone", "证件": "complainant.id_number"}


def reader(titles: list[str], **rules: Any) -> RowReader:
    file_map = FileMap.model_validate({"columns": COLUMNS | rules.pop("columns", {})} | rules)
    return RowReader(file_map, titles, ZoneInfo("Asia/Shanghai"))


def read(cells: list[Any], **rules: Any) -> MappedDocument:
    titles = [*COLUMNS, *rules.get("columns", {})]
    return reader(titles, **rules).read(cells)


def test_titles_are_found_in_any_order_and_width() -> None:
    row_reader = reader([" 内容 ", "备注", "\ufeff时间", "编号", "编号"])
    mapped = row_reader.read(["停水", "x", "2026-11-09 9:05", "G-1", "second"])
    assert mapped.document == {"text": "停水", "received_at": "2026-11-09T09:05:00+08:00", "external_id": "G-1"}
    assert (row_reader.missing, row_reader.ignored) == (["电话", "证件"], ["备注", "编号"])
    assert row_reader.lacks_required == []
    assert reader(["编号", "内容"]).lacks_required == ["时间"]


def test_rounded_reference_refuses_the_row_and_a_rounded_number_is_kept_out() -> None:
    mapped = read(["2.02611E+11", "2026-11-09", "停水", "1.38E+10", 1.1010119900101123e17])
    assert [(fault.field, fault.rule) for fault in mapped.faults] == [("external_id", "number_rounded")]
    assert mapped.unreadable == ("complainant.phone", "complainant.id_number")
    assert "complainant" not in mapped.document


def test_numbers_of_cells_become_their_digits() -> None:
    mapped = read([17.0, 46335.375, 12.5, 13800000000.0, "11010119900101123X"])
    assert mapped.document["external_id"] == "17"
    assert mapped.document["text"] == "12.5"
    assert mapped.document["complainant"] == {"phone": "13800000000", "id_number": "11010119900101123X"}


def test_fixed_values_fill_in_and_texts_are_translated() -> None:
    rules: dict[str, Any] = {
        "columns": {"来源": "channel", "媒体": "facts.media", "对象": "against"},
        "values": {"channel": "hotline", "kind": "complaint"},
        "translate": {"channel": {"来访": "visit"}, "facts.media": {"是": True}},
    }
    first = read(["", "2026-11-09", "停水", "", "", "来访", "是", "张三；李四、"], **rules).document
    assert (first["channel"], first["kind"], first["facts"], first["against"]) == ("visit", "complaint", {"media": True}, ["张三", "李四"])
    assert read(["", "2026-11-09", "停水"], **rules).document["channel"] == "hotline"


def test_optional_instant_that_cannot_be_read_is_kept_out_and_an_empty_row_is_empty() -> None:
    rules: dict[str, Any] = {"columns": {"发生": "happened_at"}, "values": {"channel": "hotline"}}
    assert read(["", "2026-11-09", "停水", "", "", "昨天"], **rules).unreadable == ("happened_at",)
    assert read(["", " ", "", None, ""], **rules).is_empty
    assert reader(["时间", "内容"]).has_surplus(["a", "b", "", "c"])
    assert not reader(["时间", "内容"]).has_surplus(["a", "b", "", None])


def test_zone_and_order_of_the_map_go_before_those_of_the_calendar() -> None:
    mapped = read(["", "9/11/2026 9:05", "停水"], zone="Asia/Urumqi", date_order="dmy")
    assert mapped.document["received_at"] == "2026-11-09T09:05:00+06:00"
