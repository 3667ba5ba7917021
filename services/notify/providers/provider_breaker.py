"""Takes a provider out of use after failures in a row, until a trial message succeeds after a pause."""

from services.notify.domain.failure_reason import FailureReason
from services.notify.providers.provider import SendAccepted, SendFailed
from shared.runtime.clock import monotonic

# A refused recipient or template is no fault of the provider.
_FAULTS_OF_THE_PROVIDER = frozenset({FailureReason.UNREACHABLE, FailureReason.BUSY, FailureReason.GARBAGE, FailureReason.CREDENTIALS})


class ProviderBreaker:
    """Open for `pause` seconds after `failures` failures in a row; then one trial message closes it or opens it again."""

    def __init__(self, failures: int, pause: float) -> None:
        self._limit = failures
        self._pause = pause
        self._count = 0
        self._open_until = 0.0
        self._trial_until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether it has opened and no message has been accepted since."""
        return self._count >= self._limit

    def seconds_closed(self) -> float:
        """Seconds until a message may be sent; 0 for now."""
        now = monotonic()
        return max(0.0, self._open_until - now, self._trial_until - now)

    def begin(self, timeout: float) -> None:
        """A message is being sent: while the breaker is half open, the others wait for its result, at most `timeout` seconds."""
        if self.is_open:
            self._trial_until = monotonic() + timeout

    def record(self, result: SendAccepted | SendFailed) -> None:
        """Count a result; one that the provider postponed is no attempt, but ends a trial."""
        self._trial_until = 0.0
        if isinstance(result, SendFailed) and result.postponed:
            return
        if isinstance(result, SendAccepted) or result.permanent or result.reason not in _FAULTS_OF_THE_PROVIDER:
            self._count, self._open_until = 0, 0.0
            return
        self._count += 1
        if self.is_open:
            # The provider's own pause counts if it is longer, but a wrong header must not stop it for hours.
            self._open_until = monotonic() + max(self._pause, min(result.retry_after or 0.0, 10 * self._pause))
