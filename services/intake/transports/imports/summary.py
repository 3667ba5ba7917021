"""The summary of an import, which the API returns and the folder keeps beside the report."""

from typing import Any

import orjson

from services.intake.storage.imports import ImportFile

ACCEPTED = ("registered", "duplicate", "supplement", "valid")


def summary(item: ImportFile) -> dict[str, Any]:
    """Progress, counts and the properties found of the file, without any content of it."""
    counts: dict[str, int] = orjson.loads(item.counts)
    return {
        "id": item.id,
        "source": item.source,
        "name": item.name,
        "sha256": item.sha256,
        "dry_run": item.dry_run,
        "state": "done" if item.state == "reported" and not item.fault else "failed" if item.state == "reported" else item.state,
        "rows_done": item.rows_done,
        "accepted": sum(counts.get(status, 0) for status in ACCEPTED),
        "refused": counts.get("refused", 0),
        "counts": counts,
        "found": orjson.loads(item.found),
        "errors": [orjson.loads(item.fault)] if item.fault else [],
        "created_at": item.created_at.isoformat(),
        "finished_at": item.finished_at.isoformat() if item.finished_at else None,
    }
