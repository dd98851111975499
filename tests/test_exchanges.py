"""What was said with a carrier can be looked up for a week; and a channel can be tried out."""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, unquote_plus, urlencode
from xml.sax.saxutils import escape

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from providers.aggregator import sign
from providers.exchanges import MASK, OF_MANY, OF_ONE, keeping, listening
from smsgw.cli.main import commands
from smsgw.store import audit, callbacks, exchanges
from smsgw.store.exchanges import Kept
from smsgw.store.history import message
from smsgw.text.excerpt import about
from tests.world import SECRET, TOKEN, World, settings_text, world

PHONE = "84912345678"


def called(world: World, id: str) -> list[callbacks.Kept]:
    """What the carrier called us with about a message of ours."""
    with world.gateway.database.reading() as connection:
        return callbacks.of_message(connection, id)


def sent_to(world: World, phone: str) -> str:
    """Our id of the one message to a phone."""
    with world.gateway.database.reading() as connection:
        id: str = connection.scalars(sa.select(message.c.id).where(message.c.recipient == phone)).one()
        return id


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


def test_what_brought_a_text_and_its_receipt_is_kept_too(anywhere: World) -> None:
    anywhere.text(PHONE, "HELP")
    text, receipt = called(anywhere, sent_to(anywhere, PHONE))
    assert "/carrier/sms/inbound\n" in text.request
    assert '"HELP"' in text.request
    assert '"accepted"' in text.answer
    assert "/carrier/sms/receipts\n" in receipt.request
    assert '"delivered"' in receipt.request
    assert text.at < receipt.at
    assert PHONE not in text.request
    assert "84912***678" in text.request


def many(world: World, count: int) -> list[str]:
    """So many phones ask in one call, and are answered in one; their numbers."""
    phones = [f"8491234{number:04}" for number in range(5678, 5678 + count)]
    items = [
        {"id": f"mo-{number}", "from": phone, "to": "8188", "text": f"HELP {number}"}
        for number, phone in enumerate(phones)
    ]
    body = json.dumps({"messages": items}).encode()
    headers = {"X-Signature": sign(SECRET.encode(), body, int(world.clock().timestamp()))}
    assert world.client.post("/carrier/sms/inbound", data=body, headers=headers).status_code == 200
    world.settle()
    return phones


def test_nobody_reads_what_was_said_of_others_in_the_same_call(anywhere: World) -> None:
    id = sent_to(anywhere, many(anywhere, 5)[3])
    with anywhere.gateway.database.reading() as connection:
        went, came = exchanges.of_message(connection, id), callbacks.of_message(connection, id)
    assert (len(went), len(came)) == (1, 2)
    shown = "\n".join([one.request + one.answer for one in went] + [one.request + one.answer for one in came])
    assert ('"HELP 3"' in shown, '"mo-3"' in shown, "84912***681" in shown) == (True, True, True)
    others = [(number, f"84912***{678 + number}") for number in (0, 1, 2, 4)]
    assert not [number for number, masked in others if f"HELP {number}" in shown or masked in shown]


@pytest.mark.parametrize("odd", ["\x1d", "\x1e", "\x1f", "\n"], ids=ascii)
def test_an_odd_name_in_a_call_hides_nothing_of_what_came_with_it(here: World, odd: str) -> None:
    refused = {"id": f"mo{odd}2", "from": "84987654321"}
    good = {"id": "mo-1", "from": PHONE, "to": "8188", "text": "HELP"}
    body = json.dumps({"messages": [refused, good]}).encode()
    headers = {"X-Signature": sign(SECRET.encode(), body, int(here.clock().timestamp()))}
    assert here.client.post("/carrier/sms/inbound", data=body, headers=headers).status_code == 200
    here.settle()
    text, _ = called(here, sent_to(here, PHONE))
    assert '"HELP"' in text.request
    assert "84987" not in text.request


