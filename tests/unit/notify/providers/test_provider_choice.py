"""The order in which providers are tried follows from the message's key and the weights."""

from collections import Counter

from services.notify.providers.provider_choice import preference_order

WEIGHTS = [("a", 3.0), ("b", 1.0), ("reserve", 0.0)]


def test_shares_follow_the_weights() -> None:
    first = Counter(preference_order(f"key {number}", WEIGHTS)[0] for number in range(4000))
    assert 2900 < first["a"] < 3100
    assert first["reserve"] == 0


def test_order_is_the_same_for_the_same_key_whatever_the_order_of_the_file() -> None:
    orders = {tuple(preference_order("key", order)) for order in (WEIGHTS, WEIGHTS[::-1])}
    assert len(orders) == 1
    assert next(iter(orders))[-1] == "reserve"


def test_removing_a_provider_moves_only_its_own_messages() -> None:
    keys = [f"key {number}" for number in range(500)]
    before = {key: preference_order(key, WEIGHTS)[0] for key in keys}
    after = {key: preference_order(key, [("a", 3.0), ("c", 1.0)])[0] for key in keys}
    assert all(after[key] in {"a", "c"} for key in keys if before[key] == "a")
    assert all(preference_order(key, WEIGHTS[:1])[0] == "a" for key in keys)
