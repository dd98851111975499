"""The script `run`: what it installs is whole, whoever else runs it, whatever broke off before. A script plays Python,
as a real installation takes a minute; everything else is real."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.processes import PATIENCE

ROOT = Path(__file__).parent.parent

# Writes down what it is asked for. An installation takes until as many have come as are waited for.
PYTHON = """#!/bin/sh
case "$*" in
  *ensurepip,*) echo came >>log ;;
  *getcwd*) pwd ;;
  "-m venv .venv") echo begun >>log; mkdir -p .venv/bin; cp python3 .venv/bin/python ;;
  *" pip "*)
    while [ "$(grep -c came log)" -lt "${WAIT_FOR:-1}" ]; do :; done
    [ -z "${BREAK_OFF:-}" ] || exit 130
    printf '#!/bin/sh\\necho "smsgw $*"\\n' >.venv/bin/smsgw
    chmod +x .venv/bin/smsgw
    ;;
  *" pytest"*) echo "$*" ;;
esac
"""


class Checkout:
    """A folder with `run` and what it installs by."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT / "requirements", folder / "requirements")
        for name in ("run", "pyproject.toml"):
            shutil.copy(ROOT / name, folder)
        (folder / "python3").write_text(PYTHON)
        (folder / "python3").chmod(0o755)

    def start(self, *words: str, **variables: str) -> subprocess.Popen[str]:
        environment = {**os.environ, "PYTHON": "./python3", **variables}
        pipe = subprocess.PIPE
        return subprocess.Popen([self.folder / "run", *words], env=environment, text=True, stdout=pipe, stderr=pipe)

    def run(self, *words: str, **variables: str) -> tuple[int, str]:
        started = self.start(*words, **variables)
        out, _ = started.communicate(timeout=PATIENCE)
        return started.returncode, out

    def begun(self) -> int:
        return (self.folder / "log").read_text().count("begun")


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "a folder")


@pytest.mark.skipif(shutil.which("flock") is None, reason="without flock(1) nobody waits")
def test_of_three_that_start_at_once_one_installs_and_the_others_wait_for_it(checkout: Checkout) -> None:
    three = [checkout.start("outbox", WAIT_FOR="3") for _ in range(3)]
    assert [each.communicate(timeout=PATIENCE)[0] for each in three] == ["smsgw outbox\n"] * 3
    assert checkout.begun() == 1


def test_what_is_installed_is_not_installed_again(checkout: Checkout) -> None:
    assert checkout.run("setup") == (0, "")
    assert checkout.run() == (0, "smsgw --help\n")
    assert checkout.run("test", "-x", BREAK_OFF="")[0] == 0
    assert checkout.run("test", "-x", BREAK_OFF="1") == (0, "-m pytest -x\n")
    assert checkout.begun() == 1


def test_a_link_to_it_runs_it_where_it_is(checkout: Checkout, tmp_path: Path) -> None:
    link = tmp_path / "smsgw"
    link.symlink_to(checkout.folder / "run")
    environment = {**os.environ, "PYTHON": "./python3"}
    done = subprocess.run([link, "outbox"], env=environment, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, done.stdout) == (0, "smsgw outbox\n")


@pytest.mark.parametrize("command", ["setup", "test"])
def test_an_installation_that_broke_off_is_begun_anew(checkout: Checkout, command: str) -> None:
    if command == "test":
        assert checkout.run("setup") == (0, "")
    assert checkout.run(command, BREAK_OFF="1")[0] == 130
    assert checkout.run(command)[0] == 0
    assert checkout.begun() == 2


def test_no_command_takes_the_programs_from_under_a_gateway_that_runs_in_them(checkout: Checkout) -> None:
    assert checkout.run("setup") == (0, "")
    with (checkout.folder / "requirements" / "runtime.txt").open("a") as file:
        file.write("# a newer version\n")
    refused = checkout.start("outbox")
    _, said = refused.communicate(timeout=PATIENCE)
    assert (refused.returncode, said.count("./run setup makes it anew")) == (1, 1)
    assert checkout.begun() == 1
    assert checkout.run("setup") == (0, "")
    assert checkout.run("outbox") == (0, "smsgw outbox\n")
    assert checkout.begun() == 2


def test_what_was_there_comes_back_if_the_new_can_not_be_had(checkout: Checkout) -> None:
    assert checkout.run("setup") == (0, "")
    (checkout.folder / ".venv" / "old").touch()
    (checkout.folder / "requirements" / "local.txt").write_text("pymysql\n")
    assert checkout.run("setup", BREAK_OFF="1")[0] == 130
    assert (checkout.folder / ".venv" / "bin" / "smsgw").exists()
    assert (checkout.folder / ".venv" / "old").exists()
    assert checkout.run("setup") == (0, "")
    assert not (checkout.folder / ".venv" / "old").exists()
    assert not (checkout.folder / ".venv-before").exists()


def test_a_copy_of_the_folder_does_not_run_the_programs_of_the_first(checkout: Checkout, tmp_path: Path) -> None:
    assert checkout.run("setup") == (0, "")
    copy = shutil.copytree(checkout.folder, tmp_path / "moved")
    done = subprocess.run(
        [copy / "run", "setup"], env={**os.environ, "PYTHON": "./python3"}, timeout=PATIENCE, check=False
    )
    assert (done.returncode, (copy / "log").read_text().count("begun")) == (0, 2)
