"""Commands for officials' accounts, as an operator meets them."""

from __future__ import annotations

import os
import pwd

import pytest

from smsgw.store import audit
from smsgw.store.database import Database
from tests.test_commands import Shell


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A gateway that is set up, beside a sample province."""
    shell = Shell(tmp_path_factory.mktemp("shell"))
    assert shell.run("init").returncode == 0
    assert shell.run("sample", "--dossiers", "200", "--seed", "4", "--today", "2018-08-15").returncode == 0
    return shell


def test_officials_are_added_listed_and_disabled_and_the_log_of_it_is_whole(shell: Shell) -> None:
    added = shell.run(
        *("user", "add", "Lan", "--role", "viewer,approver", "--agency", "H01.21", "--password-stdin"),
        stdin="mot cau dai de nho\n",
    )
    assert added.returncode == 0, added.stderr
    (lan,) = [each for each in shell.json("user", "list") if each["name"] == "lan"]
    assert (lan["role"], lan["agency"], lan["second_factor"], lan["disabled_at"]) == ("approver", "H01.21", False, None)
    assert b"$argon2id$v=19$m=65536,t=3,p=4$" in (shell.folder / "gateway.db").read_bytes()
    again = shell.run("user", "add", "lan", "--role", "viewer", "--password-stdin", stdin="mot cau dai de nho\n")
    assert (again.returncode, again.stderr) == (1, "smsgw: there is an official lan already\n")
    assert shell.run("user", "disable", "lan").returncode == 0
    verdict = shell.json("audit", "verify")
    assert (verdict["ok"], verdict["broken"]) == (True, None)
    assert shell.run("audit", "verify", "--noted", "0" * 64).returncode == 1
    assert shell.run("audit", "verify", "--noted", verdict["head"][:40]).returncode == 2


def test_an_officials_phone_is_one_that_gets_texts(shell: Shell) -> None:
    added = shell.run("user", "add", "nga", "--role", "viewer", "--no-password", "--phone", "0296 3852 288")
    assert added.returncode == 2
    assert "gets no texts" in added.stderr


def test_whoever_adds_an_official_of_an_agency_that_has_no_dossiers_is_told_the_nearest_codes(shell: Shell) -> None:
    def add(name: str, agency: str) -> str:
        added = shell.run("user", "add", name, "--role", "viewer", "--no-password", "--agency", agency)
        assert (added.returncode, added.stdout) == (0, f"{name}: viewer, {agency}\n")
        return added.stderr

    nearest = "smsgw: mai is added, but the agency h01.21.10 has no dossiers; nearest are"
    assert add("mai", "h01.21.10") == f"{nearest} H01.21.10, H01.31.10, H01.29.10\n"
    assert add("thu", "UBND") == "smsgw: thu is added, but the agency UBND has no dossiers\n"
    assert add("yen", "H01.21.10") == ""
    assert shell.run("user", "add", "my", "--role", "viewer", "--no-password", "--agency", " ").returncode == 2


def test_where_the_one_stop_database_is_away_an_official_is_added_and_the_agency_said_to_be_unchecked(
    shell: Shell,
) -> None:
    words = ("user", "add", "tam", "--role", "viewer", "--no-password", "--agency", "H01.99")
    away = {"SMSGW_ONESTOP__DATABASE": "sqlite:///none.db"}
    added = shell.run(*words, **away)
    assert (added.returncode, added.stdout) == (0, "tam: viewer, H01.99\n")
    assert added.stderr.startswith("smsgw: tam is added, but the agency H01.99 could not be checked: the one-stop")
    assert len(added.stderr.splitlines()) == 1
    assert shell.run(*words, **away).stderr == "smsgw: there is an official tam already\n"


def test_an_account_is_enabled_again_and_gets_a_new_password_and_no_second_step(shell: Shell) -> None:
    words = ("user", "add", "hoa", "--role", "sender", "--password-stdin")
    assert shell.run(*words, stdin="mot cau dai de nho\n").stdout == "hoa: sender, the whole province\n"
    for step in ("disable", "enable", "reset-second-factor"):
        assert shell.run("user", step, "hoa").returncode == 0
    short = shell.run("user", "password", "hoa", "--password-stdin", stdin="short\n")
    assert (short.returncode, "at least 10" in short.stderr) == (1, True)
    assert shell.run("user", "password", "hoa", "--password-stdin", stdin="mot cau khac dai\n").stdout == (
        "hoa: new password\n"
    )
    (hoa,) = [each for each in shell.json("user", "list") if each["name"] == "hoa"]
    assert (hoa["disabled_at"], hoa["second_factor"]) == (None, False)
    nobody = shell.run("user", "disable", "nobody")
    assert (nobody.returncode, nobody.stderr.startswith("smsgw: there is no official nobody; ")) == (1, True)


def test_a_password_that_nobody_could_type_is_refused(shell: Shell) -> None:
    words = ("user", "add", "thi", "--role", "viewer", "--password-stdin")
    refused = shell.run(*words, stdin="a sentence with \udcff in it\n")
    assert (refused.returncode, "the password is not UTF-8" in refused.stderr) == (2, True)


@pytest.mark.parametrize(
    ("sudo", "who"), [("daemon", "cli:daemon as {}"), ("{}", "cli:{}"), ("nobody of this machine", "cli:{}")]
)
def test_the_log_says_who_gave_a_command_by_sudo_and_believes_no_variable_that_anybody_sets(
    shell: Shell, sudo: str, who: str
) -> None:
    user = pwd.getpwuid(os.getuid()).pw_name
    variables = {"SUDO_USER": sudo.format(user), "LOGNAME": "binh", "USER": "binh"}
    name = f"sudo-{len(sudo)}"
    added = shell.run("user", "add", name, "--role", "viewer", "--no-password", **variables)
    assert added.returncode == 0, added.stderr
    database = Database(f"sqlite:///{shell.folder}/gateway.db")
    with database.reading() as connection:
        (entry, *_) = audit.latest(connection)
    database.close()
    assert (entry.subject, entry.who) == (name, who.format(user))
