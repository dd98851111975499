"""Every provider that holds a line against its table: one harness, and a double that speaks over a real line."""

from __future__ import annotations

import importlib
import logging
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any, cast

import pytest
import sqlalchemy as sa
from smpplib import consts

from providers import exchanges, load
from providers.contract import (
    Accepted,
    ChannelRefused,
    Connected,
    Inbound,
    Outcome,
    Provider,
    Receipt,
    Refused,
    Rejected,
    Taken,
    Throttled,
    Unknown,
    Unreachable,
)
from providers.smpp import receipts
from providers.smpp.pdu import Pdu
from providers.smpp.session import Broken, Session
from tests.conformance import smsc
from tests.conformance.smsc import Says, Smsc, octets, submit_answer, unit
from tests.conformance.tables import Table, cases, coded, message, names, table

KINDS = {"accepted": Accepted, "rejected": Rejected, "elsewhere": Rejected, "throttled": Throttled, "unknown": Unknown}
NAMES = names("smpp")
DELIVER_SM_RESP = smsc.DELIVER_SM | smsc.RESPONSE


class Counter:
    """Takes what a line brings, or fails to. Stands for the gateway's room behind the contract."""

    def __init__(self, failing: Exception | None = None) -> None:
        self.came: list[Inbound | Receipt | Refused] = []
        self.proved: list[str] = []
        self.proof = threading.Event()
        self._failing = failing

    def messages(self, messages: Sequence[Inbound | Refused], said: str) -> Future[list[Taken]]:
        return self._taken(messages)

    def receipts(self, receipts: Sequence[Receipt | Refused], said: str) -> Future[list[Taken]]:
        return self._taken(receipts)

    def heard(self, ids: Sequence[str]) -> Future[None]:
        self.proved += ids
        self.proof.set()
        done: Future[None] = Future()
        done.set_result(None)
        return done

    def not_taken(self, refs: Sequence[str]) -> Future[None]:
        return self.heard([])

    def note(self, what: str) -> None:
        logging.getLogger("test").warning(what)

    def _taken(self, items: Sequence[Inbound | Receipt | Refused]) -> Future[list[Taken]]:
        self.came += items
        taken: Future[list[Taken]] = Future()
        if self._failing:
            taken.set_exception(self._failing)
        else:
            taken.set_result([Taken(None, "accepted") for _ in items])
        return taken


@pytest.fixture
def carrier() -> Iterator[Smsc]:
    with Smsc() as made:
        yield made


@pytest.fixture
def close() -> Iterator[Callable[[Provider], None]]:
    """Closes at the end of the test."""
    opened: list[Provider] = []
    yield opened.append
    for provider in opened:
        provider.close()


def connected(name: str, port: int, case: Table | None = None, **config: Any) -> Provider:
    module = load(name)
    values = {**table(name)["config"], "port": port, **(case or {}).get("config", {}), **config}
    return module.connect(module.Config.model_validate(values))


def submitted(name: str, carrier: Smsc, says: Says, case: Table | None = None, **config: Any) -> Outcome | None:
    """What comes of one message when the SMSC says that; None where the channel is refused."""
    carrier.says = says
    provider = connected(name, carrier.port, case, **config)
    try:
        (outcome,) = provider.submit([message(name, case)])
    except ChannelRefused:
        return None
    finally:
        provider.close()
    return outcome


def held(name: str, carrier: Smsc, counter: Counter, case: Table | None = None, **config: Any) -> Provider:
    """A provider whose line is bound."""
    provider = connected(name, carrier.port, case, **config)
    cast(Connected, provider).hold(counter)
    carrier.waits_for(smsc.BIND_TRANSCEIVER)
    return provider


@pytest.mark.parametrize(("name", "case"), cases("bind", "smpp"))
def test_a_bind_is_right_to_the_octet(name: str, case: Table, carrier: Smsc) -> None:
    provider = held(name, carrier, Counter(), case)
    assert carrier.heard[0].body == octets(case["octets"])
    provider.close()
    assert carrier.waits_for(smsc.UNBIND)


