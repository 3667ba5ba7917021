"""Runs the embedded servers until interrupted and prints their addresses; `--prepare` only downloads Apache Kafka."""

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType

from deploy.embedded import EmbeddedServerError, EmbeddedServers
from deploy.embedded.prepare import prepare


def main() -> int:
    """Parse the command line and run; return a process exit status."""
    parser = argparse.ArgumentParser(prog="python -m deploy.embedded", description=__doc__)
    parser.add_argument("root", nargs="?", type=Path, default=Path("var/embedded"), help="folder of the servers' data")
    parser.add_argument("--prepare", action="store_true", help="download and prepare Apache Kafka, start nothing")
    options = parser.parse_args()
    # By default SIGTERM ends the process at once, without leaving the block that stops the servers.
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        if options.prepare:
            prepare(_print_progress)
        else:
            _run(options.root)
    except KeyboardInterrupt:
        _print_progress("Stopped.")
    except EmbeddedServerError as error:
        _print_progress(str(error))
        return 1
    return 0


def _run(root: Path) -> None:
    """Start both servers, print their addresses as shell assignments, wait for Ctrl-C or SIGTERM, stop."""
    with EmbeddedServers(root, progress=_print_progress) as servers:
        for name, value in servers.environment.items():
            sys.stdout.write(f"export {name}='{value}'\n")
        sys.stdout.flush()
        _print_progress("Running; Ctrl-C stops the servers.")
        signal.pause()


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _print_progress(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
