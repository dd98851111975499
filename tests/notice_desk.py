"""What the tests of the console's pages of notices do there, without a browser."""

from __future__ import annotations

import io

from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from smsgw.store.notices import Notice
from tests.console import Desk, text
from tests.world import World

FILE = "phone;ten\n0912000001;An\n0912000002;Binh\n"
TEXT = "Chao ((ten))"


def post(desk: Desk, path: str, status: int = 200, content: bytes | str = FILE, **fields: str) -> str:
    """Send the form of a notice with a file."""
    data = {"csrf_token": desk.token(), "name": "Thu", "text": TEXT, "by": "file", **fields}
    body = content.encode() if isinstance(content, str) else content
    file = {} if "no_file" in fields else {"file": FileStorage(io.BytesIO(body), "danh sach.csv")}
    boundary, form = encode_multipart(data | file)  # the client's own way leaves files open that it makes
    kind = f'multipart/form-data; boundary="{boundary}"'
    answer = desk.client.post(f"/console/notices/{path}", data=form, content_type=kind, follow_redirects=True)
    assert answer.status_code == status, text(answer)
    return text(answer)


def latest(world: World) -> Notice:
    (found,) = world.gateway.notices.page(world.gateway.accounts.named("lan"), limit=1)
    return found


def faults(world: World, notice: Notice) -> int:
    return len([*world.gateway.notices.every_problem(notice.id, world.gateway.accounts.named("lan"))])


def moved(desk: Desk, notice: Notice, move: str, status: int = 200, **fields: str) -> str:
    return desk.post(f"/notices/{notice.id}/move", status, move=move, **fields)
