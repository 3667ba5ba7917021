"""The providers file: every problem with its line, rule and remedy, and never a secret."""

from pathlib import Path

import pytest

from services.notify.providers.kind import ProviderContext
from services.notify.providers.pool_building import pools_of_file
from services.notify.providers.providers_file import load_providers, provider_problems
from services.notify.providers.registry import PROVIDER_KINDS
from shared.procedures.model.procedure_error import ProcedureError
from shared.runtime.clock import Clock
from shared.runtime.errors import Misconfigured

GOOD = """
providers:
  - id: gateway-a
    channel: sms
    kind: http_sms
    weight: 3
    rate: 50
    max_parts: 4
    settings: {url: "https://a.example.org", token_env: GATEWAY_A_TOKEN}
  - id: gateway-b
    channel: sms
    kind: http_sms
    serves: {prefixes: ["+852"]}
    settings: {url: "https://b.example.org"}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "providers.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(ProcedureError) as raised:
        load_providers(write(folder, text))
    return [f"{problem.line}: {problem.message}" for problem in raised.value.problems]


def test_entries_are_read_with_their_defaults(tmp_path: Path) -> None:
    first, second = load_providers(write(tmp_path, GOOD))
    assert (first.id, first.weight, first.rate, first.timeout, first.breaker.failures) == ("gateway-a", 3, 50, 10, 5)
    assert second.serves.includes("+85298765432", "zh")
    assert not second.serves.includes("+8613800000001", "zh")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("gateway-b", "gateway-a", "10: providers has gateway-a twice; rename one"),
        ("kind: http_sms\n    weight", "kind: smtps\n    weight", "5: there is no kind smtps; use one of "),
        ("channel: sms\n    kind: http_sms\n    weight", "channel: email\n    kind: http_sms\n    weight", "4: kind http_sms serves"),
        ("weight: 3", "weight: -1", "6: providers.0.weight: is -1; it should be greater than or equal to 0"),
        ("rate: 50", "rates: 50", "7: providers.0.rates: unknown key; did you mean rate?"),
        ("token_env", "token", "9: provider gateway-a, settings: token: unknown key; did you mean token_env?"),
        ('url: "https://b.example.org"', "", "14: provider gateway-b, settings: the key url is missing"),
        ("GATEWAY_A_TOKEN", "s3cr3t-9f", "9: provider gateway-a, settings: token_env: must be the name of an environment variable"),
        ("id: gateway-b", "id: Gateway B", "10: providers.1.id: "),
    ],
)  # fmt: skip
def test_problem_names_line_rule_and_remedy(tmp_path: Path, old: str, new: str, expected: str) -> None:
    found = problems(tmp_path, GOOD.replace(old, new))
    assert any(problem.startswith(expected) for problem in found), found
    assert "s3cr3t" not in "".join(found)


def test_channel_needs_a_provider_with_weight(tmp_path: Path) -> None:
    text = GOOD.replace("weight: 3", "weight: 0").replace('serves: {prefixes: ["+852"]}', "weight: 0")
    assert problems(tmp_path, text) == ["6: every provider of channel sms has weight 0; give one a weight"]


def test_unset_variables_are_warnings_of_the_check_and_errors_of_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, GOOD)
    monkeypatch.delenv("GATEWAY_A_TOKEN", raising=False)
    [problem] = provider_problems(path, {})
    assert (problem.line, problem.level) == (9, "warning")
    assert "GATEWAY_A_TOKEN is not set" in problem.message
    with pytest.raises(Misconfigured, match="provider gateway-a: the environment variable GATEWAY_A_TOKEN is not set"):
        pools_of_file(load_providers(path), Clock())
    assert provider_problems(path, {"GATEWAY_A_TOKEN": "t"}) == []


async def test_pools_hold_the_providers_of_each_channel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_A_TOKEN", "t")
    [pool] = pools_of_file(load_providers(write(tmp_path, GOOD)), Clock())
    assert (pool.channel, sorted(pool.providers)) == ("sms", ["gateway-a", "gateway-b"])
    await pool.close()


def test_context_gives_no_secret_away() -> None:
    assert "hidden" not in repr(ProviderContext("a", Clock(), environment={"TOKEN": "hidden"}))


@pytest.mark.parametrize("kind", sorted(PROVIDER_KINDS))
def test_every_kind_takes_its_secrets_by_name(kind: str) -> None:
    fields = PROVIDER_KINDS[kind].settings.model_fields
    secrets = [name for name in fields if any(word in name for word in ("token", "password", "secret")) or name.endswith("key")]
    assert all(name.endswith("_env") or "file" in name for name in secrets)
