"""A notice's messages, queueing them as a notice does, and a notice as officials make it."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from datetime import timedelta

from smsgw.bench.load import SHORT_CODE
from smsgw.clock import utc_now
from smsgw.gateway import Gateway
from smsgw.notices.audience.file import FileAudience
from smsgw.notices.drafting import Draft
from smsgw.store import outbox
from smsgw.store.database import Database
from smsgw.store.ids import new_id
from smsgw.store.officials import Official, Role
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


def handed_in(gateway: Gateway, count: int) -> str:
    """The id of a notice to so many rows of a file, each with a text of its own, that waits for its approval."""
    text = TEXT.format("((phone))")
    file = "\n".join(("phone", *map(str, itertools.islice(_phones, count))))
    audience, author = FileAudience(io.BytesIO(file.encode()), text, gateway.limits, "en"), _official("sender")
    made = gateway.notices.create(Draft("bench", text, "bench.csv"), audience, author)
    return gateway.notices.submit(made.notice.id, author).id


def approve(gateway: Gateway, id: str) -> None:
    """It may go out from now on."""
    gateway.notices.approve(id, _official("approver"))


def _official(role: Role) -> Official:
    return Official(new_id(), role, role, None, None, utc_now(), None, second_factor=False)