def test_each_of_a_hundred_in_one_call_is_seen_in_its_own_trace(anywhere: World) -> None:
    phones = many(anywhere, 100)
    for phone in (phones[0], phones[50], phones[-1]):
        id = sent_to(anywhere, phone)
        with anywhere.gateway.database.reading() as connection:
            [went] = exchanges.of_message(connection, id)
        assert f'"ref":"{id}"' in went.request
        assert f"84912***{phone[-3:]}" in went.request
        assert phone not in went.request
        assert f'"ref":"{id}","status":"accepted"' in went.answer
        assert went.request.count('"ref"') == went.answer.count('"ref"') == 1


def test_of_the_calls_that_a_batch_took_those_about_a_message_are_seen_in_its_trace(
    anywhere: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.simulator.web.MOST_MESSAGES", 1)  # so that all calls of more are refused
    id = sent_to(anywhere, many(anywhere, 4)[2])
    with anywhere.gateway.database.reading() as connection:
        went = exchanges.of_message(connection, id)
    assert [call.answer[:3] for call in went] == ["400", "400", "200"]
    assert not [call for call in went if f'"ref":"{id}"' not in call.request]


@pytest.mark.parametrize(("ref", "longest"), [("a-ref", OF_ONE), (None, OF_MANY)])
def test_of_what_a_carrier_answers_no_more_is_kept_than_can_be_of_use(ref: str | None, longest: int) -> None:
    secret = "secret-1"
    with listening() as heard, keeping(ref, [secret]) as kept:
        kept.asked("GET", "http://carrier", None)
        kept.answered(500, b"x" * (longest - 8) + secret.encode() + b"y" * longest)
    # The secret would have been halved by the cut.
    assert heard[0].answer == f"500\n{'x' * (longest - 8)}***y ..."


SPELT: dict[str, Callable[[str], str]] = {
    "an address": lambda secret: quote(secret, safe=""),
    "an address, slashes as they are": quote,
    "an address in lower case": lambda secret: re.sub("%..", lambda sign: sign[0].lower(), quote(secret)),
    "a form": lambda secret: urlencode({"key": secret}),
    "an address in a form": lambda secret: urlencode({"callback": f"http://x?{urlencode({'key': secret})}"}),
    "an address in JSON": lambda secret: json.dumps({"callback": f"http://x?{urlencode({'key': secret})}"}),
    "JSON": lambda secret: json.dumps({"key": secret}),
    "JSON in UTF-8": lambda secret: json.dumps({"key": secret}, ensure_ascii=False),
    "XML": escape,
    "HTML": html.escape,
    "base64": lambda secret: b64encode(secret.encode()).decode(),
}


@pytest.mark.parametrize("where", SPELT)
@pytest.mark.parametrize("secret", ["plain-7781", "p@ss wört/d", "a\"b&c<d'e", "50%+x=&y"])
def test_a_secret_is_masked_however_a_wire_format_writes_it(where: str, secret: str) -> None:
    with listening() as heard, keeping("a-ref", [secret]) as kept:
        kept.asked("GET", "http://carrier", f"<{SPELT[where](secret)}>")
    said = heard[0].request
    assert MASK in said
    read = html.unescape(unquote_plus(unquote_plus(said)))
    assert not [secret for form in (said, read) if secret in form]
    assert len(said.partition("<")[2]) < len("callback=http%3A%2F%2Fx%3Fkey%3D") + len(MASK) + 10


def test_the_key_in_an_address_is_not_kept(tmp_path: Path) -> None:
    more = """
[channels.kannel]
provider = "kannel"
callback_url = "http://127.0.0.1:9/carrier/kannel"
username = "smsgw"
password = "hide-this"
key = "hide this too"
sender = "8189"
tps = 10
"""
    with world(tmp_path, more=more) as here:
        query = {"key": "hide this too", "id": "m1", "from": PHONE, "to": "8189", "text": "HELP", "coding": "0"}
        answer = here.client.get("/carrier/kannel/inbound", query_string=query)
        (kept,) = called(here, sent_to(here, PHONE))
        # The reply went in the body of the answer, so this is all that was said of it.
        assert kept.answer == f"200\n{answer.get_data(as_text=True)}"
        assert "key=***&" in kept.request
        assert not [hidden for hidden in ("hide", PHONE) if hidden in kept.request]


@pytest.mark.parametrize(
    ("document", "shown"),
    [
        ('POST /x\n{"a": [{"id": "1", "b": {"c": "}"}}, {"id": "2"}]}', 'POST /x\n…\n{"id": "1", "b": {"c": "}"}}\n…'),
        ('POST /x\n{"a": [{"id": 1}, {"id": 12}]}', 'POST /x\n…\n{"id": 1}\n…'),
        ('POST /x\n{"a": [{"id": "1", "text": "cut aw', "POST /x\n…"),
        ("POST /x\n<a>1</a>", "POST /x\n…"),
        ("no connection", "no connection"),
    ],
)
def test_of_a_call_about_many_only_the_part_about_one_is_shown(document: str, shown: str) -> None:
    assert about(document, {"1"}) == shown


@pytest.mark.parametrize("written", [int, str])
@pytest.mark.parametrize(("name", "shown"), [("2", ["2"]), ("3", ["3"]), ("7", [])])
def test_a_number_around_all_of_a_call_that_is_the_same_as_a_name_shows_no_others(
    written: type[int] | type[str], name: str, shown: list[str]
) -> None:
    items = {id: {"id": written(id), "by": {"name": "x"}} for id in ("2", "3")}
    call = {"count": 2, "most": 3, "left": 7, "results": [*items.values()]}
    parts = about(f"POST /x\n{json.dumps(call)}", {name}, {"2", "3", "7"} - {name}).split("\n…")[1:-1]
    assert [json.loads(part) for part in parts] == [items[id] for id in shown]


def test_a_number_beside_another_name_that_is_the_same_as_ones_own_does_not_show_that_one() -> None:
    ours, theirs = '{"id": "3", "text": "y"}', '{"id": "2", "parts": 3, "text": "3 o"}'
    assert about(f"POST /x\n[{theirs}, {ours}]", {"3"}) == f"POST /x\n…\n{ours}\n…"


def test_of_an_answer_that_is_only_about_others_nothing_is_shown() -> None:
    call = callbacks.Callback(["1", "3"], "POST /x\n", 'x\n{"count": 1, "replies": [{"id": "3", "text": "y"}]}')
    assert callbacks._part(call, ["1"], call.answer) == "x\n…"


def test_it_is_forgotten_after_a_week(anywhere: World) -> None:
    anywhere.text(PHONE, "HELP")
    anywhere.clock.forward(days=6.9)
    assert anywhere.gateway.sweeper.traces() == 0
    anywhere.clock.forward(days=0.2)
    assert anywhere.gateway.sweeper.traces() == 3
    assert said(anywhere) == []
    assert called(anywhere, sent_to(anywhere, PHONE)) == []


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
    with anywhere.gateway.database.reading() as connection:
        (entry,) = audit.latest(connection)
    assert (entry.who[:4], entry.action, entry.subject) == ("cli:", "channel.test", "sms")
    assert json.loads(entry.detail) == {"to": "84912***678"}
    assert len(said(anywhere)) == 1


def test_a_channel_that_does_not_work_says_so_and_what_to_do(anywhere: World) -> None:
    anywhere.lose_carrier()
    status, output = tried(anywhere, "sms", "--to", PHONE, "--wait", "0")
    assert status == 1
    assert "no connection" in output
    assert "smsgw doctor" in output
    assert PHONE not in output


def test_what_became_of_a_trial_is_said_as_it_is(here: World) -> None:
    here.lose_carrier()
    assert "not taken; a running worker tries it again for 10 minutes" in tried(here, "sms", "--to", PHONE)[1]
    here.find_carrier()
    here.carrier.faults.error_500 = 1
    assert "the carrier may have it or not: look at the phone" in tried(here, "sms", "--to", PHONE, "--wait", "0")[1]


def test_a_channel_that_there_is_not_is_refused(here: World) -> None:
    status, output = tried(here, "none", "--to", PHONE)
    assert status == 1
    assert "expected one of sms" in output
