"""Dependencies of the routes of all pages."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.desk.application.confidential_fields import ConfidentialFields
from services.desk.application.inbox import Inbox
from services.desk.application.live_feed import LiveFeed
from services.desk.application.registration.entry_sources import EntrySources
from services.desk.application.regulations import Regulations
from services.desk.application.service_client import ServiceClient
from services.desk.domain.hints import HintChooser
from services.desk.domain.viewer import Viewer, Viewers
from services.desk.pages.page import Pages
from services.desk.session import Session
from shared.procedures.organisation import Organisation
from shared.runtime.clock import Clock
from shared.runtime.database.database import Database


@dataclass(frozen=True)
class DeskDependencies:
    """Pages, read model, organisation, and the services' HTTP interfaces."""

    pages: Pages
    database: Database
    clock: Clock
    organisation: Organisation
    services: ServiceClient
    feed: LiveFeed
    inbox: Inbox
    regulations: Regulations
    entry_sources: EntrySources
    confidential: ConfidentialFields
    viewers: Viewers = field(init=False)
    hints: HintChooser = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "viewers", Viewers(self.organisation))
        procedures = {name: pack.procedure for name, pack in self.regulations.packs.items()}
        object.__setattr__(self, "hints", HintChooser(self.organisation, procedures))

    def viewer(self, session: Session) -> Viewer:
        """The viewer of the signed-in person."""
        return self.viewers.viewer(session.person, self.clock.now())
