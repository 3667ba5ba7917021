"""How long it takes to load all installed packs, cold: below 1 s in total."""

import sys
from time import perf_counter

from shared.procedures.checks.pack_check import check_pack
from shared.procedures.loading.loader import installed_packs, load_pack

LIMIT = 1.0


def main() -> int:
    """Print the seconds for loading all packs in this fresh process, and for checking them; 1 if loading took too long."""
    begun = perf_counter()
    packs = [load_pack(pack_id) for pack_id in installed_packs()]
    loaded = perf_counter() - begun
    begun = perf_counter()
    for pack in packs:
        check_pack(pack)
    said = f"{len(packs)} packs loaded in {loaded:.3f} s (limit {LIMIT} s), checked in {perf_counter() - begun:.3f} s"
    sys.stdout.write(said + "\n")
    return int(loaded > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
