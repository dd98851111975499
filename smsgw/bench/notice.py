"""Submission of a notice: queued whole before the first message is claimed, or from its approval on."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing

from smsgw.bench import bare, notices
from smsgw.bench.figures import Figures
from smsgw.bench.place import Roles, running_gateway
from smsgw.bench.plan import Scene
from smsgw.bench.processes import BenchFailed, Costs, Process, python
from smsgw.bench.wire import now
from smsgw.gateway import Gateway

MESSAGES = 139_012  # a year's resolved dossiers of the province
LIMIT = 600.0  # seconds for one notice
WORKERS = 2  # processes that share it, where the database serves several


def run(scene: Scene) -> Figures:
    """What is queued, what is only approved, and a bare loop in turn, with both sizes of a batch."""
    figures = Figures("notice")
    for _ in range(scene.plan.rounds):
        for batch in scene.plan.batches:
            _queued(scene, figures, batch)
            _approved(scene, figures, batch)
            _bare(scene, figures, batch)
    figures.note(f"processes that send it: {len(_senders(scene))}")
    figures.note("the rate counts from the arrival of the first call, without that call's messages")
    figures.note("from approval: the rate counts from when the approval is written down")
    return figures


def _senders(scene: Scene) -> list[Roles]:
    return scene.with_workers(WORKERS).senders()


def _queued(scene: Scene, figures: Figures, batch: int) -> None:
    database = scene.place.started_database()
    notices.queue(database, scene.plan.sized(MESSAGES))
    double, name = scene.double, f"batch {batch}"
    _send(scene, figures, name, batch, database)
    figures.add(name, double.rate, "messages/s", f"bare loop, {name}")
    figures.add(f"{name}, messages a call", double.messages / max(double.calls, 1), "messages")


def _approved(scene: Scene, figures: Figures, batch: int) -> None:
    database, count = scene.place.started_database(), scene.plan.sized(MESSAGES)
    with closing(Gateway(scene.place.settings(database, scene.place.onestop, ""))) as gateway:
        id = notices.handed_in(gateway, count)
        approved_at = 0.0

        def approve() -> None:
            nonlocal approved_at
            notices.approve(gateway, id)
            approved_at = now()

        name = f"batch {batch}, from approval"
        _send(scene, figures, name, batch, database, approve)
    figures.add(name, count / (scene.double.last_at - approved_at), "messages/s", f"bare loop, batch {batch}")


def _send(
    scene: Scene, figures: Figures, name: str, batch: int, database: str, begin: Callable[[], None] | None = None
) -> None:
    """Have it sent, once it has begun; what that costs, and whether all came once."""
    count, double = scene.plan.sized(MESSAGES), scene.double
    double.forget()
    double.heard = lambda phones, at: None
    with running_gateway(scene.place, _senders(scene), database, double.port, batch=batch) as gateway:
        if begin:
            begin()
        costs = Costs({**gateway.groups(), "bench": [os.getpid()]}, scene.place.server_process())
        scene.loop.run(lambda: double.messages >= count, LIMIT)
        spent = costs.since()
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
