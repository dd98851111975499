"""The console's page of other systems' keys: making one, seeing its secret once, and revoking it."""

from __future__ import annotations

import re

import pytest

from smsgw.store import audit
from smsgw.store.systems import Key
from smsgw.web.console import keys
from tests.console import Desk, at_work, official, text
from tests.world import World

NEW = {"name": "kiosk", "role": "sender", "agency": "", "daily": "50"}
SECRET = re.compile(r"smsgw_[\w-]{43}")


def opens(world: World, secret: str) -> bool:
    answer = world.client.get("/api/v1/", headers={"Authorization": f"Bearer {secret}"})
    return answer.status_code == 200


def secret_on(page: str) -> str:
    (found,) = SECRET.findall(page)
    assert isinstance(found, str)
    return found


def all_keys(world: World) -> list[Key]:
    return world.gateway.systems.every()


def refused(desk: Desk, field: str, **fields: str) -> str:
    """What is said at a field of the form, when nothing else is wrong."""
    page = desk.post("/keys/", 400, **(NEW | fields))
    (said,) = re.findall(r'<div class="invalid-feedback" id="(\w+)-wrong">([^<]+)</div>', page)
    assert said[0] == field
    assert re.search(rf'id="{field}"[^>]* aria-describedby="{field}-wrong [^>]*aria-invalid="true" autofocus', page)
    return str(said[1])


def test_an_administrator_makes_a_key_whose_secret_is_shown_once(
    anywhere: World, caplog: pytest.LogCaptureFixture
) -> None:
    desk = official(anywhere, "lan", "admin")
    assert "Chưa có khóa nào" in desk.get("/keys/")
    answer = desk.client.post("/console/keys/", data={"csrf_token": desk.token(), **NEW})
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    secret = secret_on(text(answer))
    assert opens(anywhere, secret)
    (made,) = all_keys(anywhere)
    assert (made.name, made.role, made.agency, made.daily, made.created_by) == ("kiosk", "sender", None, 50, "lan")
    with anywhere.gateway.database.reading() as connection:
        entry = audit.latest(connection)[0]
    assert (entry.who, entry.action, entry.subject) == ("lan", "key.add", "kiosk")
    afterwards = desk.get("/keys/") + desk.get(f"/keys/{made.id}") + desk.get("/audit/")
    assert "Cấp khóa cho hệ thống khác" in afterwards
    assert secret not in afterwards + caplog.text + str(entry)


def test_the_list_says_whose_a_key_is_what_it_may_do_and_when_it_was_used(here: World) -> None:
    _, secret = here.gateway.systems.add("kiosk", "sender", "H01.21", 1500, "cli:root")
    desk = official(here, "lan", "admin")
    page = desk.get("/keys/")
    for said in ("Xem và gửi", "H01.21", "1.500", "15/08/2018 12:00", "cli:root", "Chưa dùng", "Hoạt động"):
        assert said in page
    opens(here, secret)
    assert "Chưa dùng" not in desk.get("/keys/")
    desk.post("/language", language="en")
    assert "Read and send" in desk.get("/keys/")


