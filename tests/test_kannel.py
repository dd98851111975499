"""Through Kannel's programs: text in at its SMSC, answer out in a body or by `sendsms`, receipt back, exactly once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

import pytest
import sqlalchemy as sa

from smsgw.store import callbacks, exchanges
from smsgw.store.history import message
from tests import kannel
from tests.kannel import Phones, until
from tests.serving import Serving

pytestmark = pytest.mark.skipif(bool(kannel.missing()), reason=f"Kannel is {kannel.missing()}")

QUICK = "time_limit = 3\n"  # so that a lease is over soon, and Kannel has time to answer on a slow machine
COMPLAINS = "84912345678 8188 text PA Cho da lau"
ANSWER = "Ho so da ky, moi den nhan tu ngay mai."


class Place(Serving):
    """Kannel, its phones, and a gateway."""

    def __init__(self, folder: Path, phones: Phones, ports: dict[str, int]) -> None:
        super().__init__(folder, ports["8080"], kannel.settings(ports) + QUICK)
        self.phones, self.ports = phones, ports

    def delivered(self, count: int) -> None:
        """So many messages have arrived, and the phones have told of them, which they may do later than Kannel."""
        until(lambda: self.states() == ["delivered"] * count, f"{count} to be delivered")
        until(lambda: len(self.heard()) >= len(self.sent()), "the phones to tell what they got")

    def heard(self) -> str:
        """All that the phones got."""
        return "".join(map(said, self.phones.heard))

    def sent(self) -> str:
        """The texts of all messages."""
        with self.database.reading() as connection:
            return "".join(connection.scalars(sa.select(message.c.text).order_by(message.c.id)))

    def text_of_last(self) -> str:
        """The text of the message that was made last."""
        with self.database.reading() as connection:
            return connection.scalars(sa.select(message.c.text).order_by(message.c.id.desc())).first() or ""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    changes = {"/var/spool/kannel/store": str(tmp_path / "store"), "http-queue-delay = 3": "http-queue-delay = 1"}
    with kannel.running(tmp_path, changes) as (phones, ports):
        made = Place(tmp_path, phones, ports)
        yield made
        made.close()


def test_a_text_is_answered_and_the_receipt_comes_back(place: Place) -> None:
    place.start()
    place.phones.text("84912345678 8188 text HELP")
    until(lambda: place.phones.heard, "the reply")
    assert place.phones.heard[0].startswith("8188 84912345678 text ")
    place.delivered(1)


def test_letters_with_accents_go_in_and_out_in_as_many_parts_as_it_takes(place: Place) -> None:
    place.start()
    place.phones.text(f"84912345678 8188 ucs2 {quote('có dấu'.encode('utf-16-be'), safe='')}")
    place.delivered(1)
    place.phones.text("84912345678 8188 text HELP")
    place.delivered(2)
    with place.database.reading() as connection:
        assert {*connection.scalars(sa.select(message.c.encoding))} == {"ucs2"}
    assert place.heard() == place.sent()


def said(row: str) -> str:
    """The text of a part that a phone heard, without the header that joins parts."""
    kind, words = row.split(" ", 3)[2:]
    if kind == "text":
        return words
    return unquote_to_bytes(words.split(" ")[-1].replace("+", " ")).decode("utf-16-be")


@pytest.mark.long
@pytest.mark.parametrize("side", ["before", "after"])
def test_killed_in_the_middle_the_citizen_is_answered_exactly_once(place: Place, side: str) -> None:
    place.start(dies_at=("accept", side))
    place.phones.text("84912345678 8188 text HELP")
    until(place.ended, "the gateway to die")
    assert not place.phones.heard
    place.start()
    place.delivered(1)
    assert len(place.phones.heard) == 1


def test_what_is_no_answer_to_a_text_goes_by_sendsms_and_its_receipt_comes_to_dlr_url(place: Place) -> None:
    place.start()
    place.phones.text(COMPLAINS)
    place.delivered(1)
    id = answered(place, ANSWER)
    place.delivered(2)
    assert place.phones.heard[1].endswith(ANSWER)
    # 8: the SMSC has it, 1: the phone has it. Each comes by a line of its own, and either may be the first.
    until(lambda: sorted(statuses(place, id)) == ["1", "8"], "both receipts")
    with place.database.reading() as connection:
        [went] = exchanges.of_message(connection, id)
    assert "/cgi-bin/sendsms?" in went.request
    assert went.answer.startswith("202\n0: Accepted")


def statuses(place: Place, id: str) -> list[str]:
    """What Kannel told of a message by dlr-url."""
    with place.database.reading() as connection:
        came = callbacks.of_message(connection, id)
    return [call.request.partition("status=")[2].partition("&")[0] for call in came]


def test_a_long_text_with_accents_goes_by_sendsms_in_parts_that_make_up_the_whole(place: Place) -> None:
    text = "Hồ sơ đã được ký duyệt, kính mời quý ông/bà đến nhận kết quả tại bộ phận một cửa từ sáng ngày mai. " * 3
    place.start()
    place.phones.text(f"84912345678 8188 ucs2 {quote('có dấu'.encode('utf-16-be'), safe='')}")
    place.delivered(1)
    place.phones.text(COMPLAINS)
    place.delivered(2)
    before = len(place.phones.heard)
    id = answered(place, text)
    place.delivered(3)
    parts = place.phones.heard[before:]
    assert len(parts) > 3
    with place.database.reading() as connection:
        sent = connection.scalars(sa.select(message.c.text).where(message.c.id == id)).one()
    assert "".join(map(said, parts)) == sent


@pytest.mark.long
@pytest.mark.parametrize("death", [("claim", "after"), ("settle", "before"), ("settle", "after")], ids=" ".join)
def test_killed_around_sendsms_the_citizen_hears_it_exactly_once(place: Place, death: tuple[str, str]) -> None:
    place.start(dies_at=death)
    place.phones.text(COMPLAINS)
    place.delivered(1)
    answered(place, ANSWER)
    until(place.ended, "the gateway to die")
    place.start()
    place.delivered(2)
    assert [row.endswith(ANSWER) for row in place.phones.heard] == [False, True]


def test_the_doctor_and_a_trial_message_use_sendsms(place: Place) -> None:
    place.start()
    place.phones.text("84912345678 8188 text HELP")
    place.delivered(1)
    assert "ok   channel kannel" in place.command("doctor").stdout
    assert len(place.phones.heard) == 1
    tried = place.command("channel", "test", "kannel", "--to", "0912345678")
    assert (tried.returncode, tried.stdout.rpartition(": ")[2]) == (0, "delivered\n"), tried.stderr
    right = place.settings.read_text()
    # The port of bearerbox's own commands answers 200 to anything.
    place.settings.write_text(right.replace(f":{place.ports['13013']}/", f":{place.ports['13000']}/"))
    assert "is not Kannel's sendsms: check url" in place.command("doctor").stdout
    place.settings.write_text(right.replace('"change-me"', '"changed"'))
    assert "sendsms-user" in place.command("doctor").stdout
    refused = place.command("channel", "test", "kannel", "--to", "0912345678")
    assert refused.returncode == 1
    assert "does not take our username and password" in refused.stdout


def answered(place: Place, words: str) -> str:
    """An official answers the complaint that came last; our id of the message."""
    number = re.findall(r"\d{6}", place.text_of_last())[0]
    done = place.command("voice", "answer", number, words)
    assert done.returncode == 0, done.stderr
    with place.database.reading() as connection:
        id: str = connection.scalars(sa.select(message.c.id).order_by(message.c.id.desc())).first() or ""
    return id
