"""What a carrier still takes today is seen where one looks after channels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from smsgw.checkup import examine
from smsgw.cli.main import commands
from smsgw.store import quotas
from tests.chats import Chats, chats
from tests.console import official
from tests.world import settings_text


@pytest.fixture
def anywhere(tmp_path: Path, database_url: str) -> Iterator[Chats]:
    """A world with Zalo, on either kind of database."""
    with chats(tmp_path, database_url) as made:
        yield made


def test_what_is_left_of_the_quota_is_seen_on_the_page_of_channels_by_the_command_and_by_the_doctor(
    anywhere: Chats,
) -> None:
    here = anywhere.here
    desk = official(here, "lan", "viewer")
    assert "Hạn mức" not in desk.get("/channels/")
    here.gateway.tend_accounts()
    assert "<dd>2.000<small>trong 2.000 tin của ngày" in desk.get("/channels/")
    anywhere.zalo.quota = 0
    here.gateway.tend_accounts()
    assert "<dd>2.000<small>trong 2.000 tin của ngày" in desk.get("/channels/"), "it was asked just now"
    here.clock.forward(minutes=6)
    here.gateway.tend_accounts()
    assert "<dd>0<small>trong 2.000 tin của ngày" in desk.get("/channels/")
    file = here.folder / "commands.toml"
    database = here.gateway.database.url.render_as_string(hide_password=False)
    file.write_text(settings_text(here.folder, database, "http://127.0.0.1:9"))
    said = CliRunner().invoke(commands, ["--config", str(file), "channel", "list"]).output
    assert "UTC  0 of 2000 messages of the day's quota were left" in said
    assert said.count("quota") == 1
    told = json.loads(CliRunner().invoke(commands, ["--config", str(file), "channel", "list", "--json"]).output)
    assert (told["zalo"]["quota"]["remaining"], told["sms"]["quota"]) == (0, None)
    assert examined(anywhere) == (
        False,
        "0 of 2000 messages of today's quota are left;"
        " what it would carry goes by the next channel of its route, if any",
    )
    anywhere.zalo.quota = 7
    assert examined(anywhere) == (True, "7 of 2000 messages of today's quota are left")


def examined(there: Chats) -> tuple[bool, str]:
    """What the doctor says of the channel, where the one-stop database answers in good time."""
    settings = there.here.gateway.settings
    quick = settings.onestop.model_copy(update={"time_limit": 1.5})
    findings = examine(settings.model_copy(update={"onestop": quick}))
    [(ok, detail)] = [(finding.ok, finding.detail) for finding in findings if finding.what == "channel zalo"]
    return ok, detail


@pytest.mark.parametrize("error", [-32, -124, -100])
def test_a_quota_that_is_not_told_now_stays_as_it_was_last_told(anywhere: Chats, error: int) -> None:
    anywhere.here.gateway.tend_accounts()
    anywhere.zalo.error = error
    anywhere.zalo.quota = 5
    anywhere.here.clock.forward(minutes=6)
    anywhere.here.gateway.tend_accounts()
    with anywhere.here.gateway.database.reading() as connection:
        assert quotas.every(connection)["zalo"].remaining == 2000
