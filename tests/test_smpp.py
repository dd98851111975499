"""Through an SMSC that is not ours: texts in, answers out, receipts back, exactly once, whoever dies in between."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from smsgw.bench.ports import free_port
from smsgw.store import callbacks, exchanges
from smsgw.store.history import message
from smsgw.store.tables import inbound
from tests import smsc
from tests.kannel import until
from tests.serving import Serving
from tests.smsc import PASSWORD, SYSTEM_ID, Smsc

CHANNEL = """
[channels.line]
provider = "smpp"
host = "localhost"
port = {port}
system_id = "{system_id}"
password = "{password}"
sender = "8188"
tps = 50
time_limit = 2
answer_ids = "hexadecimal"
receipt_ids = "decimal"
"""
PHONE = "84912345678"


class Place(Serving):
    """The SMSC, its phones, and a gateway."""

    def __init__(self, folder: Path, center: Smsc, more: str = "") -> None:
        settings = CHANNEL.format(port=center.port, system_id=SYSTEM_ID, password=PASSWORD)
        super().__init__(folder, free_port(), settings + more)
        self.smsc = center

    def taken_in(self) -> list[str]:
        """The texts that the gateway has."""
        with self.database.reading() as connection:
            return [*connection.scalars(sa.select(inbound.c.text).order_by(inbound.c.id))]

    def delivered(self, count: int) -> None:
        """Receipts come for all that was submitted, and that is so many messages."""
        until(lambda: len(self.smsc.submitted()) >= count, "the reply")
        for submitted in self.smsc.submitted():
            self.smsc.receipt(str(int(submitted.fields["id"], 16)), phone=submitted.to)
        until(lambda: self.states() == ["delivered"] * count, "the receipts")


@pytest.fixture
def center(pytestconfig: pytest.Config) -> Iterator[Smsc]:
    made = Smsc(smsc.installed(pytestconfig))
    made.start()
    yield made
    made.kill()


@pytest.fixture
def place(tmp_path: Path, center: Smsc) -> Iterator[Place]:
    made = Place(tmp_path, center)
    yield made
    made.close()


def test_a_text_is_answered_and_the_receipt_comes_back(place: Place) -> None:
    place.start()
    place.smsc.text(PHONE, "HELP")
    place.delivered(1)
    [reply] = place.smsc.submitted()
    assert reply.to == PHONE
    assert reply.fields["registered_delivery"] == 1
    until(lambda: place.smsc.undelivered() == 0, "the text and the receipt to be acknowledged")
    with place.database.reading() as connection:
        id = connection.scalars(sa.select(message.c.id)).one()
        [went] = exchanges.of_message(connection, id)

    def traced() -> list[callbacks.Kept]:
        with place.database.reading() as connection:
            return callbacks.of_message(connection, id)

    until(lambda: len(traced()) == 2, "the trace of the text, which is kept once its reply is on its way")
    came, reported = traced()
    assert went.request.startswith("submit_sm smpp://localhost:")
    assert went.answer.startswith("ESME_ROK ")
    assert "short_message=HELP" in came.request
    assert "stat:DELIVRD" in reported.request
    shown = "\n".join(one.request + one.answer for one in (went, came, reported))
    assert shown.count("84912***678") == 3
    assert not [hidden for hidden in (PHONE, PASSWORD) if hidden in shown]


def test_a_long_reply_with_accents_goes_out_in_parts_and_has_arrived_when_all_of_them_have(place: Place) -> None:
    place.start()
    place.smsc.text(PHONE, "có dấu")
    place.delivered(1)
    place.smsc.text(PHONE, "HELP")
    until(lambda: len(place.states()) == 2 and "submitted" in place.states(), "the second reply")
    first, *parts = place.smsc.submitted()
    assert len(parts) > 1
    assert {part.fields["data_coding"] for part in (first, *parts)} == {8}
    heads = [part.fields["udh"][0] for part in parts]
    assert [head[-2:] for head in heads] == [f"{number:02x}" for number in range(1, len(parts) + 1)]
    assert len({head[:-2] for head in heads}) == 1
    *others, last = parts
    for part in others:
        place.smsc.receipt(str(int(part.fields["id"], 16)))
    until(lambda: place.smsc.undelivered() == 0, "the receipts of some parts to be taken")
    assert "submitted" in place.states()
    place.smsc.receipt(str(int(last.fields["id"], 16)))
    until(lambda: place.states() == ["delivered"] * 2, "the last receipt")


def test_a_long_text_comes_in_parts_in_any_order_and_over_a_restart(place: Place) -> None:
    place.start()
    place.smsc.text(PHONE, "la h01 31 10", udh="050003070202")
    until(lambda: place.smsc.undelivered() == 0, "the first part to be taken")
    assert place.taken_in() == []
    place.kill()
    place.start()
    place.smsc.text(PHONE, "tra cuu ho so cua toi ", udh="050003070201")
    until(place.taken_in, "the text")
    assert place.taken_in() == ["tra cuu ho so cua toi la h01 31 10"]
    place.delivered(1)


@pytest.mark.long
@pytest.mark.parametrize("side", ["before", "after"])
def test_killed_in_the_middle_the_citizen_is_answered_exactly_once(place: Place, side: str) -> None:
    place.start(dies_at=("accept", side))
    place.smsc.text(PHONE, "HELP")
    until(place.ended, "the gateway to die")
    assert not place.smsc.submitted()
    place.start()  # and the SMSC, which has no acknowledgement, brings the text again
    place.delivered(1)
    until(lambda: place.smsc.undelivered() == 0, "the text to be acknowledged")
    assert place.taken_in() == ["HELP"]
    assert len(place.smsc.submitted()) == 1


@pytest.mark.parametrize("side", ["before", "after"])
def test_killed_when_the_receipt_comes_back_it_is_brought_again_and_nothing_goes_out_twice(
    place: Place, side: str
) -> None:
    place.start(dies_at=("receipts", side))
    place.smsc.text(PHONE, "HELP")
    until(lambda: place.states() == ["submitted"], "the reply")
    [submitted] = place.smsc.submitted()
    place.smsc.receipt(str(int(submitted.fields["id"], 16)), phone=submitted.to)
    until(place.ended, "the gateway to die")
    place.start()  # and the SMSC, which has no acknowledgement, brings the receipt again
    until(lambda: place.smsc.undelivered() == 0, "the receipt to be acknowledged")
    assert place.states() == ["delivered"]
    assert place.taken_in() == ["HELP"]
    assert len(place.smsc.submitted()) == 1


@pytest.mark.long
@pytest.mark.parametrize(
    ("death", "heard"),
    [(("accept", "after"), 1), (("settle", "before"), 2), (("settle", "after"), 1)],
    ids=["before it is sent", "before its answer is written down", "after that"],
)
def test_killed_around_a_submission_a_reply_goes_out_once_and_only_in_doubt_once_more(
    place: Place, death: tuple[str, str], heard: int
) -> None:
    place.settings.write_text(place.settings.read_text().replace("time_limit = 2", "time_limit = 1"))
    place.start(dies_at=death)
    place.smsc.text(PHONE, "HELP")
    until(place.ended, "the gateway to die")
    place.start()
    until(lambda: place.states() == ["submitted"], "the reply")
    assert len(place.smsc.submitted()) == heard
    place.smsc.receipt(str(int(place.smsc.submitted()[-1].fields["id"], 16)), phone=PHONE)
    until(lambda: place.states() == ["delivered"], "the receipt")
    assert len(place.smsc.submitted()) == heard
    assert place.taken_in() == ["HELP"]


def test_the_same_text_sent_twice_is_two_texts(place: Place) -> None:
    place.start()
    for _ in range(2):
        place.smsc.text(PHONE, "HELP")
    place.delivered(2)
    assert place.taken_in() == ["HELP"] * 2


@pytest.mark.long
def test_an_smsc_killed_and_restarted_in_mid_run_costs_no_text_and_no_answer(place: Place) -> None:
    phones = [f"849123450{number:02}" for number in range(40)]
    place.start()
    for phone in phones[:20]:
        place.smsc.text(phone, f"HELP {phone}")
    until(lambda: len(place.smsc.submitted()) >= 5, "the first replies")
    place.smsc.kill()
    place.smsc.start()
    for phone in phones[20:]:
        place.smsc.text(phone, f"HELP {phone}")
    until(lambda: {item.to for item in place.smsc.submitted()} == {*phones}, "everybody's reply")
    until(lambda: place.smsc.undelivered() == 0, "every text to be acknowledged")
    assert Counter(place.taken_in()) == Counter(f"HELP {phone}" for phone in phones)
    # What was on its way when the line broke is in doubt, and a reply in doubt is sent once more, never twice.
    assert max(Counter(item.to for item in place.smsc.submitted()).values()) <= 2


def test_an_smsc_that_asks_for_time_gets_it_and_the_message_later(place: Place) -> None:
    place.smsc.order("answers", list=[0x58])  # ESME_RTHROTTLED
    place.start()
    place.smsc.text(PHONE, "HELP")
    place.delivered(1)
    assert [event["answer"] for event in place.smsc.of("submit")] == [0x58, 0]


def test_an_smsc_that_does_not_know_us_is_named_and_nothing_is_lost(place: Place) -> None:
    place.smsc.order("refuse", status=0x0E)  # ESME_RINVPASWD
    place.start()
    until(lambda: place.smsc.of("bind"), "a bind")
    assert "ESME_RINVPASWD" in place.command("doctor").stdout
    place.smsc.order("refuse", status=0)
    place.smsc.text(PHONE, "HELP")
    place.delivered(1)


def test_the_line_goes_by_tls_and_only_to_whom_it_trusts(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    center = Smsc(smsc.installed(pytestconfig), (key, certificate))
    center.start()
    place = Place(tmp_path, center, "tls = true\n")
    assert "certificate" in place.command("doctor").stdout
    place.settings.write_text(place.settings.read_text() + f'tls_ca = "{certificate}"\n')
    try:
        place.start()
        place.smsc.text(PHONE, "HELP")
        place.delivered(1)
    finally:
        place.close()
        center.kill()


def test_the_doctor_and_a_trial_message_use_the_line(place: Place) -> None:
    assert "ESME" not in place.command("doctor").stdout
    assert [event["as"] for event in place.smsc.of("bind")] == ["bind_transmitter"]
    assert not place.smsc.of("submit")
    tried = place.command("channel", "test", "line", "--wait", "1", "--to", PHONE)
    assert tried.returncode == 0, tried.stderr
    assert [submitted.to for submitted in place.smsc.submitted()] == [PHONE]
