"""A source's export as contact centres write it, its column map, and the organisation with that source."""

import csv
import io
from pathlib import Path
from typing import Any

from tests.support.messaging.sample_organisation import SOURCES, write_organisation, write_yaml

TITLES = ["工单号", "受理时间", "来电人", "联系电话", "诉求内容"]
ROWS = [
    ["G-001", "2026/11/9 9:05", "王先生", "13800000000", "3号楼电梯停运"],
    ["G-002", "2026年11月9日9时5分", "买买提·艾力", "010-65529988转801", "停水了，\n已经两天"],
    ["G-003", "20261109", "朱镕生", "1.38E+10", '他说"马上来"，没来'],
    ["G-004", "46335.375", "李女士", "１３９００００００００", "车位被占"],
    ["G-005", "2026-11-09 24:00", "张三", "13512345678-9100", "噪音"],
    ["G-006", "9/11/2026 9:05", "李四", "13800000000/13900000000", "路灯不亮"],
    ["G-001", "2026/11/9 9:05", "王先生", "13800000000", "3号楼电梯停运"],
]
"""G-001 comes twice, G-003 has a rounded number, G-006 an ambiguous date."""
COLUMN_MAP: dict[str, Any] = {
    "columns": {
        "工单号": "external_id",
        "受理时间": "received_at",
        "来电人": "complainant.name",
        "联系电话": "complainant.phone",
        "诉求内容": "text",
    },
    "values": {"channel": "hotline"},
    "zone": "Asia/Shanghai",
}


def csv_bytes(rows: list[list[str]], encoding: str, delimiter: str = ",") -> bytes:
    """Titles and rows as CSV."""
    file = io.StringIO()
    csv.writer(file, delimiter=delimiter).writerows([TITLES, *rows])
    return file.getvalue().encode(encoding)


def read_csv(content: bytes, encoding: str, delimiter: str = ",") -> list[dict[str, str]]:
    """The rows of a CSV file by their titles."""
    return list(csv.DictReader(io.StringIO(content.decode(encoding), newline=""), delimiter=delimiter))


def organisation_with_imports(folder: Path, **changes: Any) -> Path:
    """The sample organisation whose source `web` imports files by the column map, in a YAML file of its own."""
    write_yaml(folder / "columns.yaml", COLUMN_MAP | changes)
    return write_organisation(folder, sources=[SOURCES[0] | {"imports": "columns.yaml"}, *SOURCES[1:]])
