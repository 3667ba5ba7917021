"""`python -m deploy.screenshots`: starts the demo system, fills it, and writes the pictures of the desk into docs/images/desk."""

import argparse
import asyncio
import shutil
from pathlib import Path

from deploy.screenshots.demo_cases import fill
from deploy.screenshots.demo_system import running_demo
from deploy.screenshots.pictures import take_pictures

_PROJECT = Path(__file__).parents[2]


def main() -> None:
    """Take every picture."""
    parser = argparse.ArgumentParser(prog="python -m deploy.screenshots", description="Take the pictures of the desk.")
    parser.add_argument("--folder", type=Path, default=_PROJECT / "docs" / "images" / "desk")
    parser.add_argument("--root", type=Path, default=_PROJECT / "var" / "screenshots", help="data and logs of the system; deleted before")
    arguments = parser.parse_args()
    shutil.rmtree(arguments.root, ignore_errors=True)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with running_demo(arguments.root) as addresses:
        case = fill(addresses)
        asyncio.run(take_pictures(addresses, case, arguments.root, arguments.folder))


if __name__ == "__main__":
    main()
