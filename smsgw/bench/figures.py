"""Figures of a run: each the median of several rounds, its spread, and its ratio to a baseline in the same rounds."""

from __future__ import annotations

import os
import platform
import sys
from collections import defaultdict
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median

from smsgw.bench import yardstick

PACKAGES = ("smsgw", "flask", "uvicorn", "sqlalchemy", "psycopg", "requests")


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing measured. `baseline`: what the ratio is to; the ratio is the median of the rounds' own ones."""

    benchmark: str
    name: str
    unit: str
    median: float
    min: float
    max: float
    rounds: int
    ratio: float | None = None
    ratio_min: float | None = None
    ratio_max: float | None = None
    baseline: str | None = None


class Figures:
    """Takes what each round measured."""

    def __init__(self, benchmark: str) -> None:
        self._benchmark = benchmark
        self._values: dict[str, list[float]] = defaultdict(list)
        self._units: dict[str, str] = {}
        self._baselines: dict[str, str] = {}
        self.notes: list[str] = []

    def add(self, name: str, value: float, unit: str, baseline: str | None = None) -> None:
        """One round's value. `baseline`: the name of the figure that it is compared to."""
        self._values[name].append(value)
        self._units[name] = unit
        if baseline:
            self._baselines[name] = baseline

    def note(self, text: str) -> None:
        """Something that a reader of the figures must know."""
        if text not in self.notes:
            self.notes.append(f"{self._benchmark}: {text}")

    def all(self) -> list[Figure]:
        """What came of it."""
        return [self._figure(name) for name in self._values]

    def _figure(self, name: str) -> Figure:
        values = self._values[name]
        baseline = self._baselines.get(name)
        return Figure(
            self._benchmark,
            name,
            self._units[name],
            _rounded(median(values)),
            _rounded(min(values)),
            _rounded(max(values)),
            len(values),
            *self._ratios(name, baseline),
            baseline,
        )

    def _ratios(self, name: str, baseline: str | None) -> tuple[float | None, float | None, float | None]:
        """Median, least and greatest: round by round, so that a machine that gets slower with time does not matter."""
        pairs = zip(self._values[name], self._values.get(baseline or "", ()), strict=False)
        ratios = [round(value / base, 3) for value, base in pairs if base]
        return (median(ratios), min(ratios), max(ratios)) if ratios else (None, None, None)


def _rounded(value: float) -> float:
    return float(f"{value:.4g}") if abs(value) < 10_000 else float(round(value))


def machine() -> dict[str, object]:
    """The facts about this machine that a figure means nothing without."""
    cpu = platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "busy before": round(os.getloadavg()[0], 2),
        "python": f"{platform.python_version()} of {sys.base_prefix}",  # how it was built is worth a third
        "kernel": platform.release(),
        "turn of a loop, ns": round(yardstick.turn(), 1),
        "far read, ns": round(yardstick.far_read()),
        **{package: version(package) for package in PACKAGES},
    }


def as_json(figures: list[Figure]) -> list[dict[str, object]]:
    """Figures as JSON has them."""
    return [asdict(figure) for figure in figures]


def table(figures: list[Figure]) -> str:
    """Figures for people to read."""
    rows = [("benchmark", "figure", "median", "min", "max", "unit", "ratio", "to")]
    for figure in figures:
        spread = (f"{figure.median:,g}", f"{figure.min:,g}", f"{figure.max:,g}")
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
        rows.append((figure.benchmark, figure.name, *spread, figure.unit, ratio, figure.baseline or ""))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    right = (2, 3, 4, 6)
    lines = [
        "  ".join(
            cell.rjust(width) if place in right else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    return "\n".join(lines)
