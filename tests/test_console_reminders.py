"""Reminders in the console and on the command line: what is on, what would be sent, what was done."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

from click.testing import CliRunner

from smsgw.cli.main import commands
from tests.agency import Agency
from tests.console import official
from tests.test_reminders import IN_PROGRESS, begun, minutes
from tests.world import World, settings_text, world


def test_the_rules_show_when_they_are_due_and_silence_is_red(here: World) -> None:
    agency = begun(here)
    desk = official(here, "lan", "viewer")
    shown = desk.get("/reminders/")
    assert "Xin lỗi vì trễ hẹn" in shown
    assert "Theo 118/2025/NĐ-CP" in shown
    assert "15/08/2018 17:00" in shown
    assert "2 ngày làm việc trước hạn bổ sung" in shown
    assert "30 ngày sau ngày có kết quả" in shown
    assert "vào ngày hẹn trả" in shown
    assert "Nhắc hẹn đang không chạy" not in shown
    english = desk.post("/language", language="en", next="/console/reminders/")
    assert "2 working days before the last day for the papers" in english
    assert "1 working day before the due date" in english
    desk.post("/language", language="vi")
    agency.go_away()
    minutes(here, 1)
    here.clock.forward(minutes=20)
    assert "Nhắc hẹn đang không chạy" in desk.get("/reminders/")
    assert "503" not in desk.get("/reminders/runs")
    desk.get("/reminders/overdue", 503)
    desk.get("/reminders/nothing", 404)


def row_of(page: str, rule: str) -> str:
    """A rule's line, as it is read."""
    (line,) = (line for line in re.findall("<tr>.*?</tr>", page, re.DOTALL) if f">{rule}<" in line)
    return re.sub(r"(?:<[^>]*>|\s)+", " ", line)


def test_a_rule_that_is_off_has_no_next_run_unless_it_is_on_somewhere(here: World) -> None:
    begun(here)
    desk, rule = official(here, "lan", "approver"), "Xin lỗi vì trễ hẹn"
    bound = official(here, "mai", "approver", agency="H01.21.01")
    assert "15/08/2018 17:00" in row_of(desk.get("/reminders/"), rule)
    assert "chưa chạy –" in row_of(desk.post("/reminders/overdue", turn="off"), rule)
    assert "15/08/2018 17:00" in row_of(bound.post("/reminders/overdue", turn="on"), rule)
    assert "15/08/2018 17:00" in row_of(desk.get("/reminders/"), rule)
    desk.post("/reminders/overdue", turn="on")
    assert "chưa chạy –" in row_of(bound.post("/reminders/overdue", turn="off"), rule)


def test_it_is_shown_who_switched_a_rule_and_when(here: World) -> None:
    begun(here)
    desk, rule = official(here, "lan", "approver"), "Xin lỗi vì trễ hẹn"
    bound = official(here, "mai", "approver", agency="H01.21.01")
    assert "đổi lúc" not in desk.get("/reminders/")
    desk.post("/reminders/overdue", turn="off")
    for page in (desk, bound):
        assert "Đang tắt lan đổi lúc 15/08/2018 12:" in row_of(page.get("/reminders/"), rule)
    bound.post("/reminders/overdue", turn="on")
    assert "Đang bật riêng cơ quan mai đổi lúc 15/08/2018 12:" in row_of(bound.get("/reminders/"), rule)
    both = row_of(desk.get("/reminders/"), rule)
    assert "Đang tắt lan đổi lúc" in both
    assert "H01.21.01: Đang bật mai đổi lúc" in both


def test_what_officials_are_told_stands_apart_from_what_citizens_are_told(here: World) -> None:
    citizens, officials = official(here, "lan", "viewer").get("/reminders/").split("Nhắn cho cán bộ")
    assert "Nhắn cho người dân" in citizens
    assert "Xin lỗi vì trễ hẹn" in citizens
    assert "Tin sáng cho cán bộ" not in citizens
    assert "Tin sáng cho cán bộ" in officials


