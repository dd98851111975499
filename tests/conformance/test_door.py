"""Every provider's callbacks at the gateway's own door: the same one twice is one message, and gets the same answer."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from providers.contract import Callback
from smsgw.store import callbacks
from smsgw.store.tables import inbound, outbound, receipt
from tests.conformance.tables import PUBLIC, Table, callback, cases, table
from tests.world import World, world

CHANNEL = "x"  # as the tables have it in their paths
ROWS = {"inbound": inbound, "receipts": receipt}
NOWHERE = "http://127.0.0.1:9"


@contextmanager
def gateway(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A gateway with that provider behind the channel of its table."""
    monkeypatch.setenv("SMSGW_GATEWAY__PUBLIC_URL", PUBLIC)
    channel = {"provider": name, "sender": "8188", "tps": 10} | table(name)["config"]
    rows = "\n".join(f"{key} = {_toml(value)}" for key, value in channel.items()).replace("{carrier}", NOWHERE)
    with world(folder, more=f"[channels.{CHANNEL}]\n{rows}\n") as made:
        yield made


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(item)}" for key, item in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def knock(made: World, given: Callback) -> TestResponse:
    target = given.url.removeprefix(PUBLIC)
    return made.client.open(target, method=given.method, data=given.body, headers=dict(given.headers))


def count(made: World, what: sa.Table) -> int:
    with made.gateway.database.reading() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(what)) or 0


def good(case: Table) -> list[Table]:
    """The items of a case that can be taken, and are something by themselves."""
    return [item for item in case.get("items", ()) if not {"error", "part"} & item.keys()]


@pytest.mark.parametrize(
    ("kind", "name", "case"),
    [
        pytest.param(kind, *case.values, id=f"{kind}, {case.id}")
        for kind in ROWS
        for case in cases(kind)
        if good(case.values[1])
    ],
)
def test_the_same_callback_twice_is_taken_once_and_gets_the_same_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, name: str, case: Table
) -> None:
    given = callback(case)
    with gateway(tmp_path, name, monkeypatch) as made:
        first = knock(made, given)
        assert first.status_code == 200, first.text
        assert count(made, ROWS[kind]) == len(good(case))
        replies = count(made, outbound)
        again = knock(made, given)
        assert (count(made, ROWS[kind]), count(made, outbound)) == (len(good(case)), replies)
    # One that is told of each item what became of it hears that it was there before.
    same = again.text.replace('"duplicate"', '"accepted"') if table(name).get("tells_duplicates") else again.text
    assert (again.status_code, same, again.content_type) == (first.status_code, first.text, first.content_type)


@pytest.mark.parametrize(("name", "case"), [case for case in cases("inbound") if good(case.values[1])])
def test_no_secret_of_a_channel_and_no_phone_is_in_the_log_or_in_what_is_kept_of_a_callback(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    name: str,
    case: Table,
) -> None:
    given = callback(case)
    caplog.set_level(logging.DEBUG)
    with gateway(tmp_path, name, monkeypatch) as made:
        hidden = made.gateway.roads.channels[CHANNEL].secrets
        assert hidden
        knock(made, given)
        made.client.get(f"/carrier/{CHANNEL}/inbound?key=wrong")
        with made.gateway.database.reading() as connection:
            ids = connection.scalars(sa.select(inbound.c.id)).all()
            kept = [said for id in ids for said in callbacks.of_message(connection, id)]
    assert kept
    said = caplog.text + repr(kept)
    assert not [secret for secret in (*hidden, "912345678") if secret in said]
