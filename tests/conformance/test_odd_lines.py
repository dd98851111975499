"""SMSCs that do what no specification has: nothing counts as sent that is not, and nothing goes twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from smpplib import consts

from providers.contract import Accepted, Inbound, Receipt, Refused, Rejected, Taken, Throttled, Unknown, Unreachable
from providers.smpp.pdu import Pdu, Unreadable
from providers.smpp.session import Session, Way
from tests.conformance import smsc
from tests.conformance.smsc import Smsc, submit_answer, unit
from tests.conformance.tables import message, names
from tests.conformance.test_lines import DELIVER_SM_RESP, HS, Counter, connected, held
from tests.kannel import until

NAMES = names("smpp")


@pytest.fixture
def carrier() -> Iterator[Smsc]:
    with Smsc() as made:
        yield made


@pytest.mark.parametrize("name", NAMES)
def test_an_smsc_that_takes_leave_still_answers_what_it_was_given(name: str, carrier: Smsc) -> None:
    carrier.says = lambda sequence: unit(smsc.UNBIND, 99) + unit(smsc.SUBMIT_SM_RESP, sequence, b"1\0")
    provider = connected(name, carrier.port)
    assert provider.submit([message(name)]) == [Accepted("1")]
    carrier.waits_for(smsc.UNBIND | smsc.RESPONSE)
    assert carrier.waits_for(smsc.BIND_TRANSMITTER, 2), "and is bound to again"
    provider.close()


@pytest.mark.parametrize("answered", [0, 1])
@pytest.mark.parametrize("name", NAMES)
def test_what_was_not_sent_before_the_smsc_hung_up_is_not_in_doubt(
    name: str, answered: int, carrier: Smsc, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers all that it has and goes, while the next ones wait for a place or already for the socket."""
    turn, gone = Session.turn, threading.Event()

    def parting(session: Session, seconds: float) -> list[Pdu | Unreadable]:
        if not gone.is_set() and session._sequence == 4 + answered and bool(session._out) == bool(answered):
            first = carrier.waits_for(smsc.SUBMIT_SM, 3).sequence - 2
            answers = [unit(smsc.SUBMIT_SM_RESP, first + number, b"1\0") for number in range(answered, 3)]
            carrier.send(b"".join(answers))
            carrier.hang_up()
            gone.set()
        return turn(session, seconds)

    monkeypatch.setattr(Session, "turn", parting)
    carrier.says = lambda sequence: b"" if len(carrier.of(smsc.SUBMIT_SM)) >= answered else submit_answer()(sequence)
    provider = connected(name, carrier.port, window=3)
    outcomes = provider.submit([message(name)] * 5)
    provider.close()
    assert outcomes[:3] == [Accepted("1")] * 3
    assert all(isinstance(outcome, Throttled) for outcome in outcomes[3:]), outcomes


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_counts_though_garbage_comes_behind_it(name: str, carrier: Smsc) -> None:
    carrier.says = lambda sequence: unit(smsc.SUBMIT_SM_RESP, sequence, b"1\0") + b"HTTP/1.1 502 Bad Gateway"
    provider = connected(name, carrier.port)
    assert provider.submit([message(name)]) == [Accepted("1")]
    provider.close()


@pytest.mark.parametrize("name", NAMES)
def test_what_an_smsc_answers_before_it_lets_us_go_leaves_no_doubt(
    name: str, carrier: Smsc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"providers.{name}.line.GRACE", 0.0)
    answer, carrier.says = carrier._answer, lambda _: b""

    def at_last(heard: smsc.Unit) -> bytes:
        if heard.command == smsc.UNBIND:
            carrier.send(unit(smsc.SUBMIT_SM_RESP, carrier.of(smsc.SUBMIT_SM)[0].sequence, b"1\0"))
        return answer(heard)

    monkeypatch.setattr(carrier, "_answer", at_last)
    provider = connected(name, carrier.port)
    caller = ThreadPoolExecutor(1).submit(provider.submit, [message(name)])
    carrier.waits_for(smsc.SUBMIT_SM)
    provider.close()
    assert caller.result() == [Accepted("1")]


