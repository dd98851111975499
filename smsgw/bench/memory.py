"""Whether the gateway's memory grows under a steady load."""

from __future__ import annotations

from smsgw.bench.figures import Figures
from smsgw.bench.load import Citizens, Load
from smsgw.bench.place import Running, running_gateway
from smsgw.bench.plan import Scene
from smsgw.bench.processes import resident
from smsgw.bench.wire import now

RATE = 200  # citizens' messages a second
EARLY = 60.0  # seconds after which memory is looked at for the first time; half of a run that is shorter than two
MIB = 1024 * 1024


def run(scene: Scene) -> Figures:
    """Resident memory of all the gateway's processes after a minute, and at the end."""
    figures = Figures("memory")
    seconds = 60 * scene.plan.minutes
    early = min(EARLY, seconds / 2)
    database = scene.place.started_database()
    citizens = Citizens(scene.place.codes)
    with running_gateway(scene.place, scene.shape.roles(), database, scene.double.port) as gateway:
        load = Load(scene.loop, scene.double, gateway.port, connections=32)
        began = {}
        scene.loop.at(now() + early, lambda: began.update(_megabytes(gateway)))
        passage = load.open(citizens.callbacks(round(RATE * seconds)), RATE)
        after = _megabytes(gateway)
        load.close()
    first, last = f"after {early / 60:g} min", f"after {scene.plan.minutes:g} min"
    for group in after:
        figures.add(f"{group}, {first}", began[group], "MiB")
        figures.add(f"{group}, {last}", after[group], "MiB", f"{group}, {first}")
    figures.add("load", passage.rate, "messages/s")
    figures.add("lost", passage.lost, "messages")
    figures.add("doubled", passage.doubled, "messages")
    figures.note("one round, whatever --rounds says")
    return figures


def _megabytes(gateway: Running) -> dict[str, float]:
    groups = {name: sum(map(resident, pids)) / MIB for name, pids in gateway.groups().items()}
    return {**groups, "all": sum(groups.values())} if len(groups) > 1 else groups
