"""A notice's messages, and queueing them as a notice does."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import timedelta

from smsgw.bench.load import SHORT_CODE
from smsgw.clock import utc_now
from smsgw.store import outbox
from smsgw.store.database import Database
from smsgw.store.ids import new_id
from smsgw.store.tables import Lane
from smsgw.text.segments import measure

CHUNK = 5000  # messages in one statement
FIRST_PHONE = 84_300_000_000
TEXT = (
    "UBND tinh thong bao: tu 01/12/2026 bo phan mot cua nhan ho so ca sang thu bay. Ho so cua ong/ba so {} van giu hen."
)

_phones = itertools.count(FIRST_PHONE)


def messages(count: int) -> Iterator[outbox.NewMessage]:
    """That many, each with a phone and a text of its own."""
    now = utc_now()
    size = measure(TEXT.format(FIRST_PHONE))
    for phone in itertools.islice(_phones, count):
        yield outbox.NewMessage(
            id=new_id(),
            channel="sms",
            lane=Lane.NOTICE,
            in_reply_to=None,
            sender=SHORT_CODE,
            recipient=str(phone),
            text=TEXT.format(phone),
            encoding=size.encoding,
            segments=size.segments,
            created_at=now,
            not_before=now,
            expires_at=now + timedelta(hours=72),
        )


def queue(url: str, count: int) -> None:
    """Queue a notice in one transaction."""
    database = Database(url)
    coming = messages(count)
    with database.writing("queue notice") as connection:
        while chunk := list(itertools.islice(coming, CHUNK)):
            outbox.add(connection, chunk)
    database.close()
