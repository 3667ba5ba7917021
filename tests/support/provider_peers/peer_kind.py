"""What the shared suite needs of a kind of provider."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

from deploy.sinks.message_file import MessageFile
from services.notify.providers.provider import Provider

TIMEOUT = 0.5


@dataclass
class ProviderPeer:
    """A provider connected to a peer; the callables, maybe coroutines, make the peer answer the next message with an error."""

    provider: Provider
    message_file: MessageFile
    """What arrived, with the keys `to` and `text`."""
    address: str
    unknown_address: str
    """An address that the peer refuses permanently."""
    defer_next: Callable[[], object]
    """Refuse the next message for now."""
    refuse_next: Callable[[], object]
    """Refuse the next message permanently."""


@dataclass(frozen=True)
class PeerKind:
    """A kind in the suite: `build(port)` makes a provider with time limit `TIMEOUT` for a peer on this machine."""

    build: Callable[[int], Provider]
    connect: Callable[[Path], AbstractAsyncContextManager[ProviderPeer]]
    address: str
    recognises_repeats: bool = True
    """Whether the peer takes a repeated key once, or, as with mail, whoever reads the message can."""
    dribble: bytes = b"HTTP/1.1 200 OK\r\nx: "
    """The beginning of an answer that never ends."""
