"""The page for who adds a carrier is true: its example, as it stands there, bears all that other providers bear."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs/carriers/adding.md"
MOST_LINES = 200


@pytest.mark.long
def test_the_example_of_the_page_passes_the_conformance_suite_as_it_stands_there(tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    [module] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    [table] = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert len(module.splitlines()) < MOST_LINES
    for folder in ("providers", "tests", "docs/carriers"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    files = {"providers/example.py": module, "tests/conformance/tables/example.toml": table}
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    shutil.copy(PAGE, tmp_path / "docs/carriers/example.md")
    tried = [f"tests/conformance/test_{which}.py" for which in ("providers", "callbacks")]
    suite = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tried]
    done = subprocess.run(
        [*suite, "-k", "example or every or no_code or no_status"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert int(re.findall(r"(\d+) passed", done.stdout)[0]) > 40
