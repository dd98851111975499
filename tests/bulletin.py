"""Officials, and notices that they write, for the tests of notices."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime
from threading import Barrier, Thread

import sqlalchemy as sa

from smsgw.notices.audience.file import FileAudience
from smsgw.notices.drafting import Draft
from smsgw.notices.office import Created, Notices
from smsgw.notices.progress import Progress, progress
from smsgw.notices.refusals import NoticeRefused
from smsgw.store import officials
from smsgw.store.ids import new_id
from smsgw.store.notices import Notice
from smsgw.store.officials import Official, Role
from tests.world import NOON

TEXT = "Kính mời ((tên)) đến nhận kết quả tại bộ phận một cửa."


def official(
    connection: sa.Connection, name: str, role: Role, agency: str | None = None, phone: str | None = None
) -> Official:
    """An official who never signs in."""
    made = Official(new_id(), name, role, agency, phone, NOON, None, second_factor=False)
    officials.add(connection, made, None)
    return made


def phone(number: int) -> str:
    return f"84910{number:06}"


def table(count: int, first: int = 0) -> str:
    """A file of so many people."""
    rows = (f"0{phone(number)[2:]};Ông {number}" for number in range(first, first + count))
    return "\n".join(["phone;tên", *rows])


def drafted(
    notices: Notices,
    who: Official,
    count: int = 3,
    *,
    text: str = TEXT,
    file: str | None = None,
    send_at: datetime | None = None,
    accents: bool = False,
) -> Created:
    """A notice to so many people, or to those of a file."""
    content = io.BytesIO((table(count) if file is None else file).encode())
    draft = Draft("Nhận kết quả", text, "danh-sach.csv", send_at, accents)
    return notices.create(draft, FileAudience(content, text, language="en"), who)


def approved(notices: Notices, author: Official, approver: Official, count: int = 3) -> Notice:
    """The same, submitted and approved."""
    made = drafted(notices, author, count).notice
    notices.submit(made.id, author)
    return notices.approve(made.id, approver)


def seen(notices: Notices, id: str, who: Official) -> Progress:
    """How far it is."""
    return progress(notices.means, notices.find(id, who))


def at_once(*moves: Callable[[], object]) -> list[str]:
    """What each of these comes to when they begin in the same moment."""
    together, told = Barrier(len(moves)), list[str]()

    def begin(move: Callable[[], object]) -> None:
        together.wait()
        try:
            move()
            told.append("approved")
        except NoticeRefused as refused:
            told.append(str(refused))

    threads = [Thread(target=begin, args=(move,)) for move in moves]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told
