"""A gateway whose channel is a line, against an SMSC of plain sockets: what only their timing brings out."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from smpplib import consts

from smsgw.dispatch.sender import Sender
from smsgw.gateway import Gateway
from smsgw.intake.receiver import LineReceiver
from smsgw.store import outbox
from smsgw.store.states import State
from smsgw.store.tables import Lane, inbound, outbound
from tests.conformance import smsc
from tests.conformance.smsc import Smsc, octets, unit
from tests.kannel import until
from tests.world import World, settings, sqlite_with_tables

LINE = """
[channels.line]
provider = "smpp"
host = "127.0.0.1"
port = {port}
system_id = "smsgw"
password = "pass&77"
sender = "8188"
tps = 50
time_limit = 0.5
[quiet_hours]
start = "00:00"
end = "00:00"
"""


@pytest.fixture
def carrier() -> Iterator[Smsc]:
    with Smsc() as made:
        yield made


@pytest.fixture
def gateway(tmp_path: Path, carrier: Smsc) -> Iterator[Gateway]:
    made = Gateway(settings(tmp_path, sqlite_with_tables(tmp_path), more=LINE.format(port=carrier.port)))
    yield made
    made.stop()


def queued(gateway: Gateway, lane: Lane = Lane.REPLY, by: str = "line") -> str:
    """A message that waits to be sent; its id."""
    now = gateway.clock()
    message = gateway.channels[by].message(lane, "84912345678", "Ho so", now, now + timedelta(hours=1))
    with gateway.database.writing("test") as connection:
        outbox.add(connection, [message])
    return message.id


def test_what_waited_for_the_start_goes_out_by_a_line_that_also_hears(
    gateway: Gateway, carrier: Smsc, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = Sender.start

    def quick(sender: Sender) -> None:
        sender.send_due()  # as a thread may do before the one that started it goes on
        start(sender)

    monkeypatch.setattr(Sender, "start", quick)
    queued(gateway)
    gateway.start(["worker"])
    carrier.waits_for(smsc.SUBMIT_SM)
    assert carrier.heard[0].command == smsc.BIND_TRANSCEIVER


def test_a_carrier_that_answers_too_late_ends_the_doubt_and_its_receipt_finds_the_message(
    gateway: Gateway, carrier: Smsc
) -> None:
    carrier.says = lambda _: b""
    id = queued(gateway)
    gateway.start(["worker"])
    sent = carrier.waits_for(smsc.SUBMIT_SM)
    until(lambda: state(gateway, id) == "unknown", "doubt")
    carrier.send(unit(smsc.SUBMIT_SM_RESP, sent.sequence, b"77\0"))
    until(lambda: state(gateway, id) == "submitted", "the answer")
    receipt = octets("00 01 01 '84912345678' 00 03 00 '8188' 00 04 00 00 00 00 00 00 00 00 12 'id:77 stat:DELIVRD'")
    carrier.send(unit(smsc.DELIVER_SM, 1, receipt))
    until(lambda: state(gateway, id) == "delivered", "the receipt")
    assert len(carrier.of(smsc.SUBMIT_SM)) == 1


@pytest.mark.long
@pytest.mark.parametrize("status", [consts.SMPP_ESME_RMSGQFUL, consts.SMPP_ESME_RTHROTTLED])
def test_a_carrier_that_says_later_too_late_ends_the_doubt_and_gets_the_message_again(
    gateway: Gateway, carrier: Smsc, status: int
) -> None:
    carrier.says = lambda _: b""
    id = queued(gateway, Lane.NOTICE)
    gateway.start(["worker"])
    sent = carrier.waits_for(smsc.SUBMIT_SM)
    until(lambda: state(gateway, id) == "unknown", "doubt")
    carrier.says = smsc.submit_answer()
    carrier.send(unit(smsc.SUBMIT_SM_RESP, sent.sequence, status=status))
    until(lambda: state(gateway, id) == "submitted", "the second try")
    assert len(carrier.of(smsc.SUBMIT_SM)) == 2


@pytest.mark.parametrize(("doubts", "after"), [(1, "queued"), (2, "unknown")])
def test_what_is_said_of_one_try_ends_no_doubt_of_another(anywhere: World, doubts: int, after: str) -> None:
    gateway = anywhere.gateway
    id, now = queued(gateway, by="sms"), gateway.clock()
    with gateway.database.writing("test") as connection:
        doubted = {"state": "unknown", "doubts": doubts, "attempts": doubts, "tried_at": now}
        connection.execute(sa.update(outbound).values(doubted))
    receiver = LineReceiver(gateway.database, gateway.channels["sms"], gateway.intake, gateway.reports, gateway.clock)
    receiver.not_taken([id]).result(10)
    assert state(gateway, id) == after
    receiver.not_taken([id, "another"]).result(10)
    assert state(gateway, id) == after


@pytest.mark.parametrize(("doubts", "after"), [(0, "queued"), (1, "unknown")])
def test_a_carrier_that_says_later_before_the_doubt_is_written_down_leaves_none(
    anywhere: World, doubts: int, after: str
) -> None:
    gateway = anywhere.gateway
    id, now = queued(gateway, by="sms"), gateway.clock()
    until = now + timedelta(minutes=1)
    with gateway.database.writing("test") as connection:
        connection.execute(sa.update(outbound).values(doubts=doubts, tried_at=now))
        (claimed,) = outbox.claim(connection, "sms", [Lane.REPLY], 1, lease="ours", until=until, now=now)
    receiver = LineReceiver(gateway.database, gateway.channels["sms"], gateway.intake, gateway.reports, gateway.clock)
    receiver.not_taken([id]).result(10)
    with gateway.database.writing("test") as connection:
        doubt = outbox.Settled(claimed, State.UNKNOWN, until, outcome="unknown", detail="no answer")
        outbox.settle(connection, "sms", "ours", [doubt], now)
    assert state(gateway, id) == after


def test_a_text_that_was_stored_though_the_database_failed_is_answered_once_when_it_comes_again(
    gateway: Gateway, carrier: Smsc
) -> None:
    failed = threading.Event()

    def lost(name: str, side: str) -> None:
        if (name, side) == ("accept", "after") and not failed.is_set():
            failed.set()
            raise sa.exc.OperationalError("COMMIT", None, Exception("the server hung up"))

    gateway.database.boundary = lost
    gateway.start()
    carrier.waits_for(smsc.BIND_TRANSCEIVER)
    text = octets("00 01 01 '84912345678' 00 03 00 '8188' 00 00 00 00 00 00 00 00 00 00 04 'HELP'")
    for sequence, status in ((1, consts.SMPP_ESME_RX_T_APPN), (2, consts.SMPP_ESME_ROK)):
        carrier.send(unit(smsc.DELIVER_SM, sequence, text))
        assert carrier.waits_for(smsc.DELIVER_SM | smsc.RESPONSE, sequence).status == status
    carrier.waits_for(smsc.SUBMIT_SM)
    with gateway.database.reading() as connection:
        assert connection.scalars(sa.select(inbound.c.text)).all() == ["HELP"]
        assert connection.scalar(sa.select(sa.func.count()).select_from(outbound)) == 1


def state(gateway: Gateway, id: str) -> str | None:
    with gateway.database.reading() as connection:
        return connection.scalar(sa.select(outbound.c.state).where(outbound.c.id == id))
