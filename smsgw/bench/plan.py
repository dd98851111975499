"""What a run of the benchmarks was asked for, and what they all share."""

from __future__ import annotations

from dataclasses import dataclass

from smsgw.bench.double import Double
from smsgw.bench.place import Place, Shape
from smsgw.bench.wire import Loop


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything. `scale` shrinks it for a quick look; `latency`: seconds that the carrier takes.

    `web`, `workers`: processes of the gateway; None: as many as suit the database.
    """

    rounds: int = 3
    scale: float = 1.0
    connections: int = 256
    latency: float = 0.0
    finished: int = 5_000_000
    minutes: float = 3.0
    batches: tuple[int, ...] = (100, 500)
    web: int | None = None
    workers: int | None = None

    def sized(self, count: float) -> int:
        """A count as large as this run wants it."""
        return max(10, round(count * self.scale))


@dataclass(frozen=True, slots=True)
class Scene:
    """Where it happens."""

    plan: Plan
    place: Place
    loop: Loop
    double: Double

    @property
    def shape(self) -> Shape:
        """The gateway's processes."""
        return self.with_workers(self.place.shape.workers)

    def with_workers(self, count: int) -> Shape:
        """The same with so many workers, if it was not asked for others."""
        web, workers = self.plan.web, self.plan.workers
        return Shape(self.place.shape.web if web is None else web, count if workers is None else workers)
