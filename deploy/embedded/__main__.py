"""Runs the embedded servers until stopped and prints where they are: `python -m deploy.embedded [DIRECTORY]`."""

import signal
import sys
from pathlib import Path
from types import FrameType

from deploy.embedded import EmbeddedServerError, EmbeddedServers


def main() -> int:
    """Start, print the two addresses as shell assignments, wait for Ctrl-C or SIGTERM, stop."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("var/embedded")
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with EmbeddedServers(root, progress=_tell) as servers:
            for name, value in servers.environment.items():
                sys.stdout.write(f"export {name}='{value}'\n")
            sys.stdout.flush()
            _tell("Running; Ctrl-C stops the servers.")
            signal.pause()
    except KeyboardInterrupt:
        _tell("Stopped.")
    except EmbeddedServerError as error:
        _tell(str(error))
        return 1
    return 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
