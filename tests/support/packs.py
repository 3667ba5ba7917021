"""The installed packs and their scenarios, read once for all tests."""

from functools import cache

from shared.procedures.loading.loader import Pack, installed, load_organisation, load_pack
from shared.procedures.organisation import Organisation, everyone
from simulator.scenario import Scenario, read_scenario

PACKS = installed()


@cache
def pack(name: str) -> Pack:
    """An installed pack."""
    return load_pack(name)


@cache
def pack_scenarios(name: str) -> tuple[tuple[str, Scenario, Organisation], ...]:
    """The scenarios of a pack: name, scenario, organisation."""
    found = []
    for path in pack(name).scenarios:
        scenario = read_scenario(path)
        match scenario.organisation:
            case None:
                organisation = everyone()
            case dict() as data:
                organisation = Organisation.model_validate(data)
            case other:
                organisation = load_organisation(path.parent / other)
        found.append((path.stem, scenario, organisation))
    return tuple(found)