@pytest.mark.parametrize(("name", "case"), cases("request", "smpp"))
def test_what_goes_out_is_right_to_the_octet(name: str, case: Table, carrier: Smsc) -> None:
    submitted(name, carrier, submit_answer(), case)
    assert [sent.body for sent in carrier.of(smsc.SUBMIT_SM)] == [octets(part) for part in case["octets"]]


@pytest.mark.parametrize(("name", "case"), cases("answer", "smpp"))
def test_each_answer_has_its_outcome(name: str, case: Table, carrier: Smsc) -> None:
    outcome = submitted(name, carrier, submit_answer(case["status"], octets(case["octets"])), case)
    meaning = next(kind for kind in KINDS if kind in case)
    assert isinstance(outcome, KINDS[meaning]), outcome
    if isinstance(outcome, Accepted):
        assert outcome.carrier_id == (case["accepted"] or None)
    if isinstance(outcome, Rejected):
        assert (outcome.code, outcome.elsewhere) == (case[meaning], meaning == "elsewhere")


@pytest.mark.parametrize(("name", "code", "meaning"), [*coded("smpp")])
def test_each_code_of_the_carrier_has_its_outcome(name: str, code: str, meaning: str, carrier: Smsc) -> None:
    outcome = submitted(name, carrier, submit_answer(getattr(consts, f"SMPP_{code}")))
    assert outcome is None if meaning == "refused" else isinstance(outcome, KINDS[meaning]), outcome


@pytest.mark.parametrize("name", NAMES)
def test_no_code_that_a_provider_knows_is_without_its_case(name: str) -> None:
    codes = table(name)["codes"]
    assert set(importlib.import_module(f"providers.{name}").CODES) == {code for kind in codes.values() for code in kind}


GARBAGE: dict[str, Says] = {
    "HTML": lambda _: b"HTTP/1.1 400 Bad Request\r\n\r\n<html>",
    "a unit of four gigabytes": lambda _: b"\xff\xff\xff\xff" + b"\0" * 12,
    "a unit shorter than its head": lambda _: b"\0\0\0\x04" + b"\0" * 12,
    "half a unit, and the line breaks": lambda sequence: unit(smsc.SUBMIT_SM_RESP, sequence, b"1\0")[:-3],
    "an id without its end": submit_answer(0, b"1"),
    "an answer to something else": lambda sequence: unit(smsc.SUBMIT_SM_RESP, sequence + 7, b"1\0"),
    "another answer under its number": lambda sequence: unit(smsc.ENQUIRE_LINK | smsc.RESPONSE, sequence),
    "a refusal that says ESME_ROK": lambda sequence: unit(smsc.GENERIC_NACK, sequence),
    "nothing, and the line breaks": lambda _: b"",
}


@pytest.mark.parametrize("garbage", GARBAGE)
@pytest.mark.parametrize("name", NAMES)
def test_what_can_not_be_read_leaves_doubt(name: str, garbage: str, carrier: Smsc) -> None:
    carrier.hangs_up = garbage.endswith("the line breaks")
    assert isinstance(submitted(name, carrier, GARBAGE[garbage], time_limit=1), Unknown)


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_an_answer_that_does_not_come_in_time_leaves_doubt(name: str, carrier: Smsc) -> None:
    assert isinstance(submitted(name, carrier, lambda _: b"", time_limit=1), Unknown)