def test_a_dry_run_shows_whom_what_and_the_cost_and_only_ones_own_agency(here: World) -> None:
    agency = begun(here)
    code, other = agency.codes(IN_PROGRESS, 2)
    for dossier, office in ((code, "H01.21.01"), (other, "H01.21.02")):
        agency.finish(dossier, here.clock(), agency_code=office)
    shown = official(here, "lan", "viewer").get("/reminders/ready_counter")
    assert code in shown
    assert other in shown
    assert "***" in shown
    bound = official(here, "mai", "viewer", agency="H01.21.01").get("/reminders/ready_counter")
    assert code in bound
    assert other not in bound
    minutes(here, 1)
    assert code not in official(here, "tam", "viewer").get("/reminders/ready_counter")


def test_a_dry_run_reckons_what_it_would_cost(tmp_path: Path) -> None:
    with world(tmp_path, more="tariff = 350") as made:
        agency = begun(made)
        for code in agency.codes(IN_PROGRESS, 3):
            agency.finish(code, made.clock())
        shown = re.sub(r"<[^>]*>|\s+", " ", official(made, "lan", "viewer").get("/reminders/ready_counter"))
        assert re.search(r"Số tin\s+3\s+Tin tính phí\s+3\s+Chi phí\s+1[.]050", shown)


def test_an_agency_turns_its_own_rule_and_it_is_written_down_who_did(here: World) -> None:
    begun(here)
    official(here, "lan", "sender").post("/reminders/received", 403, turn="off")
    desk = official(here, "mai", "approver", agency="H01.21.01")
    assert "riêng cơ quan" in desk.post("/reminders/received", turn="off")
    desk.post("/reminders/received", 400, turn="sideways")
    state = next(state for state in here.gateway.reminders.states() if state.rule == "received")
    assert (state.on, state.agencies) == (True, {"H01.21.01": False})
    desk.post("/reminders/received", turn="as_everywhere")
    with here.gateway.database.reading() as connection:
        said = connection.exec_driver_sql("SELECT who, subject FROM audit WHERE action = 'reminder.turn'").all()
    assert [tuple(row) for row in said] == [("mai", "received"), ("mai", "received")]


def test_commands_show_rules_and_what_one_would_send_with_masked_numbers(here: World) -> None:
    agency = begun(here)
    (code,) = agency.codes(IN_PROGRESS)
    file = here.folder / "settings.toml"
    file.write_text(settings_text(here.folder))

    def run(*words: str, status: int = 0) -> str:
        done = CliRunner().invoke(commands, ["--config", str(file), "reminders", *words])
        assert done.exit_code == status, done.output
        return done.output

    rules = json.loads(run("list", "--json"))
    assert {rule["rule"] for rule in rules} == set(here.gateway.reminders.rules)
    assert all(rule["next"] for rule in rules)
    when = {rule["rule"]: rule["when"] for rule in rules}
    assert when["supplement_ending"] == "0 8 * * *, 2 working days before supplement_due_at"
    assert (when["received"], when["digest"]) == ("on change", "30 7 * * mon-fri")
    assert "; 0 8 * * *, 1 working day before due_at" in run("list")
    agency.change(code, here.clock(), status=3)
    run("off", "not_accepted")
    assert "is off" in run("run", "not_accepted", status=1)
    assert set(json.loads(run("run", "overdue", "--dry-run", "--json"))) == {"rule", "messages"}
    assert "changes" in run("runs")
    assert "there is no rule" in run("run", "nothing", status=1)


def test_what_a_command_would_send_is_what_it_sends(tmp_path: Path) -> None:
    """On a machine where nothing was ever started, with the days of today."""
    file = tmp_path / "settings.toml"
    file.write_text(settings_text(tmp_path))

    def run(*words: str) -> str:
        done = CliRunner().invoke(commands, ["--config", str(file), *words])
        assert done.exit_code == 0, done.output
        return done.output

    run("init")
    run("sample", "--dossiers", "300")
    agency = Agency(tmp_path)
    (stopped,) = agency.codes("status = 2")
    agency.change(stopped, datetime.now(UTC), status=8)  # the sample's own may be too old to be told, by the day
    would = json.loads(run("reminders", "run", "stopped", "--dry-run", "--json"))
    assert stopped in {message["dossier"] for message in would["messages"]}
    assert all("***" in message["to"] for message in would["messages"])
    assert json.loads(run("reminders", "run", "stopped", "--json")) == would
    assert json.loads(run("reminders", "run", "stopped", "--json"))["messages"] == []
