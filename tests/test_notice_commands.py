"""`smsgw notice`, from a file with errors to the report, as an official types it."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from openpyxl import Workbook

from smsgw.cli.main import commands
from smsgw.cli.noticing import notice
from smsgw.clock import utc_now
from smsgw.notices.drafting import Draft
from smsgw.notices.refusals import COMMANDS
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
            self.an = official(connection, "an", "sender", phone="84912000001")
            official(connection, "binh", "approver")

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(commands, ["--config", str(self.settings), "notice", *words])

    def json(self, *words: str) -> Any:
        done = self.run(*words, "--json")
        assert done.exit_code == 0, done.output or done.exception
        return json.loads(done.stdout)

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
    assert "the last goes out about" in desk.run("status", id).output
    desk.world.gateway.steering.pause("sms", "to be seen", "tests")
    shown = desk.run("status", id).output
    assert ("waits until channel sms sends again" in shown, "the last goes out" in shown) == (True, False)
    desk.world.gateway.steering.release("sms", "it was seen", "tests")
    desk.world.settle()
    assert desk.world.heard(phone(2))[0].text == "Moi Ong 2 den."
    assert desk.json("status", id)["delivered"] == 3
    out = desk.settings.with_name("report.csv")
    assert desk.run("report", id, "--out", str(out)).exit_code == 0
    assert len(out.read_text(encoding="utf-8-sig").splitlines()) == 4
    book = out.with_suffix(".xlsx")
    assert desk.run("report", id, "--out", str(book)).exit_code == 0
    assert book.read_bytes().startswith(b"PK")
    out.unlink()
    assert len(desk.json("report", id, "--out", str(out))) == 3
    assert len(out.read_text(encoding="utf-8-sig").splitlines()) == 4


def test_a_list_may_come_by_a_pipe(desk: Desk) -> None:
    reads, writes = os.pipe()
    os.write(writes, b"phone\n0912000001\n")
    os.close(writes)
    words = ("--name", "Nghi", "--text", "Nghi le.", "--csv", f"/dev/fd/{reads}", "--as", "an")
    assert "1 recipients" in desk.run("create", *words).output
    os.close(reads)


def test_paused_resumed_and_cancelled_by_commands(desk: Desk) -> None:
    id = desk.create()
    desk.json("submit", id, "--as", "an")
    desk.json("approve", id, "--as", "binh")
    assert desk.json("pause", id, "--as", "an", "--reason", "sai giờ")["state"] == "paused"
    assert desk.json("resume", id, "--as", "an")["state"] == "sending"
    assert desk.json("cancel", id, "--as", "an")["cancelled"] == 3


def test_a_workbook_is_an_audience_as_well(desk: Desk, tmp_path: Path) -> None:
    book, file = Workbook(), tmp_path / "dan-cu.xlsx"
    for row in (["phone", "tên"], [912000001, "Bà Ba"], ["0912000002", "Ông Tư"], ["0912000003", None]):
        book.worksheets[0].append(row)
    book.save(file)
    words = ("--name", "Nghỉ", "--text", "Mời ((tên)) đến.", "--xlsx", str(file), "--as", "an")
    made = desk.json("create", *words)
    assert (made["recipients"], made["segments"]) == (2, 2)
    assert made["errors"] == [{"row": 4, "column": "tên", "problem": "empty, and the text needs it"}]


def test_the_time_that_is_given_is_the_provinces(desk: Desk) -> None:
    for given in ("2018-08-20T08:00", "2018-08-20T01:00+00:00"):
        id = desk.create("--at", given)
        assert desk.world.gateway.notices.find(id, desk.an).send_at == datetime(2018, 8, 20, 1, tzinfo=UTC)
    assert desk.run("create", "--at", "soon").exit_code == 2


@pytest.mark.parametrize(("given", "past"), [("2018-08-20T08:00", True), ("2199-08-20T08:00", False)])
def test_whoever_gives_a_time_that_is_past_is_told_that_it_goes_out_at_once(desk: Desk, given: str, past: bool) -> None:
    words = ("--name", "n", "--text", "t", "--csv", str(desk.people), "--as", "an", "--at", given)
    told = desk.run("create", *words).stdout
    id = told.split(":")[0]
    said = "2018-08-20 08:00 is past: it goes out as soon as it is approved\n"
    assert [said in text for text in (told, desk.run("preview", id).stdout)] == [past, past]


def test_what_was_changed_since_it_was_previewed_is_not_approved(desk: Desk) -> None:
    id = desk.create()
    before = str(desk.json("preview", id)["fingerprint"])
    assert f"its fingerprint is {before};" in desk.run("preview", id).stdout
    notices = desk.world.gateway.notices
    notices.edit(id, desk.an, Draft("Nghỉ lễ", "Mời ((tên)) về.", "", None))
    for words in (("submit", id, "--as", "an"), ("approve", id, "--as", "binh")):
        for wrong in (before, before[:12], ""):
            assert "changed since you looked at it" in str(desk.run(*words, "--seen", wrong).exception)
        desk.json(*words, "--seen", notices.find(id, desk.an).fingerprint)
    assert notices.find(id, desk.an).state == "approved"


@pytest.mark.parametrize("given", ["0001-01-01T00:00", "9999-12-31T23:59"])
def test_a_time_that_leaves_the_calendar_is_refused(desk: Desk, given: str) -> None:
    words = ("--name", "n", "--text", "t", "--csv", str(desk.people), "--as", "an")
    assert "between the years 2000 and 2199" in str(desk.run("create", *words, "--at", given).exception)
    assert not desk.json("list")


def test_a_notice_is_tried_on_any_phone_however_its_number_is_written(desk: Desk) -> None:
    id = desk.create()
    assert desk.run("try", id, "--as", "an", "--to", "0387 654 321").stdout == "queued for 84387***321\n"
    assert desk.run("try", id, "--as", "an", "--to", "abc").exit_code == 2
    assert "no text reaches" in str(desk.run("try", id, "--as", "an", "--to", "0296 3852 288").exception)


def test_a_notice_is_looked_at_tried_sent_back_and_reported_to_a_pipe(desk: Desk) -> None:
    id = desk.create()
    shown = desk.json("preview", id, "--as", "an")
    assert shown["samples"][0]["plain"]["text"] == "Moi Ong 0 den."
    assert (shown["plain"]["segments"], shown["accented"]["segments"]) == (3, 3)
    told = desk.run("preview", id).stdout
    assert told.splitlines()[:2] == [
        "Nghỉ lễ: draft, by an, to 3 of dan-cu.csv",
        "left out: 0 twice, 0 opted out, 0 without SMS, 1 wrong",
    ]
    assert "gsm7, 1 segment\n" in told
    assert "without accents: 3 segments" in told
    assert told.splitlines()[-2].endswith("takes 0:00:01")
    assert desk.run("try", id, "--as", "an").stdout == "queued for 84912***001\n"
    desk.world.clock.now = utc_now()  # by which the command queued it
    desk.world.settle()
    assert [bubble.text for bubble in desk.world.heard("84912000001")] == ["Moi Ong 0 den."]
    desk.json("submit", id, "--as", "an")
    assert desk.json("return", id, "--as", "binh", "--reason", "sai ngày")["state"] == "draft"
    assert [one["id"] for one in desk.json("list")] == [id]
    assert desk.json("report", id)[0] == {
        "row": "2", "phone": phone(0), "state": "waiting", "reason": "", "segments": "", "channel": "", "sent": "",
        "ended": "",
    }  # fmt: skip
    assert desk.run("report", id).stdout.startswith("row,phone,state,")


def test_the_preview_names_the_characters_that_become_question_marks(desk: Desk) -> None:
    words = ("--name", "n", "--text", "Moi ((tên)) den 😀", "--csv", str(desk.people), "--as", "an")
    id = desk.json("create", *words)["id"]
    assert "goes out as a question mark: 😀\n" in desk.run("preview", id).stdout
    assert desk.json("preview", id)["lost"] == ["😀"]
    assert "brackets" not in desk.run("preview", id).stdout
    with_accents = desk.json("create", *words, "--accents")["id"]
    assert desk.json("preview", with_accents)["lost"] == []


def test_the_preview_tells_of_brackets_that_were_to_be_a_placeholder(desk: Desk) -> None:
    id = desk.json("create", "--name", "n", "--text", "Moi ((tên) den", "--csv", str(desk.people), "--as", "an")["id"]
    assert "brackets (( that name no column" in desk.run("preview", id).stdout


def test_the_dossiers_of_a_filter_are_an_audience(desk: Desk) -> None:
    words = ("--name", "Trễ hẹn", "--text", "Ho so ((mã hồ sơ))", "--filter", "status=4", "--as", "an")
    assert int(str(desk.json("create", *words)["recipients"])) > 0


@pytest.mark.parametrize("nothing", ["", "  "])
def test_a_filter_that_says_nothing_is_refused_and_everybody_is_meant_on_purpose(desk: Desk, nothing: str) -> None:
    words = ("--name", "n", "--text", "t", "--as", "an", "--filter")
    refused = desk.run("create", *words, nothing)
    assert str(refused.exception) == (
        "filter: it is empty; expected terms such as status=5 overdue, or all for every dossier"
    )
    assert desk.json("list") == []
    assert int(str(desk.json("create", *words, "all")["recipients"])) > 0


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


def test_what_can_be_done_instead_is_said_in_the_words_of_the_commands(desk: Desk) -> None:
    id = desk.create()
    desk.run("submit", id, "--as", "an")
    assert str(desk.run("resume", id, "--as", "an").exception) == (
        "the notice is submitted by an; what can be done with it now: approve, return, cancel; on the console: change"
    )
    assert {*COMMANDS.values()} <= {*notice.commands}


def test_a_move_is_made_by_somebody(desk: Desk) -> None:
    assert desk.run("submit", desk.create()).exit_code == 2
    assert desk.run("create", "--name", "n", "--text", "t", "--as", "an").exit_code == 2
