"""Channel readers: each module turns one raw format into a submission; no I/O.

To add one (mail, file, SMPP): a module with `read(value) -> ParseResult`, a line in `READERS`, raw samples with their expected results.
"""

from collections.abc import Callable
from typing import Any

from services.intake.channels import json_document
from services.intake.channels.parse_result import ParseResult

READERS: dict[str, Callable[[Any], ParseResult]] = {"json": json_document.read}
"""Format → its reader."""
