"""The floors of the house: none imports a higher one, and the lowest stand on what pyproject.toml asks for."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent


def test_no_floor_imports_a_higher_one() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    checked = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


def test_every_room_stands_on_a_floor() -> None:
    floors = (ROOT / "pyproject.toml").read_text().partition("[[tool.importlinter.contracts]]")[2]
    rooms = {path.stem for path in (ROOT / "smsgw").iterdir() if not path.name.startswith("__")} - {"_data"}
    assert not {room for room in rooms if f"smsgw.{room}" not in floors}


def test_whatever_is_imported_is_installed_with_us_and_not_by_chance() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    asked_for = {canonicalize_name(Requirement(one).name) for one in named}
    brought_by = packages_distributions()
    ours = {"smsgw", "providers", *sys.stdlib_module_names}
    imported = {name for room in ("smsgw", "providers") for name in _imported(ROOT / room)} - ours
    assert not {name for name in imported if asked_for.isdisjoint(map(canonicalize_name, brought_by[name]))}


def _imported(room: Path) -> Iterator[str]:
    for file in room.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_bytes())):
            match node:
                case ast.Import():
                    yield from (alias.name.partition(".")[0] for alias in node.names)
                case ast.ImportFrom(module=str(module), level=0):
                    yield module.partition(".")[0]
