"""The installed packs and their scenarios, read once for all tests."""

from functools import cache

from shared.procedures.loading.loader import Pack, installed_packs, load_pack
from shared.procedures.organisation import Organisation
from simulator.run import scenario_organisation
from simulator.scenario import Scenario, read_scenario

PACKS = installed_packs()


@cache
def pack(name: str) -> Pack:
    """An installed pack."""
    return load_pack(name)


@cache
def pack_scenarios(name: str) -> tuple[tuple[str, Scenario, Organisation], ...]:
    """The scenarios of a pack: name, scenario, organisation."""
    scenarios = [(path, read_scenario(path)) for path in pack(name).scenarios]
    return tuple((pack(name).scenario_name(path), scenario, scenario_organisation(scenario, path.parent)) for path, scenario in scenarios)
