"""The doctor names what is wrong with settings, databases, disk, channels and texts, and how to mend it."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from pathlib import Path

import pytest

from providers.aggregator import Aggregator
from smsgw import checkup
from smsgw.dossiers.source import COLUMNS
from smsgw.settings import load
from tests.test_commands import Shell
from tests.world import settings_text


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A gateway that is set up and not running."""
    shell = Shell(tmp_path_factory.mktemp("doctor"))
    assert shell.run("init").returncode == 0
    assert shell.run("sample", "--dossiers", "200", "--seed", "4", "--today", "2018-08-15").returncode == 0
    return shell


def test_the_doctor_names_what_is_wrong_and_how_to_mend_it(shell: Shell) -> None:
    examined = shell.run("doctor", "--json")
    found = json.loads(examined.stdout)
    by_name = {finding["what"]: finding for finding in found["checks"]}
    assert examined.returncode == 1
    assert by_name["gateway database"]["ok"]
    assert by_name["one-stop database"]["ok"]
    assert by_name["clock"]["ok"]
    assert "check the channel's url" in by_name["channel sms"]["detail"]
    away = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"
    examined = shell.run("doctor", SMSGW_GATEWAY__DATABASE=away)
    assert re.search(r"gateway database: can't be reached: .*refused; check its URL", examined.stdout)


def test_the_doctor_says_so_when_the_disk_is_nearly_full(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shell.folder)
    monkeypatch.setattr(checkup, "LEAST_ROOM", 10**12)
    (disk,) = [finding for finding in checkup.examine(load(Path("settings.toml"))) if finding.what == "disk"]
    assert not disk.ok
    assert disk.detail.startswith("only ")
    assert disk.detail.endswith("; make room")


def test_the_doctor_names_a_file_that_a_command_of_root_has_left(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shell.folder)
    settings = load(Path("settings.toml"))
    (files,) = [finding for finding in checkup.examine(settings) if finding.what == "files"]
    assert files.ok
    # Root, as which tests run too, may open everything.
    monkeypatch.setattr("os.access", lambda path, mode: Path(path).name != "secret_key")
    (files,) = [finding for finding in checkup.examine(settings) if finding.what == "files"]
    assert not files.ok
    assert "secret_key can't be read and written by this user" in files.detail
    assert "(chown)" in files.detail


def test_the_doctor_looks_at_the_disk_before_there_is_a_folder_on_it(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text(settings_text(tmp_path / "not" / "made"))
    settings = load(tmp_path / "settings.toml")
    (disk,) = [finding for finding in checkup.examine(settings) if finding.what == "disk"]
    assert not disk.detail.startswith("only 0 MB")


def test_the_doctor_finds_secrets_that_anybody_can_read(shell: Shell) -> None:
    elsewhere = {"SMSGW_CHANNELS__SMS__URL": "http://192.0.2.1:9", "SMSGW_CHANNELS__SMS__TIME_LIMIT": "0.1"}
    told = "FAIL channel sms: secret as in the shipped settings, which anybody can read"
    assert told in shell.run("doctor", SMSGW_CHANNELS__SMS__SECRET="demo-secret", **elsewhere).stdout
    assert "as in the shipped" not in shell.run("doctor", **elsewhere).stdout
    assert "as in the shipped" not in shell.run("doctor", SMSGW_CHANNELS__SMS__SECRET="demo-secret").stdout


def test_the_doctor_says_whether_the_wording_or_the_rules_are_wrong(shell: Shell) -> None:
    (shell.folder / "rules.toml").write_text("[received]\nspeed = 3\n")
    by_rules = shell.run("doctor", SMSGW_REMINDERS__RULES="rules.toml")
    assert (by_rules.returncode, by_rules.stdout.split(";")[0]) == (
        1,
        "FAIL reminder rules: rules.toml: received.speed: no such key",
    )
    by_wording = shell.run("doctor", SMSGW_ANSWERS__WORDING="none.toml")
    assert by_wording.stdout.startswith("FAIL wording: none.toml: can't be read")


def test_the_doctor_names_dossiers_that_are_left_out(shell: Shell, tmp_path: Path) -> None:
    view = tmp_path / "view.db"
    columns = dict.fromkeys(COLUMNS, "NULL") | {"code": "'H01.12-180802-0012'", "status": "'dang xu ly'"}
    with contextlib.closing(sqlite3.connect(view)) as connection:
        rows = ", ".join(f"{value} AS {name}" for name, value in columns.items())
        connection.execute(f"CREATE VIEW dossier_status AS SELECT {rows}")
        found = shell.run("doctor", SMSGW_ONESTOP__DATABASE=f"sqlite:///{view}").stdout
        assert "FAIL one-stop database: 1 of 1 rows of dossier_status make no sense and are left out" in found
        assert "such as H01.12-180802-0012: status 'dang xu ly'; expected a number from 1 to 10; mend the view" in found
        connection.execute("DROP VIEW dossier_status")
        connection.execute(f"CREATE VIEW dossier_status AS SELECT {rows} WHERE 1 = 0")
        found = shell.run("doctor", SMSGW_ONESTOP__DATABASE=f"sqlite:///{view}").stdout
        assert "ok   one-stop database: the view dossier_status has no rows yet" in found


def test_the_doctor_says_why_a_file_is_no_database_and_goes_on(shell: Shell) -> None:
    for name, why in (("settings.toml", "file is not a database"), ("x" * 300, "File name too long")):
        examined = shell.run("doctor", SMSGW_GATEWAY__DATABASE=f"sqlite:///{name}")
        assert f"FAIL gateway database: can't be reached: {why}; check its URL and rights" in examined.stdout
        assert "ok   one-stop database" in examined.stdout
        assert re.fullmatch("smsgw: not well: gateway database.*; what to do stands with each\n", examined.stderr)


def test_the_doctor_says_when_a_look_up_may_outlast_what_waits_for_it(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shell.folder)
    monkeypatch.setattr(Aggregator, "fault", lambda _: None)
    monkeypatch.setenv("SMSGW_CHANNELS__SMS__TIME_LIMIT", "2")
    for limit, ok in (("5.5", True), ("6", False)):
        monkeypatch.setenv("SMSGW_ONESTOP__TIME_LIMIT", limit)
        found = {finding.what: finding for finding in checkup.examine(load(Path("settings.toml")))}["channel sms"]
        assert found.ok is ok
    assert found.detail == (
        "a reminder or notice must be on its way in 6 s, 3 times the channel's time_limit,"
        " and onestop.time_limit is 6 s; set that to 5.5 or less"
    )
