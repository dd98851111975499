"""Submission of a notice that is queued whole before the first message is claimed."""

from __future__ import annotations

import os

from smsgw.bench import bare, notices
from smsgw.bench.figures import Figures
from smsgw.bench.place import running_gateway
from smsgw.bench.plan import Scene
from smsgw.bench.processes import BenchFailed, Costs, Process, python

MESSAGES = 139_012  # a year's resolved dossiers of the province
LIMIT = 600.0  # seconds for one notice


def run(scene: Scene) -> Figures:
    """The gateway's worker and a bare loop in turn, with both sizes of a batch."""
    figures = Figures("notice")
    for _ in range(scene.plan.rounds):
        for batch in scene.plan.batches:
            _gateway(scene, figures, batch)
            _bare(scene, figures, batch)
    figures.note("the rate counts from the arrival of the first call, without that call's messages")
    return figures


def _gateway(scene: Scene, figures: Figures, batch: int) -> None:
    count = scene.plan.sized(MESSAGES)
    database = scene.place.started_database()
    notices.queue(database, count)
    scene.double.forget()
    scene.double.heard = lambda phones, at: None
    with running_gateway(scene.place, scene.shape.senders(), database, scene.double.port, batch=batch) as gateway:
        costs = Costs({**gateway.groups(), "bench": [os.getpid()]}, scene.place.server_process())
        scene.loop.run(lambda: scene.double.messages >= count, LIMIT)
        spent = costs.since()
    double, name = scene.double, f"batch {batch}"
    figures.add(name, double.rate, "messages/s", f"bare loop, {name}")
    figures.add(f"{name}, messages a call", double.messages / max(double.calls, 1), "messages")
    for group, seconds in spent.items():
        figures.add(f"{name}, CPU of {group}", 1e6 * seconds / count, "µs/message")
    figures.add("lost", count - double.distinct, "messages")
    figures.add("doubled", double.doubled, "messages")


def _bare(scene: Scene, figures: Figures, batch: int) -> None:
    count = scene.plan.sized(MESSAGES)
    scene.double.forget()
    words = python("-m", "smsgw.bench.bare", "post", str(scene.double.port), str(count), str(batch))
    process = Process(f"post-{batch}", words, scene.place.folder)
    try:
        process.wait_for(bare.READY)
        costs = Costs({"loop": [process.pid], "bench": [os.getpid()]}, {})
        if not scene.loop.run(lambda: scene.double.messages >= count, LIMIT):
            raise BenchFailed("the bare loop did not finish")
        for group, seconds in costs.since().items():
            figures.add(f"bare loop, batch {batch}, CPU of {group}", 1e6 * seconds / count, "µs/message")
    finally:
        process.stop()
    figures.add(f"bare loop, batch {batch}", scene.double.rate, "messages/s")
