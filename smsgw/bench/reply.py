"""How long a citizen waits for a reply while a notice goes out at all that the channel's rate allows."""

from __future__ import annotations

from smsgw.bench import notices
from smsgw.bench.figures import Figures
from smsgw.bench.load import Citizens, Load
from smsgw.bench.place import running_gateway
from smsgw.bench.plan import Scene
from smsgw.bench.processes import BenchFailed
from smsgw.bench.wire import now

TPS = 500  # messages a second that the channel may carry
RATE, MESSAGES = 20, 300  # citizens' messages a second; in a round
SPARE = 3  # seconds that the notice takes longer than the citizens
START_LIMIT, QUIET = 30.0, 2.0  # seconds for the notice's first call; without a call until it counts as over


def run(scene: Scene) -> Figures:
    """Replies while nothing else goes out, and while a notice does, in turn."""
    figures = Figures("reply-under-notice")
    database = scene.place.started_database()
    citizens = Citizens(scene.place.codes)
    with running_gateway(scene.place, scene.shape.roles(), database, scene.double.port, tps=TPS) as gateway:
        load = Load(scene.loop, scene.double, gateway.port, connections=16)
        load.open(citizens.callbacks(20), RATE)
        for _ in range(scene.plan.rounds):
            _replies(scene, figures, load, citizens, "idle")
            _start_notice(scene, database)
            _replies(scene, figures, load, citizens, "under notice")
            scene.loop.run(lambda: now() - scene.double.last_at > QUIET, limit=600)
        load.close()
    return figures


def _start_notice(scene: Scene, database: str) -> None:
    scene.double.forget()
    seconds = scene.plan.sized(MESSAGES) / RATE + SPARE
    notices.queue(database, round(TPS * seconds))
    if not scene.loop.run(lambda: scene.double.messages > 0, START_LIMIT):
        raise BenchFailed("the notice did not begin to go out")


def _replies(scene: Scene, figures: Figures, load: Load, citizens: Citizens, when: str) -> None:
    passage = load.open(citizens.callbacks(scene.plan.sized(MESSAGES)), RATE)
    others = scene.double.messages - len(passage.latencies)
    for name, share in (("p50", 0.5), ("p95", 0.95)):
        baseline = None if when == "idle" else f"idle, {name}"
        figures.add(f"{when}, {name}", passage.percentile(share), "ms", baseline)
    if when != "idle":
        figures.add("notice meanwhile", others / (passage.ended - passage.began), "messages/s")
    figures.add("lost", passage.lost, "messages")
    figures.add("doubled", passage.doubled, "messages")
