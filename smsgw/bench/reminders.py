"""What looking through all dossiers of a province for one rule takes, in time and memory."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from datetime import datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

import sqlalchemy as sa

from smsgw.bench.figures import Figures
from smsgw.bench.plan import Scene
from smsgw.clock import utc_now
from smsgw.demo import SEED
from smsgw.dossiers import sample
from smsgw.dossiers.sample.province import agencies
from smsgw.dossiers.source import COLUMNS, VIEW
from smsgw.gateway import Gateway
from smsgw.reminders.rules import Rule
from smsgw.settings import Settings

DOSSIERS = 139_012  # that An Giang had in a year
BARE, BEFORE = "bare SELECT", "memory before"
MIB = 1024 * 1024


def run(scene: Scene) -> Figures:
    """A bare SELECT of all rows, each rule, and a first start; in a process of its own."""
    figures = Figures("reminders")
    onestop = scene.place.database("province")
    sample.write(onestop, scene.plan.sized(DOSSIERS), SEED, utc_now().date())
    officials = "\n".join(f'"{agency.code}" = ["0912345678"]' for agency in agencies())
    for _ in range(scene.plan.rounds):
        database = scene.place.gateway_database()
        settings = scene.place.settings(database, onestop, f"[reminders.digest]\n{officials}")
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as apart:
            seconds, before, most = apart.submit(_round, settings, onestop).result()
        for name, value in seconds.items():
            figures.add(name, value, "s", None if name == BARE else BARE)
        figures.add(BEFORE, before / MIB, "MiB")
        figures.add("memory, most", most / MIB, "MiB", BEFORE)
    figures.note("a rule is looked for as in a dry run: what it would tell is planned too, page by page")
    figures.note("a first start takes stock of what every rule would tell, and of the phone on each dossier")
    return figures


def _round(settings: Settings, onestop: str) -> tuple[dict[str, float], int, int]:
    """Seconds by what was done, and the bytes that this process held before and at the most."""
    with closing(Gateway(settings)) as gateway:
        before, now = _memory("VmRSS"), utc_now()
        seconds = {BARE: _timed(lambda: _read_all(onestop))}
        for rule in gateway.reminders.rules.values():
            seconds[rule.name] = _timed(partial(_look, gateway, rule, now))
        seconds["first start"] = _timed(lambda: _start(gateway))
        return seconds, before, _memory("VmHWM")


def _timed(work: Callable[[], object]) -> float:
    began = perf_counter()
    work()
    return perf_counter() - began


def _read_all(onestop: str) -> None:
    engine = sa.create_engine(onestop)
    with engine.connect() as connection:
        streaming = connection.execution_options(stream_results=True, yield_per=1000)
        for _ in streaming.execute(sa.text(f"SELECT {', '.join(COLUMNS)} FROM {VIEW}")):
            pass
    engine.dispose()


def _look(gateway: Gateway, rule: Rule, now: datetime) -> None:
    for _ in gateway.office.finder.everywhere(rule, now, lambda agency: now - rule.max_age):
        pass


def _start(gateway: Gateway) -> None:
    gateway.reminders.runs.meet()
    gateway.reminders.runs.tick()


def _memory(name: str) -> int:
    """Bytes that this process holds (VmRSS), or held at the most (VmHWM)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))
