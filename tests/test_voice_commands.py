"""`smsgw voice`: citizens' complaints and questions, for who works without the console."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from smsgw.cli.main import commands
from smsgw.store import audit
from tests.test_conversations import LAN
from tests.world import World, settings_text


@pytest.fixture
def desk(here: World, tmp_path: Path) -> Path:
    file = tmp_path / "settings.toml"
    file.write_text(settings_text(tmp_path), encoding="utf-8")
    return file


def run(desk: Path, *words: str) -> Result:
    return CliRunner().invoke(commands, ["--config", str(desk), "voice", *words])


def raised(here: World, desk: Path, *texts: str) -> list[int]:
    """The numbers of complaints that come in."""
    for text in texts:
        here.text(LAN, text)
    return [one["number"] for one in json.loads(run(desk, "list", "--json").stdout)]


def test_complaints_are_listed_by_the_provinces_clock_and_without_a_number(here: World, desk: Path) -> None:
    assert json.loads(run(desk, "list", "--json").stdout) == []
    one, _ = raised(here, desk, "PA cham qua", "PA khong ai nghe may")
    assert run(desk, "list").stdout.splitlines()[0] == f"{one}  2018-08-15 12:00  -: cham qua"
    assert LAN not in run(desk, "list").stdout + run(desk, "list", "--json").stdout


def test_a_complaint_is_answered_once_and_closed(here: World, desk: Path) -> None:
    (number,) = raised(here, desk, "PA cham qua")
    assert run(desk, "answer", str(number), "Ho so xong ngay mai.").exit_code == 0
    assert "answered or closed already" in run(desk, "answer", str(number), "Lan nua.").output
    assert run(desk, "close", str(number)).exit_code == 0
    assert "closed already" in run(desk, "close", str(number)).output
    assert run(desk, "close", "1").exit_code == 1
    assert run(desk, "answer", str(number), " ").exit_code == 2


def test_an_answer_says_which_of_its_characters_go_out_as_question_marks(here: World, desk: Path) -> None:
    (number,) = raised(here, desk, "PA cham qua")
    answered = run(desk, "answer", str(number), "Xin lỗi 😀.")
    assert (answered.exit_code, answered.stderr.strip()[-3:]) == (0, ": 😀")


def test_who_has_no_name_on_the_machine_can_answer_as_well(
    here: World, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (number,) = raised(here, desk, "PA cham qua")
    monkeypatch.setattr("os.getuid", lambda: 4_000_000_000)
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    assert run(desk, "close", str(number)).exit_code == 0
    with here.gateway.database.reading() as connection:
        assert [(entry.who, entry.action) for entry in audit.latest(connection, limit=1)] == [("cli", "voice.close")]
