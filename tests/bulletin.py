"""Officials, and notices that they write, for the tests of notices."""

from __future__ import annotations

import io
from dataclasses import asdict
from datetime import datetime
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path

import sqlalchemy as sa

from smsgw.dossiers.selection import Selection
from smsgw.gateway import Gateway
from smsgw.notices.audience.file import FileAudience
from smsgw.notices.audience.filtered import FilterAudience
from smsgw.notices.drafting import Draft
from smsgw.notices.office import Created, Notices
from smsgw.notices.progress import Progress, progress
from smsgw.notices.refusals import NoticeRefused
from smsgw.settings import load
from smsgw.store import officials
from smsgw.store.ids import new_id
from smsgw.store.notices import Addressee, Notice
from smsgw.store.officials import Official, Role
from smsgw.store.tables import notice_recipient
from tests.world import NOON, World

OF_A_DOSSIER = "Hồ sơ ((mã hồ sơ)) cần bổ sung giấy tờ. Xin liên hệ bộ phận một cửa."
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


class Cast:
    """Who plays in these tests."""

    def __init__(self, there: World) -> None:
        self.world = there
        self.notices: Notices = there.gateway.notices
        self.an = self.official("an", "sender", phone="84912000001")
        self.binh = self.official("binh", "approver")
        self.chi = self.official("chi", "approver")
        self.dung = self.official("dung", "viewer")

    def official(self, name: str, role: Role, agency: str | None = None, phone: str | None = None) -> Official:
        with self.world.gateway.database.writing("test") as connection:
            return official(connection, name, role, agency, phone)

    def heard(self, number: int) -> list[str]:
        return [bubble.text for bubble in self.world.heard(phone(number))]

    def counts(self, id: str) -> dict[str, int]:
        return {name: count for name, count in asdict(seen(self.notices, id, self.an).counts).items() if count}

    def state(self, id: str) -> str:
        return self.notices.find(id, self.an).state


def approved_by_filter(cast: Cast) -> tuple[Notice, list[Addressee]]:
    """A notice to the owners of all dossiers, approved; and whom it is for."""
    onestop = cast.world.gateway.onestop.url
    audience = FilterAudience(onestop, Selection(), OF_A_DOSSIER, cast.world.clock(), language="en")
    made = cast.notices.create(Draft("Bổ sung", OF_A_DOSSIER, "all"), audience, cast.an).notice
    cast.notices.submit(made.id, cast.an)
    with cast.world.gateway.database.reading() as connection:
        columns = notice_recipient.c.line, notice_recipient.c.phone, notice_recipient.c.fields
        rows = connection.execute(sa.select(*columns).order_by(notice_recipient.c.line)).all()
    return cast.notices.approve(made.id, cast.binh), [Addressee(*row) for row in rows]


def approving(settings: Path, who: str, ids: list[str], together: Barrier, told: Connection) -> None:
    """A process in which an official approves notices, each in the moment in which another one does."""
    gateway = Gateway(load(settings))
    me, answers = gateway.accounts.named(who), list[str]()
    for id in ids:
        together.wait()
        try:
            answers.append(gateway.notices.approve(id, me).state)
        except NoticeRefused as refused:
            answers.append(str(refused))
    gateway.close()
    told.send(answers)


def editing(
    settings: Path, who: str, drafts: dict[str, tuple[Draft, str]], together: Barrier, told: Connection
) -> None:
    """A process in which an official changes notices, each in the moment in which another one does."""
    gateway = Gateway(load(settings))
    me, answers = gateway.accounts.named(who), list[str]()
    for id, (draft, version) in drafts.items():
        together.wait()
        try:
            answers.append(gateway.notices.edit(id, me, draft, version).name)
        except NoticeRefused as refused:
            answers.append(refused.reason)
    gateway.close()
    told.send(answers)