@pytest.mark.parametrize("name", NAMES)
def test_a_connection_that_was_never_made_carried_nothing(name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    provider = connected(name, port)
    with pytest.raises(Unreachable):
        provider.submit([message(name)])
    assert provider.fault()
    provider.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_no_host_can_have_is_said_to_be_wrong_and_nothing_was_sent(name: str) -> None:
    provider = connected(name, 2775, host="smsc..vn")
    with pytest.raises(Unreachable, match="no host"):
        provider.submit([message(name)])
    assert "no host" in (provider.fault() or "")
    provider.close()


@pytest.mark.parametrize("name", NAMES)
def test_the_doctor_s_question_sends_nothing_and_hears_what_is_wrong(name: str, carrier: Smsc) -> None:
    provider = connected(name, carrier.port)
    assert provider.fault() is None
    carrier.waits_for(smsc.UNBIND)
    assert [sent.command for sent in carrier.heard] == [smsc.BIND_TRANSMITTER, smsc.UNBIND]
    carrier.bind_status = consts.SMPP_ESME_RALYBND
    assert provider.fault() is None, "the gateway that runs holds the line"
    carrier.bind_status = consts.SMPP_ESME_RINVPASWD
    assert "ESME_RINVPASWD" in (provider.fault() or "")
    with pytest.raises(ChannelRefused):
        provider.submit([message(name)])
    assert not carrier.of(smsc.SUBMIT_SM)
    provider.close()


@pytest.mark.parametrize(
    ("kind", "name", "case"),
    [
        pytest.param(kind, *case.values, id=f"{kind}, {case.id}")
        for kind in ("inbound", "receipts")
        for case in cases(kind, "smpp")
    ],
)
def test_each_unit_is_read_and_answered(kind: str, name: str, case: Table, carrier: Smsc) -> None:
    counter = Counter()
    provider = held(name, carrier, counter, case)
    carrier.send(unit(smsc.DELIVER_SM, 77, octets(case["octets"])))
    refused = case.get("answered")
    if refused == "ESME_RINVCMDLEN":
        answer = carrier.waits_for(smsc.GENERIC_NACK)
    else:
        answer = carrier.waits_for(DELIVER_SM_RESP)
    assert (answer.sequence, answer.status) == (77, getattr(consts, f"SMPP_{refused}") if refused else 0)
    provider.close()
    assert [plain(item) for item in counter.came if not isinstance(item, Refused)] == [
        expected(item) for item in case.get("items", ())
    ]


def expected(item: dict[str, Any]) -> dict[str, Any]:
    if (text := item.pop("text_utf16", None)) is not None:
        item["text"] = bytes.fromhex(text).decode("utf-16-be", "surrogatepass")
    return item


def plain(item: Inbound | Receipt) -> dict[str, Any]:
    """What an item says, less what is ours."""
    if isinstance(item, Inbound):
        part = item.part and [item.part.reference, item.part.count, item.part.number]
        said: dict[str, Any] = {"sender": item.sender, "recipient": item.recipient, "text": item.text, "part": part}
    else:
        at = item.at and item.at.isoformat()
        said = {"carrier_id": item.carrier_id, "status": item.status, "error_code": item.error_code, "at": at}
    return {key: value for key, value in said.items() if value is not None}


RECEIPT = "00 01 01 '84912345678' 00 03 00 '8188' 00 04 00 00 00 00 00 00 00 00 "


@pytest.mark.parametrize("name", NAMES)
def test_every_status_of_receipts_that_there_is_is_read(name: str, carrier: Smsc) -> None:
    words, states = table(name)["words"], {int(state): status for state, status in table(name)["states"].items()}
    assert {word[:5] for word in words} == set(receipts.WORDS)
    assert states.keys() == receipts.STATES.keys()
    counter = Counter()
    provider = held(name, carrier, counter)
    for sequence, word in enumerate(words, 1):
        said = f"id:7 stat:{word}"
        carrier.send(unit(smsc.DELIVER_SM, sequence, octets(f"{RECEIPT} {len(said):02X} '{said}'")))
    for state in states:
        carrier.send(unit(smsc.DELIVER_SM, 100 + state, octets(f"{RECEIPT} 00 001E 0002 '7' 00 0427 0001 {state:02X}")))
    carrier.waits_for(DELIVER_SM_RESP, len(words) + len(states))
    provider.close()
    came = [item.status for item in counter.came if isinstance(item, Receipt)]
    assert came == [*words.values(), *states.values()]


HS = octets("00 01 01 '84912345678' 00 03 00 '8188' 00 00 00 00 00 00 00 00 00 00 02 'HS'")


@pytest.mark.parametrize("name", NAMES)
def test_what_could_not_be_stored_is_to_be_brought_again(name: str, carrier: Smsc) -> None:
    provider = held(name, carrier, Counter(sa.exc.OperationalError("COMMIT", None, Exception("full"))))
    carrier.send(unit(smsc.DELIVER_SM, 1, HS))
    assert carrier.waits_for(DELIVER_SM_RESP).status == consts.SMPP_ESME_RX_T_APPN
    provider.close()


@pytest.mark.parametrize("name", NAMES)
def test_what_comes_right_behind_the_bind_is_not_lost(name: str, carrier: Smsc) -> None:
    counter = Counter()
    carrier.greets = unit(smsc.DELIVER_SM, 1, HS)
    provider = held(name, carrier, counter)
    assert carrier.waits_for(DELIVER_SM_RESP).status == 0
    provider.close()
    assert len(counter.came) == 1


@pytest.mark.parametrize("name", NAMES)
def test_an_acknowledgement_counts_when_the_smsc_has_surely_read_it(name: str, carrier: Smsc) -> None:
    counter = Counter()
    carrier.answers_enquiries = False
    provider = held(name, carrier, counter)
    carrier.send(unit(smsc.DELIVER_SM, 1, HS))
    asked = carrier.waits_for(smsc.ENQUIRE_LINK)
    assert not counter.proved
    carrier.send(unit(smsc.ENQUIRE_LINK | smsc.RESPONSE, asked.sequence))
    assert counter.proof.wait(10)
    (item,) = counter.came
    assert isinstance(item, Inbound)
    assert counter.proved == [item.id]
    provider.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_line_that_is_silent_is_bound_anew(name: str, carrier: Smsc, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"providers.{name}.line.FIRST_PAUSE", 0.01)
    carrier.answers_enquiries = False
    provider = held(name, carrier, Counter(), enquire_link=0.05, time_limit=1)
    assert carrier.waits_for(smsc.BIND_TRANSCEIVER, 2)
    provider.close()


@pytest.mark.parametrize("name", NAMES)
def test_no_more_than_the_window_is_unanswered(name: str, carrier: Smsc, close: Callable[[Provider], None]) -> None:
    carrier.says = lambda _: b""
    provider = connected(name, carrier.port, window=3, time_limit=5)
    close(provider)
    outcomes: list[Outcome] = []
    caller = threading.Thread(target=lambda: outcomes.extend(provider.submit([message(name)] * 5)))
    caller.start()
    first = carrier.waits_for(smsc.SUBMIT_SM, 3)
    carrier.send(unit(smsc.ENQUIRE_LINK, 9))
    carrier.waits_for(smsc.ENQUIRE_LINK | smsc.RESPONSE)
    assert len(carrier.of(smsc.SUBMIT_SM)) == 3
    carrier.says = submit_answer()
    for sent in (first.sequence - 2, first.sequence - 1, first.sequence):
        carrier.send(unit(smsc.SUBMIT_SM_RESP, sent, b"1\0"))
    caller.join(10)
    assert outcomes == [Accepted("1")] * 5


@pytest.mark.parametrize("name", NAMES)
def test_no_secret_is_printed_logged_or_kept(name: str, carrier: Smsc, caplog: pytest.LogCaptureFixture) -> None:
    secret = table(name)["config"]["password"]
    caplog.set_level(logging.DEBUG)
    with exchanges.listening() as heard:
        provider = held(name, carrier, Counter())
        shown = repr(provider.submit([message(name)]))
        provider.close()
        carrier.bind_status = consts.SMPP_ESME_RINVPASWD
        shown += repr(submitted(name, carrier, submit_answer()))
    module = load(name)
    shown += repr(module.Config.model_validate({**table(name)["config"]})) + caplog.text + repr(heard)
    assert [bool(exchange.request and exchange.answer) for exchange in heard] == [True, True]
    assert secret not in shown
    assert secret.encode().hex() not in shown


def test_what_an_smsc_never_answers_is_forgotten_when_it_answers_something_later() -> None:
    ours, theirs = socket.socketpair()
    session = Session(ours)
    unanswered = [session.request("enquire_link") for _ in range(3)]
    session.reply("deliver_sm_resp", 1, acknowledges="first")
    assert session.surely_read(session.request("enquire_link")) == ["first"]
    assert not session._marks
    assert [session.surely_read(late) for late in unanswered] == [[], [], []]
    session.close()
    theirs.close()


def test_what_was_said_before_a_line_broke_counts() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.sendall(unit(smsc.ENQUIRE_LINK | smsc.RESPONSE, 7) * 2)
    session = Session(ours)
    assert [said.sequence for said in session.turn(1.0) if isinstance(said, Pdu)] == [7, 7]
    with pytest.raises(Broken, match="hung up"):
        session.turn(1.0)
    session.close()
