"""Run triage."""

from services.triage.bootstrap import build
from services.triage.config import TriageSettings
from shared.runtime.service import run_service


def main() -> None:
    """Serve until told to stop; settings come from the environment."""
    run_service(lambda: build(TriageSettings()))


if __name__ == "__main__":
    main()
