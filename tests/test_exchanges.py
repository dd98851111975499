"""What was said with a carrier can be looked up for a week; and a channel can be tried out."""

from __future__ import annotations

import json

import sqlalchemy as sa
from click.testing import CliRunner

from smsgw.cli.main import commands
from smsgw.store import exchanges
from smsgw.store.exchanges import Kept
from smsgw.store.history import message
from tests.world import SECRET, TOKEN, World, settings_text

PHONE = "84912345678"


def said(world: World) -> list[Kept]:
    with world.gateway.database.reading() as connection:
        (id,) = connection.scalars(sa.select(message.c.id))
        return exchanges.of_message(connection, id)


def test_the_exchange_of_a_message_can_be_looked_up_without_numbers_and_secrets(anywhere: World) -> None:
    anywhere.text(PHONE, "HELP")
    (kept,) = said(anywhere)
    assert kept.request.startswith("POST http")
    assert "84912***678" in kept.request
    assert kept.answer.startswith("200")
    assert not [hidden for hidden in (PHONE, TOKEN, SECRET) if hidden in kept.request + kept.answer]


def test_each_try_is_kept_with_what_went_wrong(anywhere: World) -> None:
    anywhere.lose_carrier()
    anywhere.carrier.text(PHONE, "HELP")
    anywhere.settle(1)
    anywhere.find_carrier()
    anywhere.settle()
    kept = said(anywhere)
    assert kept[0].answer == "no connection"
    assert kept[-1].answer.startswith("200")


def test_it_is_forgotten_after_a_week(anywhere: World) -> None:
    anywhere.text(PHONE, "HELP")
    anywhere.clock.forward(days=6.9)
    assert anywhere.gateway.sweeper.exchanges() == 0
    anywhere.clock.forward(days=0.2)
    assert anywhere.gateway.sweeper.exchanges() == 1
    assert said(anywhere) == []


def tried(world: World, *arguments: str) -> tuple[int, str]:
    file = world.folder / "settings.toml"
    database = world.gateway.database.url.render_as_string(hide_password=False)
    file.write_text(settings_text(world.folder, database, f"http://127.0.0.1:{world.web.port}"))
    result = CliRunner().invoke(commands, ["--config", str(file), "channel", "test", *arguments])
    return result.exit_code, result.output


def test_a_channel_is_tried_out_with_one_message(anywhere: World) -> None:
    status, output = tried(anywhere, "sms", "--to", "0912345678", "--text", "Thu", "--wait", "0", "--json")
    assert (status, json.loads(output)["state"]) == (0, "submitted")
    anywhere.settle()
    assert [bubble.text for bubble in anywhere.heard(PHONE)] == ["Thu"]
    assert anywhere.states() == {"delivered": 1}
    assert len(said(anywhere)) == 1


def test_a_channel_that_does_not_work_says_so_and_what_to_do(anywhere: World) -> None:
    anywhere.lose_carrier()
    status, output = tried(anywhere, "sms", "--to", PHONE, "--wait", "0")
    assert status == 1
    assert "no connection" in output
    assert "smsgw doctor" in output
    assert PHONE not in output


def test_a_channel_that_there_is_not_is_refused(here: World) -> None:
    status, output = tried(here, "none", "--to", PHONE)
    assert status == 1
    assert "expected one of sms" in output