@pytest.mark.parametrize(
    ("field", "given", "said"),
    [
        ("name", "kiosk 2", "Tên cần 2 đến 64 ký tự"),
        ("name", "", "Tên cần 2 đến 64 ký tự"),
        ("name", "key:x", "Tên cần 2 đến 64 ký tự"),
        ("role", "approver", "Hãy chọn khóa được phép làm gì"),
        ("role", "", "Hãy chọn khóa được phép làm gì"),
        ("agency", "H01\x00", "Mã cơ quan không đúng"),
        ("agency", "H" * 41, "Mã cơ quan không đúng"),
        ("daily", "0", "Hãy nhập một số từ 1 đến 1.000.000"),
        ("daily", "1000001", "Hãy nhập một số từ 1 đến 1.000.000"),
        ("daily", "-5", "Hãy nhập một số từ 1 đến 1.000.000"),
        ("daily", "many", "Hãy nhập một số từ 1 đến 1.000.000"),
        ("daily", "9" * 5000, "Hãy nhập một số từ 1 đến 1.000.000"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_no_key_is_made(here: World, field: str, given: str, said: str) -> None:
    desk = official(here, "lan", "admin")
    assert said in refused(desk, field, **{field: given})
    assert all_keys(here) == []


def test_what_was_filled_in_is_kept_when_something_is_wrong(here: World) -> None:
    page = official(here, "lan", "admin").post("/keys/", 400, **(NEW | {"daily": "0", "agency": "H01.21"}))
    assert 'value="kiosk"' in page
    assert 'value="H01.21"' in page
    assert '<option value="sender" selected>' in page


def test_a_form_that_is_sent_twice_makes_one_key(anywhere: World) -> None:
    desk = official(anywhere, "lan", "admin")
    secret = secret_on(desk.post("/keys/", **NEW))
    page = desk.post("/keys/", 400, **NEW)
    assert "Đang có khóa mang tên này" in page
    assert not SECRET.search(page)
    assert len(all_keys(anywhere)) == 1
    assert opens(anywhere, secret)


def test_a_key_is_revoked_once_and_not_the_next_one_of_its_name(anywhere: World) -> None:
    desk = official(anywhere, "lan", "admin")
    first = secret_on(desk.post("/keys/", **NEW))
    (key,) = all_keys(anywhere)
    assert "Khóa mất hiệu lực ngay" in desk.get(f"/keys/{key.id}")
    assert "Đã thu hồi khóa kiosk" in desk.post(f"/keys/{key.id}/revoke")
    assert not opens(anywhere, first)
    second = secret_on(desk.post("/keys/", **NEW))
    assert "đã được thu hồi từ trước" in desk.post(f"/keys/{key.id}/revoke")
    assert opens(anywhere, second)
    assert f"/console/keys/{key.id}/revoke" not in desk.get(f"/keys/{key.id}")
    with anywhere.gateway.database.reading() as connection:
        done = [entry.action for entry in audit.latest(connection) if entry.action.startswith("key.")]
    assert done == ["key.add", "key.revoke", "key.add"]


def test_only_an_administrator_sees_makes_or_revokes_a_key(here: World) -> None:
    key, secret = here.gateway.systems.add("kiosk", "viewer", None, 10, "test")
    desk = official(here, "lan", "approver")
    desk.get("/keys/", 403)
    desk.get(f"/keys/{key.id}", 403)
    desk.post("/keys/", 403, **(NEW | {"name": "other"}))
    desk.post(f"/keys/{key.id}/revoke", 403)
    assert [one.revoked_at for one in all_keys(here)] == [None]
    assert opens(here, secret)


def test_without_its_token_the_form_makes_and_revokes_nothing(here: World) -> None:
    key, _ = here.gateway.systems.add("kiosk", "viewer", None, 10, "test")
    desk = official(here, "lan", "admin")
    for path in ("", f"{key.id}/revoke"):
        assert desk.client.post(f"/console/keys/{path}", data=NEW | {"name": "other"}).status_code == 400
    assert [one.revoked_at for one in all_keys(here)] == [None]


def test_an_administrator_of_an_agency_has_only_its_keys(anywhere: World) -> None:
    others, _ = anywhere.gateway.systems.add("others", "viewer", "H01.22", 10, "test")
    desk = official(anywhere, "lan", "admin", "H01.21")
    assert "others" not in desk.get("/keys/")
    desk.get(f"/keys/{others.id}", 404)
    desk.post(f"/keys/{others.id}/revoke", 404)
    desk.get("/keys/none", 404)
    desk.post("/keys/", **(NEW | {"agency": "H01.22"}))
    assert {one.name: one.agency for one in all_keys(anywhere)} == {"kiosk": "H01.21", "others": "H01.22"}


def test_a_key_of_an_agency_without_dossiers_is_made_and_doubted(here: World) -> None:
    page = official(here, "lan", "admin").post("/keys/", **(NEW | {"agency": "H01.2l"}))
    assert "Chưa có hồ sơ nào của cơ quan H01.2l" in page
    assert "Các mã gần giống: H01.2" in page
    assert opens(here, secret_on(page))


def test_many_keys_are_shown_a_page_at_a_time(anywhere: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "A_PAGE", 2)
    for name in ("aa", "bb", "bb", "cc", "dd"):
        key, _ = anywhere.gateway.systems.add(name, "viewer", None, 10, "test")
        if name == "bb":
            anywhere.gateway.systems.end(key, "test")
    anywhere.gateway.accounts.add("lan", "admin", None, None, None, "test")
    desk, path, seen = at_work(anywhere, "lan"), "/keys/", []
    while path:
        page = desk.get(path)
        seen.append(re.findall(r'href="/console/keys/[\w-]{10,}">(\w+)<', page))
        more = re.search(r'href="/console(/keys/\?after=[\w-]+)"', page)
        path = more[1] if more else ""
    assert seen == [["aa", "bb"], ["bb", "cc"], ["dd"]]
