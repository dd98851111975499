"""Draws the ratios of measured runs as SVG:  python -m smsgw.bench.plot RUNS.jsonl PLOT.svg

RUNS.jsonl is what `smsgw bench --out` writes. The latest figure of each kind of database counts.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

LEFT, WIDTH, ROW, TOP = 330, 420, 18, 46  # pixels
LEAST, MOST = 0.02, 10.0  # ratios at the ends of the scale, which is logarithmic
MARKS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
COLOURS = {"sqlite": "#1f6fb2", "postgresql": "#b2541f"}


def compared(runs: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], dict[str, Mapping[str, Any]]]:
    """By benchmark and name: the latest figure that has a ratio, for each kind of database."""
    rows: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = {}
    for run in runs:
        for figure in run["figures"]:
            if figure["ratio"]:
                rows.setdefault((figure["benchmark"], figure["name"]), {})[run["database"]] = figure
    return rows


def drawn(rows: Mapping[tuple[str, str], Mapping[str, Mapping[str, Any]]]) -> str:
    """One line a figure: a dot for the median ratio, a stroke from the least to the greatest."""
    height = TOP + ROW * len(rows) + 30
    parts = [_mark(ratio, height) for ratio in MARKS]
    for number, (name, colour) in enumerate(COLOURS.items()):
        x = LEFT + 110 * number
        parts.append(f'<circle cx="{x}" cy="14" r="4" fill="{colour}"/>{_text(x + 9, 18, name)}')
    for number, ((benchmark, name), by_database) in enumerate(sorted(rows.items())):
        y = TOP + ROW * number + 10
        parts.append(_text(LEFT - 12, y + 4, f"{benchmark}: {name}", "end"))
        for place, (database, figure) in enumerate(sorted(by_database.items())):
            parts.append(_dot(figure, y + 6 * place - 3, COLOURS[database]))
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + 40}" height="{height}"'
        ' font-family="sans-serif" font-size="11">\n'
        f'<rect width="100%" height="100%" fill="#ffffff"/>\n{body}\n</svg>\n'
    )


def _x(ratio: float) -> float:
    share = math.log(min(MOST, max(LEAST, ratio)) / LEAST) / math.log(MOST / LEAST)
    return round(LEFT + WIDTH * share, 1)


def _mark(ratio: float, height: int) -> str:
    colour = "#444444" if ratio == 1 else "#dddddd"
    line = f'<line x1="{_x(ratio)}" x2="{_x(ratio)}" y1="{TOP - 8}" y2="{height - 22}" stroke="{colour}"/>'
    return line + _text(_x(ratio), height - 8, f"{ratio:g}", "middle")


def _dot(figure: Mapping[str, Any], y: float, colour: str) -> str:
    spread = (
        f'<line x1="{_x(figure["ratio_min"])}" x2="{_x(figure["ratio_max"])}" y1="{y}" y2="{y}" stroke="{colour}"/>'
    )
    return f'{spread}<circle cx="{_x(figure["ratio"])}" cy="{y}" r="3.5" fill="{colour}"/>'


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="#222222">{escape(text)}</text>'


if __name__ == "__main__":
    lines = Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()
    Path(sys.argv[2]).write_text(drawn(compared(map(json.loads, lines))), encoding="utf-8")
