"""The configurations of the guide can be loaded and built."""

import re
from pathlib import Path

import pytest

from services.notify.providers.kind import ProviderContext
from services.notify.providers.providers_file import load_providers
from services.notify.providers.registry import PROVIDER_KINDS
from shared.runtime.clock import Clock

PAGE = (Path(__file__).parents[4] / "docs/how-to/send-sms.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


class AnySecret(dict[str, str]):
    """An environment in which every variable is set."""

    def get(self, key: str, default: object = None) -> str:
        return f"{key} {default}"

    def __getitem__(self, key: str) -> str:
        return key


@pytest.mark.parametrize("block", BLOCKS)
async def test_configuration_of_the_guide_can_be_used(block: str, tmp_path: Path) -> None:
    path = tmp_path / "providers.yaml"
    path.write_text(block, encoding="utf-8")
    for entry in load_providers(path):
        kind = PROVIDER_KINDS[entry.kind]
        context = ProviderContext(entry.id, Clock(), environment=AnySecret())
        provider = kind.create(kind.settings.model_validate(entry.settings), context)
        assert provider.channel == entry.channel
        await provider.close()


def test_guide_has_a_section_for_every_kind_of_text_messages() -> None:
    described = set(re.findall(r"kind: (\w+)", PAGE))
    assert {name for name, kind in PROVIDER_KINDS.items() if kind.channel == "sms"} <= described
