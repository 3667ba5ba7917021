"""Stores figures in var/bench/<name>.json with a description of the machine."""

import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "var" / "bench"


def write_figures(name: str, figures: dict[str, Any]) -> None:
    """Write the figures of one bench."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    content = {**figures, "machine": machine(), "taken_at": datetime.now(UTC).isoformat(timespec="seconds")}
    (FOLDER / f"{name}.json").write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))


def read_figures(name: str) -> dict[str, Any]:
    """The figures of the last run; raises `FileNotFoundError` if the bench was never run."""
    found: dict[str, Any] = orjson.loads((FOLDER / f"{name}.json").read_bytes())
    return found


def read_runs(name: str) -> list[dict[str, Any]]:
    """The figures of all runs that were kept as `<name>-1`, `<name>-2`, …"""
    return [orjson.loads(path.read_bytes()) for path in sorted(FOLDER.glob(f"{name}-*.json"))]


def described(figures: Mapping[str, Any]) -> str:
    """Machine, load and day of a run, for a page."""
    on = figures["machine"]
    return f"{on['processor']}, {on['cores']} cores, Python {on['python']}, load {on['load']}, {figures['taken_at'][:10]}"


def machine() -> dict[str, Any]:
    """Processor, cores, and how many processes wanted one when the figures were taken: beyond the number of cores others were at work."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")
    return {"processor": model, "cores": os.cpu_count(), "python": platform.python_version(), "load": round(os.getloadavg()[0], 1)}
