"""From a citizen's message to the submission of its reply."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

from smsgw.bench import bare, kannel
from smsgw.bench.figures import Figures
from smsgw.bench.load import Callback, Citizens, Load, Passage
from smsgw.bench.place import Shape, running_gateway
from smsgw.bench.plan import Scene
from smsgw.bench.ports import free_port
from smsgw.bench.processes import Costs, Process, python, stop_all

QUIET_RATE, QUIET_MESSAGES, QUIET_CONNECTIONS = 20, 300, 16  # a second; in a round
SINGLE_MESSAGES, SINGLE_WINDOW = 12_000, 256
BULK_MESSAGES, BULK_EACH, BULK_CALLBACKS = 40_000, 100, 16
WARM_UP = 0.15  # of a round's messages

QUIET, SINGLE, BULK = "20 a second", "one a callback", "100 a callback"
LOADS = (SINGLE, BULK)
ONE_PROCESS = Shape(0, 1)


@dataclass(frozen=True, slots=True)
class Side:
    """Somebody who takes the load: where, in which processes, whether it submits replies, and what it can be told.

    `ours`: a gateway, which is compared to those that are not.
    """

    name: str
    port: int
    processes: dict[str, list[int]]
    submits: bool
    speaks: Callable[[int, int], Iterator[Callback]]
    takes: tuple[str, ...] = (QUIET, SINGLE, BULK)
    ours: bool = False

    def figure(self, work: str) -> str:
        """The name of its figure for a kind of work."""
        return work if self.name == "gateway" else f"{self.name}, {work}"


class Inbound:
    """Measures all sides in turn, over the same load."""

    def __init__(self, scene: Scene, sides: list[Side], figures: Figures) -> None:
        self._scene = scene
        self._sides = sides
        self._baselines = [side for side in sides if not side.ours]
        self._server = scene.place.server_process()
        self._figures = figures

    def warm_up(self) -> None:
        """Connections are made and code is loaded before anything counts."""
        for side in self._sides:
            for work in LOADS:
                if work in side.takes:
                    self._driven(side, work, WARM_UP)

    def round(self, works: Sequence[str]) -> None:
        """Each of these once."""
        for work in works:
            for side in self._sides:
                if work in side.takes:
                    self._measure(side, work)

    def _measure(self, side: Side, work: str) -> None:
        costs = Costs({**side.processes, "bench": [os.getpid()]}, self._server)
        passage = self._driven(side, work, 1.0)
        spent = costs.since()
        if work == QUIET:
            self._show_latency(side, passage)
        else:
            self._show_rate(side, work, passage, spent)
        for count in ("lost", "doubled", "refused"):
            self._figures.add(f"{side.name}, {count}", getattr(passage, count), "messages")

    def _driven(self, side: Side, work: str, share: float) -> Passage:
        sized = self._scene.plan.sized
        if work == QUIET:
            # Written beforehand, as those of the other loads: it would take a core from the message before.
            callbacks = [*side.speaks(sized(share * QUIET_MESSAGES), 1)]
            with self._load(side, QUIET_CONNECTIONS) as load:
                return load.open(callbacks, QUIET_RATE)
        if work == SINGLE:
            callbacks = [*side.speaks(sized(share * SINGLE_MESSAGES), 1)]
            with self._load(side, self._scene.plan.connections) as load:
                return load.closed(callbacks, SINGLE_WINDOW)
        callbacks = [*side.speaks(sized(share * BULK_MESSAGES), BULK_EACH)]
        with self._load(side, BULK_CALLBACKS) as load:
            return load.closed(callbacks, BULK_CALLBACKS * BULK_EACH)

    @contextmanager
    def _load(self, side: Side, connections: int) -> Iterator[Load]:
        scene = self._scene
        load = Load(scene.loop, scene.double, side.port, connections=connections, submitted=side.submits)
        try:
            yield load
        finally:
            load.close()

    def _show_latency(self, side: Side, passage: Passage) -> None:
        for percentile, share in (("p50", 0.5), ("p99", 0.99)):
            work = f"{QUIET}, {percentile}"
            self._add(side, work, passage.percentile(share), "ms")

    def _show_rate(self, side: Side, work: str, passage: Passage, spent: dict[str, float]) -> None:
        self._add(side, work, passage.rate, "messages/s")
        for percentile, share in (("p50", 0.5), ("p99", 0.99)):
            self._figures.add(f"{side.figure(work)}, {percentile}", passage.percentile(share), "ms")
        for group, seconds in spent.items():
            each = 1e6 * seconds / max(passage.messages, 1)
            self._figures.add(f"{side.figure(work)}, CPU of {group}", each, "µs/message")

    def _add(self, side: Side, work: str, value: float, unit: str) -> None:
        """A figure that is compared: ours to that of each baseline."""
        name = side.figure(work)
        if not side.ours:
            self._figures.add(name, value, unit)
            return
        for number, other in enumerate(self._baselines):
            if work.partition(", p")[0] in other.takes:
                beside = f" (beside {other.name})" if number else ""
                self._figures.add(name + beside, value, unit, other.figure(work))


@contextmanager
def _bare_route(scene: Scene) -> Iterator[tuple[int, list[int]]]:
    """The bare route in as many processes as the gateway's web role has; its port and their ids."""
    port, url = free_port(), scene.place.bare_database()
    words = python("-m", "smsgw.bench.bare", "route", str(port), url)
    processes: list[Process] = []
    try:
        for number in range(max(1, scene.shape.web)):
            processes.append(Process(f"bare-{port}-{number}", words, scene.place.folder))
        for process in processes:
            process.wait_for(bare.READY)
        yield port, [process.pid for process in processes]
    finally:
        stop_all(processes)


@contextmanager
def _all_sides(scene: Scene, gateways: Mapping[str, Shape]) -> Iterator[list[Side]]:
    """The gateways by their names, the bare route, and Kannel if it is there."""
    citizens = Citizens(scene.place.codes)
    with ExitStack() as stack:
        sides: list[Side] = []
        for name, shape in gateways.items():
            database, batch = scene.place.started_database(), max(scene.plan.batches)
            running = running_gateway(scene.place, shape.roles(), database, scene.double.port, batch=batch)
            gateway = stack.enter_context(running)
            sides.append(Side(name, gateway.port, gateway.groups(), True, citizens.callbacks, ours=True))
        port, pids = stack.enter_context(_bare_route(scene))
        sides.append(Side("bare route", port, {"route": pids}, False, citizens.callbacks))
        if kannel.installed():
            carrier = kannel.Carrier(scene.loop, scene.double)
            stack.callback(carrier.close)
            port, pids = stack.enter_context(kannel.running(scene.place, carrier))
            speaks = partial(kannel.requests, citizens)
            sides.append(Side("kannel", port, {"kannel": pids}, True, speaks, (QUIET, SINGLE)))
        yield sides


def run(scene: Scene) -> Figures:
    """One message a callback at 20 a second and as fast as it goes, and 100 a callback.

    A gateway that has as little to do as 20 a second is one process, so that is measured too.
    """
    figures, gateways = Figures("inbound"), {"gateway": scene.shape}
    both = gateways if not scene.shape.web else {"one process": ONE_PROCESS, **gateways}
    for works, shapes in (([QUIET], both), (LOADS, gateways)):
        with _all_sides(scene, shapes) as sides:
            measuring = Inbound(scene, sides, figures)
            measuring.warm_up()
            for _ in range(scene.plan.rounds):
                measuring.round(works)
    if not kannel.installed():
        figures.note("Kannel is not installed and was left out")
    return figures
