"""Which messages go alone, which join a digest, and when: nothing lost, nothing twice, urgent ones not held up."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from services.notify.domain.digests.pacing import DigestPolicy, MessagePlacement, OpenDigest, PacedMessage, RecipientPace, place
from services.notify.domain.quiet_hours import QuietHours, earliest_send_at

NOON = datetime(2026, 9, 24, 12, tzinfo=UTC)
POLICY = DigestPolicy()
QUIET = QuietHours(time(22), time(8), ZoneInfo("UTC"))
MINUTE = timedelta(minutes=1)

ARRIVALS = st.lists(st.tuples(st.integers(0, 600), st.booleans()), max_size=80)
"""Seconds after the arrival before, and whether the message is urgent."""
POLICIES = st.builds(
    DigestPolicy,
    after=st.integers(0, 4),
    window=st.integers(0, 30).map(lambda minutes: minutes * MINUTE),
    urgent_gap=st.integers(0, 120).map(lambda seconds: timedelta(seconds=seconds)),
)


@dataclass
class Phone:
    """One person on one channel: places what arrives, and closes digests that are due."""

    policy: DigestPolicy = POLICY
    quiet: QuietHours | None = None
    pace: RecipientPace = field(default_factory=RecipientPace)
    placements: list[tuple[datetime, bool, MessagePlacement]] = field(default_factory=list)

    def arrive(self, now: datetime, *, urgent: bool = False) -> MessagePlacement:
        self.pace = RecipientPace(self.pace.recent, open_at(self.pace.ordinary, now), open_at(self.pace.urgent, now))
        earliest = earliest_send_at(now, self.quiet, "sms", urgent)
        message = PacedMessage(UUID(int=len(self.placements) + 1), urgent, earliest)
        placement, self.pace = place(
            message, self.pace, self.policy, now, lambda instant: earliest_send_at(instant, self.quiet, "sms", urgent=False)
        )
        self.placements.append((now, urgent, placement))
        return placement

    def messages(self) -> list[datetime]:
        """The instants at which the person gets a message."""
        return [placement.due_at for _, _, placement in self.placements if placement.digest is None or placement.opens]


def open_at(digest: OpenDigest | None, now: datetime) -> OpenDigest | None:
    return digest if digest is not None and digest.due_at > now else None


def run(arrivals: list[tuple[int, bool]], policy: DigestPolicy, quiet: QuietHours | None = None) -> Phone:
    phone, now = Phone(policy, quiet), NOON
    for seconds, urgent in arrivals:
        now += timedelta(seconds=seconds)
        phone.arrive(now, urgent=urgent)
    return phone


def test_the_third_message_within_the_window_opens_a_digest_that_the_next_ones_join() -> None:
    phone = Phone()
    alone = [phone.arrive(NOON + n * MINUTE) for n in range(2)]
    third, fourth = phone.arrive(NOON + 2 * MINUTE), phone.arrive(NOON + 16 * MINUTE)
    assert alone == [MessagePlacement(NOON), MessagePlacement(NOON + MINUTE)]
    assert (third.due_at, third.opens) == (NOON + 17 * MINUTE, True)
    assert fourth == MessagePlacement(third.due_at, third.digest)
    # After the digest the window holds one message, so that the next one goes alone again.
    assert phone.arrive(NOON + 18 * MINUTE) == MessagePlacement(NOON + 18 * MINUTE)


def test_an_urgent_message_goes_at_once_while_ordinary_ones_are_collected() -> None:
    phone = Phone()
    for _ in range(5):
        phone.arrive(NOON)
    assert phone.arrive(NOON, urgent=True) == MessagePlacement(NOON)
    second = phone.arrive(NOON + timedelta(seconds=10), urgent=True)
    assert (second.due_at, second.opens) == (NOON + MINUTE, True)
    assert phone.arrive(NOON + timedelta(seconds=50), urgent=True) == MessagePlacement(NOON + MINUTE, second.digest)


def test_an_urgent_message_takes_an_ordinary_digest_that_is_due_before_one_of_its_own() -> None:
    phone = Phone()
    ordinary = [phone.arrive(NOON) for _ in range(3)][-1]
    phone.arrive(NOON, urgent=True)
    just_before = ordinary.due_at - timedelta(seconds=40)
    phone.arrive(just_before, urgent=True)
    assert phone.arrive(just_before + timedelta(seconds=1), urgent=True) == MessagePlacement(ordinary.due_at, ordinary.digest)


def test_what_waits_for_the_end_of_the_quiet_hours_is_one_message_in_the_morning() -> None:
    night, morning = NOON + timedelta(hours=11), NOON + timedelta(hours=20)
    phone = Phone(quiet=QUIET)
    placements = [phone.arrive(night + n * MINUTE) for n in range(9)]
    assert {placement.due_at for placement in placements} == {morning}
    assert phone.messages() == [morning]
    assert phone.arrive(night + 10 * MINUTE, urgent=True) == MessagePlacement(night + 10 * MINUTE)


def test_a_digest_that_would_be_due_in_the_quiet_hours_waits_for_their_end() -> None:
    evening = NOON + timedelta(hours=9, minutes=50)
    phone = Phone(quiet=QUIET)
    assert [phone.arrive(evening).due_at for _ in range(3)] == [evening, evening, NOON + timedelta(hours=20)]


@given(arrivals=ARRIVALS)
def test_without_a_window_every_message_goes_alone(arrivals: list[tuple[int, bool]]) -> None:
    phone = run(arrivals, DigestPolicy(window=timedelta(0)))
    assert [(placement.due_at, placement.digest) for _, _, placement in phone.placements] == [(now, None) for now, _, _ in phone.placements]


@given(arrivals=ARRIVALS, policy=POLICIES)
def test_every_message_has_one_place_and_every_digest_is_opened_once(arrivals: list[tuple[int, bool]], policy: DigestPolicy) -> None:
    phone = run(arrivals, policy)
    assert len(phone.placements) == len(arrivals)
    opened = {placement.digest: placement.due_at for _, _, placement in phone.placements if placement.opens}
    assert len(opened) == sum(placement.opens for _, _, placement in phone.placements)
    joined = [(now, placement) for now, _, placement in phone.placements if placement.digest and not placement.opens]
    assert all(opened[placement.digest] == placement.due_at > now for now, placement in joined)


@given(arrivals=ARRIVALS, policy=POLICIES)
def test_no_message_waits_longer_than_the_window(arrivals: list[tuple[int, bool]], policy: DigestPolicy) -> None:
    for now, _, placement in run(arrivals, policy).placements:
        assert now <= placement.due_at <= now + policy.window


def alone_at(now: datetime, sent: list[datetime], queue: list[datetime], policy: DigestPolicy) -> datetime:
    """When an urgent message would be sent that shares none: a gap after the message before it, once the limit is used up."""
    waiting = [instant for instant in queue if instant > now]
    if waiting:
        return waiting[-1] + policy.urgent_gap
    past = [instant for instant in sent if now - policy.window < instant <= now]
    return now if len(past) <= policy.after else max(now, past[-1] + policy.urgent_gap)


@given(arrivals=ARRIVALS, policy=POLICIES)
def test_an_urgent_message_is_never_later_than_alone_at_the_same_rate(arrivals: list[tuple[int, bool]], policy: DigestPolicy) -> None:
    sent, queue = list[datetime](), list[datetime]()
    for now, urgent, placement in run(arrivals, policy).placements:
        if urgent:
            queue.append(alone_at(now, sorted(sent + queue), queue, policy))
            assert placement.due_at <= queue[-1]
            assert placement.due_at <= now + policy.urgent_gap
        elif placement.digest is None or placement.opens:
            sent.append(placement.due_at)


@given(arrivals=ARRIVALS)
def test_the_number_of_messages_in_a_window_is_bounded(arrivals: list[tuple[int, bool]]) -> None:
    messages = run(arrivals, POLICY).messages()
    ordinary_limit = POLICY.after + 1 + 2  # alone, the reserved one, and the digests at both ends of a window
    for start in messages:
        within = [instant for instant in messages if start <= instant < start + POLICY.window]
        assert len(within) <= ordinary_limit + POLICY.window // POLICY.urgent_gap


def test_20_000_breaches_in_a_minute_are_at_most_200_messages_to_40_people() -> None:
    people = [Phone() for _ in range(40)]
    for number in range(20_000):
        people[number % 40].arrive(NOON + number * MINUTE / 20_000, urgent=number % 7 == 0)
    assert sum(len(person.messages()) for person in people) <= 200
    for person in people:
        # All urgent ones are sent within the minute, before the first digest of ordinary ones.
        urgent = [placement.due_at for _, is_urgent, placement in person.placements if is_urgent]
        ordinary = [placement.due_at for _, is_urgent, placement in person.placements if not is_urgent and placement.digest]
        assert max(urgent) <= NOON + 2 * MINUTE < min(ordinary)


@given(urgencies=st.lists(st.booleans(), min_size=1, max_size=500))
def test_a_storm_of_one_minute_is_at_most_five_messages(urgencies: list[bool]) -> None:
    phone = run([(0, urgent) for urgent in urgencies], POLICY)
    assert len(phone.messages()) <= 5
