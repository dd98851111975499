"""`smsgw key`: how other systems get a key to /api, and lose it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from smsgw.cli.main import commands
from smsgw.store.tables import api_key, audit
from tests.world import World, settings_text


class Shell:
    """A shell beside a gateway that runs."""

    def __init__(self, here: World) -> None:
        self.world = here
        self._settings = here.folder / "settings.toml"
        self._settings.write_text(settings_text(here.folder), encoding="utf-8")

    def run(self, *words: str, status: int = 0) -> Result:
        done = CliRunner().invoke(commands, ["--config", str(self._settings), "key", *words])
        assert done.exit_code == status, done.output or done.exception
        return done

    def opens(self, secret: str) -> bool:
        answer = self.world.client.get("/api/v1/", headers={"Authorization": f"Bearer {secret}"})
        return answer.status_code == 200


@pytest.fixture
def shell(here: World) -> Shell:
    return Shell(here)


def test_a_key_is_printed_alone_so_that_a_script_can_keep_it(shell: Shell) -> None:
    done = shell.run("add", "kiosk")
    assert re.fullmatch(r"smsgw_[\w-]{43}\n", done.stdout)
    assert shell.opens(done.stdout.strip())
    assert "viewer, the whole province" in done.stderr


def test_a_key_as_json(shell: Shell) -> None:
    made = json.loads(shell.run("add", "One-Stop", "--role", "sender", "--agency", "H01.12", "--json").stdout)
    assert {name: made[name] for name in ("name", "role", "agency", "daily")} == {
        "name": "one-stop", "role": "sender", "agency": "H01.12", "daily": 1000,
    }  # fmt: skip
    assert shell.opens(made["key"])


def test_the_list_shows_what_each_may_do_and_no_secret(shell: Shell) -> None:
    assert "no key yet" in shell.run("list").stdout
    secret = shell.run("add", "kiosk").stdout.strip()
    shell.run("add", "one-stop", "--role", "sender", "--daily", "50")
    shell.run("revoke", "kiosk")
    lines = shell.run("list").stdout.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("kiosk: viewer, the whole province, revoked 20")
    assert lines[1] == "one-stop: sender, 50 messages a day, the whole province, never used"
    listed = json.loads(shell.run("list", "--json").stdout)
    assert [(one["name"], bool(one["revoked_at"])) for one in listed] == [("kiosk", True), ("one-stop", False)]
    assert secret not in shell.run("list", "--json").stdout


def test_the_days_of_the_list_are_those_of_the_provinces_calendar(shell: Shell) -> None:
    shell.run("add", "kiosk")
    shell.run("add", "page")
    evening = datetime(2018, 8, 15, 18, 30, tzinfo=UTC)  # half past one in the morning of the province
    with shell.world.gateway.database.writing("test") as connection:
        of = sa.update(api_key).where(api_key.c.name == "kiosk")
        connection.execute(of.values(used_at=evening, revoked_at=evening))
        connection.execute(sa.update(api_key).where(api_key.c.name == "page").values(used_at=evening))
    said = [line.rpartition(", ")[2] for line in shell.run("list").stdout.splitlines()]
    assert said == ["revoked 2018-08-16", "used 2018-08-16"]


def test_a_revoked_key_opens_nothing(shell: Shell) -> None:
    secret = shell.run("add", "kiosk").stdout.strip()
    assert shell.run("revoke", "KIOSK").stdout == "KIOSK: revoked\n"
    assert not shell.opens(secret)
    assert "no key kiosk in use" in str(shell.run("revoke", "kiosk", status=1).exception)


@pytest.mark.parametrize(
    "words",
    [
        ("kiosk", "--role", "approver"),
        ("kiosk", "--role", "king"),
        ("kiosk", "--daily", "0"),
        ("kiosk", "--agency", " "),
        (),
    ],
)
def test_a_key_that_nobody_can_mean_is_refused(shell: Shell, words: tuple[str, ...]) -> None:
    shell.run("add", *words, status=2)


@pytest.mark.parametrize("name", ["a", "kiosk 2", "key:x", "ki-ốt", "a" * 65])
def test_a_name_that_is_none_is_refused(shell: Shell, name: str) -> None:
    assert "can't be a key's name" in str(shell.run("add", name, status=1).exception)


def test_two_keys_in_use_have_two_names(shell: Shell) -> None:
    shell.run("add", "kiosk")
    assert "already" in str(shell.run("add", "kiosk", status=1).exception)


def test_who_made_and_revoked_a_key_stands_in_the_log(shell: Shell) -> None:
    secret = shell.run("add", "kiosk").stdout.strip()
    shell.run("revoke", "kiosk")
    with shell.world.gateway.database.reading() as connection:
        rows = connection.execute(sa.select(audit).order_by(audit.c.number)).all()
    assert [(row.action, row.subject) for row in rows] == [("key.add", "kiosk"), ("key.revoke", "kiosk")]
    assert all(row.who.startswith("cli") for row in rows)
    assert secret not in str(rows)


def test_an_agency_without_dossiers_is_doubted_and_the_key_is_made(shell: Shell) -> None:
    done = shell.run("add", "kiosk", "--agency", "H99")
    assert "is added, but the agency H99" in done.stderr
    assert shell.opens(done.stdout.strip())
