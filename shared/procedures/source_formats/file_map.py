"""The columns of a source's CSV and Excel files."""

from collections import Counter
from typing import Literal, Self

from pydantic import Field, model_validator

from shared.procedures.source_formats.fields import FieldName, FieldRules


class FileMap(FieldRules):
    """Which column holds which field; titles are compared without surrounding spaces and with full-width letters as narrow ones."""

    columns: dict[str, FieldName] = Field(min_length=1, description="title of a column → field of the complaint; other columns are ignored")
    header_row: int = Field(default=1, ge=1, le=100, description="the row with the titles; rows above it are ignored")
    encoding: Literal["utf-8", "gb18030", "utf-16"] | None = Field(default=None, description="encoding of CSV files; none: found")
    delimiter: Literal[",", ";", "tab", "|"] | None = Field(default=None, description="delimiter of CSV files; none: found by the titles")
    sheet: str | None = Field(default=None, description="sheet of workbooks; none: the first visible one")

    @model_validator(mode="after")
    def _columns_can_be_used(self) -> Self:
        self.require_fields(self.columns.values())
        twice = [name for name, count in Counter(self.columns.values()).items() if count > 1]
        if twice:
            raise ValueError(f"columns: {twice[0]} comes from two columns; map one of them")
        return self
