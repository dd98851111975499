"""Through Kannel's own programs: text in at its SMSC, answer out, receipt back, exactly once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

import pytest
import sqlalchemy as sa

from smsgw.store.history import message
from tests import kannel
from tests.kannel import Phones, until
from tests.serving import Serving

pytestmark = pytest.mark.skipif(bool(kannel.missing()), reason=f"Kannel is {kannel.missing()}")

CHANNEL = """
[channels.kannel]
provider = "kannel"
url = "http://127.0.0.1:{sendsms}/cgi-bin/sendsms"
callback_url = "http://127.0.0.1:{port}/carrier/kannel"
username = "smsgw"
password = "change-me"
key = "change-me-too"
sender = "8188"
tps = 50
"""


class Place(Serving):
    """Kannel, its phones, and a gateway."""

    def __init__(self, folder: Path, phones: Phones, ports: dict[str, int]) -> None:
        port = ports["8080"]
        super().__init__(folder, port, CHANNEL.format(port=port, sendsms=ports["13013"]))
        self.phones = phones


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
    until(lambda: place.states() == ["delivered"], "the receipt")


def test_letters_with_accents_go_in_and_out_in_as_many_parts_as_it_takes(place: Place) -> None:
    place.start()
    place.phones.text(f"84912345678 8188 ucs2 {quote('có dấu'.encode('utf-16-be'), safe='')}")
    until(lambda: place.states() == ["delivered"], "the first receipt")
    place.phones.text("84912345678 8188 text HELP")
    until(lambda: place.states() == ["delivered"] * 2, "the second receipt")
    with place.database.reading() as connection:
        sent = [*connection.execute(sa.select(message.c.text, message.c.encoding).order_by(message.c.id))]
    assert {encoding for _, encoding in sent} == {"ucs2"}
    assert "".join(said(row) for row in place.phones.heard) == "".join(text for text, _ in sent)


def said(row: str) -> str:
    """The text of a part in UCS-2 that a phone heard, without the header that joins parts."""
    words = row.split(" ")
    return unquote_to_bytes(words[-1].replace("+", " ")).decode("utf-16-be")


@pytest.mark.parametrize("side", ["before", "after"])
def test_killed_in_the_middle_the_citizen_is_answered_exactly_once(place: Place, side: str) -> None:
    place.start(dies_at=("accept", side))
    place.phones.text("84912345678 8188 text HELP")
    until(place.ended, "the gateway to die")
    assert not place.phones.heard
    place.start()
    until(lambda: place.states() == ["delivered"], "the receipt")
    assert len(place.phones.heard) == 1
