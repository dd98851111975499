"""The benchmarks run, and what they count is exact. How long anything takes is no test's business."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from smsgw.bench.plot import compared, drawn
from smsgw.cli.main import commands


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A run over as little as there can be, on SQLite."""
    file = tmp_path_factory.mktemp("bench") / "runs.jsonl"
    words = ["bench", "inbound", "notice", "claim", "--scale", "0.001", "--rounds", "1", "--connections", "4"]
    done = CliRunner().invoke(
        commands, [*words, "--finished", "100000", "--batch", "100", "--out", str(file), "--json"]
    )
    assert done.exit_code == 0, done.output
    document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    assert json.loads(done.stdout) == document
    return document


@pytest.mark.long
def test_what_was_measured_is_shown_also_where_it_can_not_be_written_down(tmp_path: Path) -> None:
    words = ["bench", "claim", "--scale", "0.001", "--rounds", "1", "--finished", "1000"]
    done = CliRunner().invoke(commands, [*words, "--out", str(tmp_path / "none" / "runs.jsonl"), "--json"])
    assert isinstance(done.exception, FileNotFoundError)
    assert json.loads(done.stdout)["figures"]


def named(run: dict[str, Any], benchmark: str) -> dict[str, dict[str, Any]]:
    return {figure["name"]: figure for figure in run["figures"] if figure["benchmark"] == benchmark}


@pytest.mark.long
def test_nothing_is_lost_and_nothing_comes_twice(run: dict[str, Any]) -> None:
    inbound, notice = named(run, "inbound"), named(run, "notice")
    counts = [
        inbound[f"{side}, {what}"]["max"]
        for side in ("gateway", "bare route")
        for what in ("lost", "doubled", "refused")
    ]
    assert [*counts, notice["lost"]["max"], notice["doubled"]["max"]] == [0] * 8


@pytest.mark.long
def test_a_figure_says_what_it_is_compared_to(run: dict[str, Any]) -> None:
    assert set(run) >= {"at", "database", "database facts", "gateway", "machine", "figures", "notes"}
    assert run["machine"]["turn of a loop, ns"] > 0
    assert run["machine"]["far read, ns"] > 0
    figure = named(run, "inbound")["one a callback"]
    assert set(figure) == {
        *("benchmark", "name", "unit", "median", "min", "max", "rounds"),
        *("ratio", "ratio_min", "ratio_max", "baseline"),
    }
    assert (figure["unit"], figure["rounds"], figure["baseline"]) == ("messages/s", 1, "bare route, one a callback")
    assert figure["ratio"] > 0
    assert figure["baseline"] in named(run, "inbound")
    assert named(run, "claim")["100 in history"]["baseline"] == "10 finished"
    assert named(run, "notice")["batch 100, from approval"]["baseline"] == "bare loop, batch 100"


@pytest.mark.long
def test_runs_can_be_drawn(run: dict[str, Any]) -> None:
    rows = compared([run])
    picture = ElementTree.fromstring(drawn(rows))
    assert len(rows) == sum(1 for figure in run["figures"] if figure["ratio"])
    assert len(picture.findall("{http://www.w3.org/2000/svg}circle")) == len(rows) + 2


def test_a_name_that_there_is_not_is_wrong_usage(tmp_path: Path) -> None:
    assert CliRunner().invoke(commands, ["bench", "everything"]).exit_code == 2
