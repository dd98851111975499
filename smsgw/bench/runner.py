"""Running benchmarks one after the other, and what is kept of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from smsgw.bench import claim, inbound, memory, notice, reminders, reply
from smsgw.bench import figures as shown
from smsgw.bench.double import Double
from smsgw.bench.figures import Figure, Figures
from smsgw.bench.place import place
from smsgw.bench.plan import Plan, Scene
from smsgw.bench.wire import Loop
from smsgw.clock import utc_now

DOSSIERS = 20_000
BENCHMARKS: dict[str, Callable[[Scene], Figures]] = {
    "inbound": inbound.run,
    "notice": notice.run,
    "reply-under-notice": reply.run,
    "claim": claim.run,
    "memory": memory.run,
    "reminders": reminders.run,
}


@dataclass(frozen=True, slots=True)
class Run:
    """All that a run found out."""

    facts: dict[str, object]
    figures: list[Figure]
    notes: list[str]

    def document(self) -> dict[str, object]:
        """As machines read it."""
        return {**self.facts, "figures": shown.as_json(self.figures), "notes": self.notes}


def run(names: Sequence[str], server: str | None, plan: Plan, tell: Callable[[str], object]) -> Run:
    """Run these benchmarks; `tell` hears which is at work. Raises BenchFailed."""
    figures: list[Figure] = []
    notes: list[str] = []
    with (
        place(server, max(200, plan.sized(DOSSIERS))) as where,
        closing(Loop()) as loop,
        closing(Double(loop, plan.latency)) as double,
    ):
        scene = Scene(plan, where, loop, double)
        facts = _facts(scene)
        for name in names:
            tell(f"{name} ...")
            found = BENCHMARKS[name](scene)
            figures += found.all()
            notes += found.notes
    return Run(facts, figures, notes)


def _facts(scene: Scene) -> dict[str, object]:
    return {
        "at": utc_now().isoformat(timespec="seconds"),
        "database": scene.place.kind,
        "database facts": scene.place.facts(),
        "gateway": str(scene.shape),
        "scale": scene.plan.scale,
        "carrier latency": scene.plan.latency,
        "machine": shown.machine(),
    }


def append(file: Path, document: dict[str, object]) -> None:
    """Add a run to a file with a JSON document on each line."""
    with file.open("a", encoding="utf-8") as out:
        out.write(json.dumps(document, ensure_ascii=False) + "\n")
