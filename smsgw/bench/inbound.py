"""From a citizen's message to the submission of its reply."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from smsgw.bench import bare
from smsgw.bench.figures import Figures
from smsgw.bench.load import Citizens, Load, Passage
from smsgw.bench.place import Gateway, free_port, running_gateway
from smsgw.bench.plan import Scene
from smsgw.bench.processes import Costs, Process, stop_all

QUIET_RATE, QUIET_MESSAGES = 20, 300  # a second; in a round
SINGLE_MESSAGES, SINGLE_WINDOW = 12_000, 256
BULK_MESSAGES, BULK_EACH, BULK_CALLBACKS = 40_000, 100, 16
WARM_UP = 0.15  # of a round's messages


class Inbound:
    """Measures gateway and bare route in turn, over the same load."""

    def __init__(self, scene: Scene, gateway: Gateway, bare_port: int, bare_pids: list[int]) -> None:
        self._scene = scene
        self._citizens = Citizens(scene.place.codes)
        ours = {"bench": [os.getpid()]}
        self._server = scene.place.server_process()
        self._sides = {
            "gateway": (gateway.port, {**gateway.groups(), **ours}),
            "bare route": (bare_port, {"route": bare_pids, **ours}),
        }
        self.figures = Figures("inbound")

    def warm_up(self) -> None:
        """Connections are made and code is loaded before anything counts."""
        for side in self._sides:
            self._single(side, WARM_UP)
            self._bulk(side, WARM_UP)

    def round(self) -> None:
        """Everything once."""
        for side in self._sides:
            self._show_quiet(side, self._quiet(side))
        for side in self._sides:
            self._measured(side, "one a callback")
        for side in self._sides:
            self._measured(side, "100 a callback")

    def _measured(self, side: str, how: str) -> None:
        work = self._single if how == "one a callback" else self._bulk
        costs = Costs(self._sides[side][1], self._server)
        passage = work(side, 1.0)
        self._show(side, how, passage, costs.since())

    def _quiet(self, side: str) -> Passage:
        with self._load(side, 16) as load:
            return load.open(self._citizens.callbacks(self._scene.plan.sized(QUIET_MESSAGES)), QUIET_RATE)

    def _single(self, side: str, share: float) -> Passage:
        callbacks = [*self._citizens.callbacks(self._scene.plan.sized(share * SINGLE_MESSAGES))]
        with self._load(side, self._scene.plan.connections) as load:
            return load.closed(callbacks, SINGLE_WINDOW)

    def _bulk(self, side: str, share: float) -> Passage:
        callbacks = [*self._citizens.callbacks(self._scene.plan.sized(share * BULK_MESSAGES), BULK_EACH)]
        with self._load(side, BULK_CALLBACKS) as load:
            return load.closed(callbacks, BULK_CALLBACKS * BULK_EACH)

    @contextmanager
    def _load(self, side: str, connections: int) -> Iterator[Load]:
        scene, port = self._scene, self._sides[side][0]
        submitted = side == "gateway"
        load = Load(scene.loop, scene.double, port, connections=connections, submitted=submitted)
        try:
            yield load
        finally:
            load.close()

    def _show_quiet(self, side: str, passage: Passage) -> None:
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            whole = f"20 a second, {name}"
            base = f"bare route, {whole}"
            if side == "gateway":
                self.figures.add(whole, passage.percentile(share), "ms", base)
            else:
                self.figures.add(base, passage.percentile(share), "ms")
        self._count(side, passage)

    def _show(self, side: str, how: str, passage: Passage, costs: dict[str, float]) -> None:
        base = f"bare route, {how}"
        if side == "gateway":
            self.figures.add(how, passage.rate, "messages/s", base)
            self.figures.add(f"{how}, p50", passage.percentile(0.5), "ms")
            self.figures.add(f"{how}, p99", passage.percentile(0.99), "ms")
        else:
            self.figures.add(base, passage.rate, "messages/s")
        for group, seconds in costs.items():
            share = 1e6 * seconds / max(passage.messages, 1)
            self.figures.add(f"{how if side == 'gateway' else base}, CPU of {group}", share, "µs/message")
        self._count(side, passage)

    def _count(self, side: str, passage: Passage) -> None:
        for name in ("lost", "doubled", "refused"):
            self.figures.add(f"{side}, {name}", getattr(passage, name), "messages")


@contextmanager
def _bare_route(scene: Scene) -> Iterator[tuple[int, list[int]]]:
    """The bare route in as many processes as the gateway's web role has; its port and their ids."""
    port, url = free_port(), scene.place.bare_database()
    words = ["-m", "smsgw.bench.bare", "route", str(port), url]
    processes: list[Process] = []
    try:
        for number in range(max(1, scene.shape.web)):
            processes.append(Process(f"bare-{port}-{number}", words, scene.place.folder))
        for process in processes:
            process.wait_for(bare.READY)
        yield port, [process.pid for process in processes]
    finally:
        stop_all(processes)


def run(scene: Scene) -> Figures:
    """One message a callback at 20 a second and as fast as it goes, and 100 a callback."""
    database = scene.place.gateway_database()
    with (
        running_gateway(scene.place, scene.shape.roles(), database, scene.double.port) as gateway,
        _bare_route(scene) as (port, pids),
    ):
        measuring = Inbound(scene, gateway, port, pids)
        measuring.warm_up()
        for _ in range(scene.plan.rounds):
            measuring.round()
        return measuring.figures
