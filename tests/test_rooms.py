"""The floors of the house: none imports a higher one. Which floors there are is said in pyproject.toml."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_no_floor_imports_a_higher_one() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    checked = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


def test_every_room_stands_on_a_floor() -> None:
    floors = (ROOT / "pyproject.toml").read_text().partition("[[tool.importlinter.contracts]]")[2]
    rooms = {path.stem for path in (ROOT / "smsgw").iterdir() if not path.name.startswith("__")} - {"_data"}
    assert not {room for room in rooms if f"smsgw.{room}" not in floors}
