"""sla's settings."""

from pathlib import Path

from pydantic import Field

from shared.runtime.process.settings import RuntimeSettings


class SlaSettings(RuntimeSettings):
    """What sla needs besides the runtime's settings; every variable carries the prefix JIESU_."""

    organisation: Path = Field(Path("organisation.yaml"), description="the organisation file: people, roles, addresses, sources")
    action_wait: float = Field(5.0, gt=0, description="seconds that an action by HTTP waits for what was due before it")
    requests_per_second: float = Field(200.0, gt=0, description="actions by HTTP that one person may send")
