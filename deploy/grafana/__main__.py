"""`python -m deploy.grafana`: writes the dashboards as JSON into `dashboards/`."""

import argparse
from pathlib import Path

from deploy.grafana.boards.registry import BOARDS
from deploy.grafana.rendering import RUNBOOKS, render

FOLDER = Path(__file__).parent / "dashboards"


def rendered_boards(runbooks: str = RUNBOOKS) -> dict[str, str]:
    """The name of each dashboard's file and its text."""
    return {f"{board.uid.removeprefix('jiesu-')}.json": render(board, BOARDS, runbooks) for board in BOARDS}


def main() -> None:
    """Write every dashboard, and remove the files of those that are gone."""
    parser = argparse.ArgumentParser(prog="make dashboards", description="Write Grafana's dashboards from the code.")
    parser.add_argument("--runbooks", default=RUNBOOKS, help="address of the folder of runbooks (default: where Grafana serves them)")
    boards = rendered_boards(parser.parse_args().runbooks)
    for path in FOLDER.glob("*.json"):
        if path.name not in boards:
            path.unlink()
    for name, text in boards.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
