"""`smsgw notice`, from a file with errors to the report, as an official types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from smsgw.cli.main import commands
from tests.bulletin import official, phone, table
from tests.world import World, settings_text


class Desk:
    """A shell beside a gateway that runs."""

    def __init__(self, here: World, folder: Path) -> None:
        self.world = here
        self.settings = folder / "settings.toml"
        url = f"http://127.0.0.1:{here.web.port}"
        # The commands go by the machine's clock.
        quiet = '[quiet_hours]\nstart = "00:00"\nend = "00:00"'
        self.settings.write_text(settings_text(folder, url=url, more=quiet), encoding="utf-8")
        self.people = folder / "dan-cu.csv"
        self.people.write_text(table(3) + "\nabc;Ông x\n", encoding="utf-8")
        with here.gateway.database.writing("test") as connection:
            official(connection, "an", "sender", phone="84912000001")
            official(connection, "binh", "approver")

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(commands, ["--config", str(self.settings), "notice", *words])

    def json(self, *words: str) -> dict[str, object]:
        done = self.run(*words, "--json")
        assert done.exit_code == 0, done.output or done.exception
        made: dict[str, object] = json.loads(done.stdout)
        return made

    def create(self, *more: str) -> str:
        words = ("--name", "Nghỉ lễ", "--text", "Mời ((tên)) đến.", "--csv", str(self.people), "--as", "an")
        return str(self.json("create", *words, *more)["id"])


@pytest.fixture
def desk(here: World, tmp_path: Path) -> Desk:
    return Desk(here, tmp_path)


def test_a_notice_is_created_approved_and_reported_by_commands(desk: Desk) -> None:
    words = ("--name", "Nghỉ", "--text", "Mời ((tên)) đến.", "--csv", str(desk.people), "--as", "an")
    made = desk.json("create", *words)
    id = str(made["id"])
    assert made == {
        "id": id,
        "recipients": 3,
        "segments": 3,
        "cost": 0,
        "errors": [{"row": 5, "column": "phone", "problem": "this is no phone number: abc"}],
    }
    assert desk.json("preview", id)["recipients"] == 3
    assert desk.json("submit", id, "--as", "an")["state"] == "submitted"
    assert desk.json("approve", id, "--as", "binh")["state"] == "approved"
    assert desk.json("status", id) == {
        "id": id, "state": "approved", "recipients": 3, "queued": 3, "submitted": 0, "delivered": 0, "undelivered": 0,
        "unknown": 0, "cancelled": 0,
    }  # fmt: skip
    desk.world.settle()
    assert desk.world.heard(phone(2))[0].text == "Moi Ong 2 den."
    assert desk.json("status", id)["delivered"] == 3
    out = desk.settings.with_name("report.csv")
    assert desk.run("report", id, "--out", str(out)).exit_code == 0
    assert len(out.read_text(encoding="utf-8-sig").splitlines()) == 4
    book = out.with_suffix(".xlsx")
    assert desk.run("report", id, "--out", str(book)).exit_code == 0
    assert book.read_bytes().startswith(b"PK")


def test_paused_resumed_and_cancelled_by_commands(desk: Desk) -> None:
    id = desk.create()
    desk.json("submit", id, "--as", "an")
    desk.json("approve", id, "--as", "binh")
    assert desk.json("pause", id, "--as", "an", "--reason", "sai giờ")["state"] == "paused"
    assert desk.json("resume", id, "--as", "an")["state"] == "sending"
    assert desk.json("cancel", id, "--as", "an")["cancelled"] == 3


def test_the_dossiers_of_a_filter_are_an_audience(desk: Desk) -> None:
    words = ("--name", "Trễ hẹn", "--text", "Ho so ((mã hồ sơ))", "--filter", "status=4", "--as", "an")
    assert int(str(desk.json("create", *words)["recipients"])) > 0


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("submit", "nothing", "--as", "an"), "there is no notice nothing"),
        (("submit", "nothing", "--as", "nobody"), "there is no official nobody"),
        (("approve", "ID", "--as", "an"), "an is sender, and this takes the role approver"),
        (("approve", "ID", "--as", "binh"), "the notice is draft by an; what can be done with it now"),
    ],
)
def test_a_refusal_says_why(desk: Desk, words: tuple[str, ...], why: str) -> None:
    id = desk.create()
    done = desk.run(*(id if word == "ID" else word for word in words))
    assert why in str(done.exception)


def test_a_move_is_made_by_somebody(desk: Desk) -> None:
    assert desk.run("submit", desk.create()).exit_code == 2
    assert desk.run("create", "--name", "n", "--text", "t", "--as", "an").exit_code == 2
