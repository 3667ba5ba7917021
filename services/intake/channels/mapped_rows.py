"""Reads rows of tables by the column map of their source."""

import unicodedata
from collections.abc import Sequence
from datetime import tzinfo
from typing import Any

from services.intake.channels.mapped_fields import FieldMapper, MappedDocument
from shared.procedures.source_formats.file_map import FileMap

_REQUIRED = ("received_at", "text")


def normal_title(title: Any) -> str:
    """The title of a column as titles are compared: without spaces around it, full-width letters as narrow ones, no byte order mark."""
    return unicodedata.normalize("NFKC", str(title)).strip().strip("\ufeff")


class ColumnFields:
    """The fields of a map by the normal form of their titles."""

    def __init__(self, file_map: FileMap) -> None:
        self.fields = {normal_title(title): name for title, name in file_map.columns.items()}
        self.titles = {normal_title(title): title for title in file_map.columns}


class RowReader:
    """Reads the rows of one table; `zone` holds where the map names none.

    `missing` are titles of the map that the table lacks, `ignored` those of the table that the map does not name.
    """

    def __init__(self, file_map: FileMap, titles: Sequence[Any], zone: tzinfo) -> None:
        columns = ColumnFields(file_map)
        found = [normal_title(title) for title in titles]
        self._mapper = FieldMapper(file_map, zone)
        # The first of two columns of one title: the second is often an empty one, and the report says so.
        self._fields = {found.index(title): name for title, name in columns.fields.items() if title in found}
        self._width = len(found)
        self.missing = [columns.titles[title] for title in columns.fields if title not in found]
        self.ignored = [str(title) for index, title in enumerate(titles) if found[index] and index not in self._fields]
        self.lacks_required = [
            title for title, name in columns.fields.items() if name in _REQUIRED and title not in found and name not in file_map.values
        ]

    def read(self, cells: Sequence[Any]) -> MappedDocument:
        """The document of a row; a row that is shorter than the titles lacks its last cells."""
        return self._mapper.document({name: cells[index] for index, name in self._fields.items() if index < len(cells)})

    def has_surplus(self, cells: Sequence[Any]) -> bool:
        """Whether a row has a value beyond the titles: a delimiter within a text has moved the cells behind it."""
        return any(cell not in (None, "") for cell in cells[self._width :])