LONG = {"text": "Ho so " * 50}  # two parts


@pytest.mark.long
@pytest.mark.parametrize("status", ["ESME_RSYSERR", "ESME_RTHROTTLED"])
@pytest.mark.parametrize("name", NAMES)
def test_a_part_that_is_put_off_comes_again_after_a_pause_and_not_at_once(
    name: str, status: str, carrier: Smsc
) -> None:
    later = submit_answer(getattr(consts, f"SMPP_{status}"))
    carrier.says = lambda sequence: (later if len(carrier.of(smsc.SUBMIT_SM)) else submit_answer())(sequence)
    provider = connected(name, carrier.port, time_limit=60)
    caller = ThreadPoolExecutor(1).submit(provider.submit, [message(name, {"message": LONG})])
    carrier.waits_for(smsc.SUBMIT_SM, 3)
    carrier.says = submit_answer()
    assert isinstance(caller.result()[0], Accepted)
    # The third try may have been put off, too, before this was said; without a pause there were thousands by now.
    assert len(carrier.of(smsc.SUBMIT_SM)) <= 4
    provider.close()


@pytest.mark.parametrize("name", NAMES)
def test_what_waited_for_a_line_that_was_not_bound_in_time_was_not_sent(
    name: str, carrier: Smsc, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound = threading.Event()
    bind = Session.bind

    def slow(session: Session, command: str, way: Way) -> None:
        bound.wait(30)
        bind(session, command, way)

    monkeypatch.setattr(Session, "bind", slow)
    monkeypatch.setattr(f"providers.{name}.line.GRACE", 0.0)
    provider = connected(name, carrier.port, time_limit=0.2)
    with pytest.raises(Unreachable, match="not bound"):
        provider.submit([message(name)])
    bound.set()
    carrier.waits_for(smsc.BIND_TRANSMITTER)
    provider.close()
    assert not carrier.of(smsc.SUBMIT_SM)


@pytest.mark.parametrize("command", [smsc.GENERIC_NACK, smsc.ENQUIRE_LINK | smsc.RESPONSE])
@pytest.mark.parametrize("name", NAMES)
def test_a_bind_that_something_else_answers_is_none(name: str, command: int, carrier: Smsc) -> None:
    carrier.bind_answer = command
    provider = connected(name, carrier.port)
    assert "answers a bind with" in (provider.fault() or "")
    with pytest.raises(Unreachable):
        provider.submit([message(name)])
    provider.close()


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_that_comes_too_late_is_reported(name: str, carrier: Smsc) -> None:
    counter = Counter()
    carrier.says = lambda _: b""
    provider = held(name, carrier, counter, time_limit=0.2, answer_ids="hexadecimal")
    taken, refused = message(name), message(name)._replace(ref="01900000-0000-7000-8000-000000000002")
    assert all(isinstance(outcome, Unknown) for outcome in provider.submit([taken, refused]))
    first, second = (carrier.waits_for(smsc.SUBMIT_SM, count) for count in (1, 2))
    carrier.send(unit(smsc.SUBMIT_SM_RESP, first.sequence, b"1A\0"))
    carrier.send(unit(smsc.SUBMIT_SM_RESP, first.sequence, b"1A\0"))  # what is said twice is heard once
    carrier.send(unit(smsc.SUBMIT_SM_RESP, second.sequence, status=consts.SMPP_ESME_RINVDSTADR))
    until(lambda: len(counter.came) == 2, "both answers")
    provider.close()
    assert counter.came == [
        Receipt(taken.ref, "26", "buffered"),
        Receipt(refused.ref, None, "rejected", "ESME_RINVDSTADR"),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_the_parts_of_a_message_in_doubt_keep_their_names_until_all_have_one(name: str, carrier: Smsc) -> None:
    counter = Counter()
    carrier.says = lambda sequence: b"" if carrier.of(smsc.SUBMIT_SM) else submit_answer(0, b"7\0")(sequence)
    provider = held(name, carrier, counter, time_limit=0.5)
    (outcome,) = provider.submit([message(name, {"message": LONG})])
    assert isinstance(outcome, Unknown)
    assert outcome.parts == ("7", None)
    carrier.send(unit(smsc.SUBMIT_SM_RESP, carrier.waits_for(smsc.SUBMIT_SM, 2).sequence, b"8\0"))
    until(lambda: counter.came, "the answer")
    provider.close()
    assert counter.came == [Receipt(message(name).ref, None, "buffered", parts=("7", "8"))]


@pytest.mark.parametrize("taken", [0, 1])
@pytest.mark.parametrize("name", NAMES)
def test_a_text_of_which_one_part_was_taken_goes_by_no_other_carrier(name: str, taken: int, carrier: Smsc) -> None:
    refusal = submit_answer(consts.SMPP_ESME_RINVSRCADR)
    carrier.says = lambda sequence: (refusal if len(carrier.of(smsc.SUBMIT_SM)) >= taken else submit_answer())(sequence)
    provider = connected(name, carrier.port, codes={"ESME_RINVSRCADR": "elsewhere"})
    (outcome,) = provider.submit([message(name, {"message": LONG})])
    provider.close()
    assert isinstance(outcome, Rejected)
    assert outcome.elsewhere == (taken == 0)


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_a_part_that_is_put_off_keeps_nobody_else_waiting(
    name: str, carrier: Smsc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"providers.{name}.line.THROTTLE_PAUSE", 3600.0)
    later = submit_answer(consts.SMPP_ESME_RSYSERR)
    carrier.says = lambda sequence: (later if len(carrier.of(smsc.SUBMIT_SM)) == 1 else submit_answer())(sequence)
    provider = connected(name, carrier.port, time_limit=2)
    caller = ThreadPoolExecutor(1).submit(provider.submit, [message(name, {"message": LONG})])
    carrier.waits_for(smsc.SUBMIT_SM, 2)
    carrier.send(unit(smsc.ENQUIRE_LINK, 9))
    carrier.waits_for(smsc.ENQUIRE_LINK | smsc.RESPONSE)  # it has also read what was said before
    assert provider.submit([message(name)]) == [Accepted("1")]
    assert isinstance(caller.result()[0], Throttled)
    provider.close()


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_that_was_there_in_time_counts_however_long_we_did_not_run(
    name: str, carrier: Smsc, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine that is put to sleep wakes up past every limit, with the answers in its sockets."""
    turn, slept = Session.turn, threading.Event()

    def drowsy(session: Session, seconds: float) -> list[Pdu | Unreadable]:
        units = turn(session, seconds)
        if not slept.is_set() and session._sequence > 1 and not session._out:
            carrier.waits_for(smsc.SUBMIT_SM)  # and it has been answered before that was written down
            slept.set()
        return units

    clock = SimpleNamespace(monotonic=lambda: time.monotonic() + 3600 * slept.is_set())
    for module in ("line", "session"):
        monkeypatch.setattr(f"providers.{name}.{module}.time", clock)
    monkeypatch.setattr(Session, "turn", drowsy)
    provider = connected(name, carrier.port, time_limit=30)
    assert provider.submit([message(name)]) == [Accepted("1")]
    assert len(carrier.of(smsc.BIND_TRANSMITTER)) == 1
    provider.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_reply_does_not_wait_behind_the_notices_that_wait_for_the_window(name: str, carrier: Smsc) -> None:
    carrier.says = lambda _: b""
    provider = connected(name, carrier.port, window=1, time_limit=60)
    notices = ThreadPoolExecutor(1).submit(provider.submit, [message(name, {"message": {"text": "Notice"}})] * 5)
    first = carrier.waits_for(smsc.SUBMIT_SM)
    reply = ThreadPoolExecutor(1).submit(provider.submit, [message(name, {"message": {"text": "Reply"}})])
    until(lambda: len(provider._line._jobs) == 6, "all to wait")  # type: ignore[attr-defined]
    carrier.says = submit_answer()
    carrier.send(unit(smsc.SUBMIT_SM_RESP, first.sequence, b"1\0"))
    assert len(notices.result()) == 5
    assert reply.result() == [Accepted("1")]
    texts = [sent.body[-6:] for sent in carrier.of(smsc.SUBMIT_SM)]
    assert texts.index(b"\x05Reply") <= 2
    provider.close()


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_to_what_nobody_asked_is_not_answered(name: str, carrier: Smsc) -> None:
    provider = held(name, carrier, Counter())
    carrier.send(unit(0x0001_0201 | smsc.RESPONSE, 7) + unit(smsc.ENQUIRE_LINK, 8))
    carrier.waits_for(smsc.ENQUIRE_LINK | smsc.RESPONSE)
    assert not carrier.of(smsc.GENERIC_NACK)
    provider.close()


class Slow(Counter):
    """Takes in nothing until it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: list[Future[list[Taken]]] = []

    def messages(self, messages: Sequence[Inbound | Refused], said: str) -> Future[list[Taken]]:
        self.came += messages
        self.taken.append(Future())
        return self.taken[-1]


@pytest.mark.parametrize("name", NAMES)
def test_an_smsc_that_takes_leave_gets_its_answers_before_it_may_hang_up(name: str, carrier: Smsc) -> None:
    counter = Slow()
    provider = held(name, carrier, counter)
    carrier.send(unit(smsc.DELIVER_SM, 1, HS) + unit(smsc.UNBIND, 2) + unit(smsc.ENQUIRE_LINK, 3))
    carrier.waits_for(smsc.ENQUIRE_LINK | smsc.RESPONSE)
    counter.taken[0].set_result([Taken(None, "accepted")])
    carrier.waits_for(smsc.UNBIND | smsc.RESPONSE)
    assert [unit.sequence for unit in carrier.heard[1:4]] == [3, 1, 2]
    provider.close()


@pytest.mark.parametrize("name", NAMES)
def test_what_was_not_stored_comes_again_as_by_another_line(name: str, carrier: Smsc) -> None:
    """The database may have it all the same: it is known by what it says, as after a line that broke."""
    counter = Counter(sa.exc.OperationalError("COMMIT", None, Exception("the server hung up")))
    provider = held(name, carrier, counter)
    for sequence in (1, 2):
        carrier.send(unit(smsc.DELIVER_SM, sequence, HS))
        carrier.waits_for(DELIVER_SM_RESP, sequence)
    provider.close()
    assert len(sessions(counter)) == 2


@pytest.mark.parametrize(("patience", "lines"), [(3600.0, 1), (0.0, 2)])
@pytest.mark.parametrize("name", NAMES)
def test_what_was_not_answered_for_long_comes_again_as_by_another_line(
    name: str, patience: float, lines: int, carrier: Smsc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"providers.{name}.line.RETRY_AFTER", patience)
    counter = Slow()
    provider = held(name, carrier, counter)
    carrier.send(unit(smsc.DELIVER_SM, 1, HS) + unit(smsc.DELIVER_SM, 2, HS))
    until(lambda: len(counter.taken) == 2, "both")
    for taken in counter.taken:
        taken.set_result([Taken(None, "accepted")])
    carrier.waits_for(DELIVER_SM_RESP, 2)
    provider.close()
    assert len(sessions(counter)) == lines


def sessions(counter: Counter) -> set[str | None]:
    """The lines that messages came by, as far as whoever takes them in can tell."""
    return {item.session for item in counter.came if isinstance(item, Inbound)}


@pytest.mark.parametrize("status", ["ESME_RBINDFAIL", "ESME_RALYBND", "ESME_RSYSERR", "ESME_RTHROTTLED"])
@pytest.mark.parametrize("name", NAMES)
def test_a_bind_that_fails_for_what_passes_holds_no_channel(name: str, status: str, carrier: Smsc) -> None:
    carrier.bind_status = getattr(consts, f"SMPP_{status}")
    provider = connected(name, carrier.port)
    with pytest.raises(Unreachable, match=status):
        provider.submit([message(name)])
    provider.close()
