"""The console's page of a notice, without a browser: who may do what, and what it tells of the notice."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from smsgw.dossiers import selecting
from smsgw.store.tables import notice
from tests.console import official
from tests.notice_desk import FILE, latest, moved, post
from tests.world import World, world


def test_a_notice_is_written_submitted_and_approved_by_another(here: World) -> None:
    lan, minh = official(here, "lan", "sender"), official(here, "minh", "approver")
    page = post(lan, "new")
    assert "Chao An" in page
    assert "0912 *** 001" in page
    moved(lan, latest(here), "submit")
    for takes_an_approver in ("approve", "send_back"):
        moved(lan, latest(here), takes_an_approver, 403)
    assert latest(here).state == "submitted"
    moved(minh, latest(here), "approve", seen=latest(here).fingerprint)
    assert (latest(here).state, latest(here).approver) == ("approved", "minh")


def test_a_notice_that_was_sent_back_says_who_did_it_and_why_until_it_is_submitted_again(here: World) -> None:
    lan, minh = official(here, "lan", "sender"), official(here, "minh", "approver")
    post(lan, "new")
    moved(lan, latest(here), "submit")
    moved(minh, latest(here), "send_back", reason="Thiếu ngày giờ.")
    assert re.search(r"minh đã trả lại lúc [\d/: ]+: Thiếu ngày giờ\.", lan.get(f"/notices/{latest(here).id}/"))
    moved(lan, latest(here), "submit")
    assert "đã trả lại lúc" not in lan.get(f"/notices/{latest(here).id}/")
    # From a command no reason is asked.
    here.gateway.notices.send_back(latest(here).id, here.gateway.accounts.named("minh"), "")
    assert "không ghi lý do" in lan.get(f"/notices/{latest(here).id}/")


def test_what_somebody_else_has_to_understand_is_not_done_without_a_reason(here: World) -> None:
    lan, minh = official(here, "lan", "sender"), official(here, "minh", "approver")
    post(lan, "new", at="2018-08-20T08:00")
    moved(lan, latest(here), "submit")
    for reason in ("", "  "):
        page = moved(minh, latest(here), "send_back", 400, reason=reason)
        assert re.search(r'<details open>.{1,900}id="reason-send_back-wrong">Vui lòng ghi lý do', page, re.DOTALL)
    assert latest(here).state == "submitted"
    moved(minh, latest(here), "approve")
    assert "Vui lòng ghi lý do" in moved(lan, latest(here), "cancel", 400)
    assert latest(here).state == "approved"
    assert re.search('id="reason-cancel" name="reason" required', lan.get(f"/notices/{latest(here).id}/"))
    moved(lan, latest(here), "cancel", reason="Hoãn họp.")
    assert latest(here).state == "cancelled"


def test_cost_is_called_an_estimate_until_it_is_known_and_is_then_what_was_spent(here: World) -> None:
    tariffs: Any = here.gateway.notices.means.tariffs
    tariffs["sms"] = 350
    lan, minh = official(here, "lan", "sender"), official(here, "minh", "approver")

    def shown() -> list[str]:
        page = lan.get(f"/notices/{latest(here).id}/")
        return [
            f"{name}: {figure}"
            for name, figure in re.findall(r"<dt>((?:Tin tính|Chi phí)[^<]*)</dt><dd>([^<]*)<", page)
        ]

    post(lan, "new", at="2018-08-16T08:00")
    assert shown() == ["Tin tính phí (dự tính): 2", "Chi phí (dự tính): 700\N{NO-BREAK SPACE}₫"]
    moved(lan, latest(here), "submit")
    assert "Không gửi trước 16/08/2018 08:00." in minh.get(f"/notices/{latest(here).id}/")
    moved(lan, latest(here), "cancel")
    assert shown() == ["Tin tính phí: 0", "Chi phí: 0\N{NO-BREAK SPACE}₫"]
    assert "Không gửi trước" not in lan.get(f"/notices/{latest(here).id}/")
    post(lan, "new")
    moved(lan, latest(here), "submit")
    moved(minh, latest(here), "approve")
    assert shown()[1].startswith("Chi phí (dự tính)")
    here.settle()
    assert shown() == ["Tin tính phí: 2", "Chi phí: 700\N{NO-BREAK SPACE}₫"]


def test_what_nobody_has_approved_yet_is_cancelled_without_a_reason(here: World) -> None:
    lan = official(here, "lan", "sender")
    post(lan, "new")
    assert not re.search('id="reason-cancel" name="reason" required', lan.get(f"/notices/{latest(here).id}/"))
    moved(lan, latest(here), "cancel")
    assert latest(here).state == "cancelled"


def test_a_notice_that_waits_for_a_closed_channel_says_so(here: World) -> None:
    lan, minh = official(here, "lan", "sender"), official(here, "minh", "approver")
    post(lan, "new")
    moved(lan, latest(here), "submit")
    here.gateway.steering.pause("sms", "bảo trì", "minh")
    page = f"/notices/{latest(here).id}/"
    assert "Kênh sms: Tạm dừng." in minh.get(page)  # who approves it knows when it can't go out
    moved(minh, latest(here), "approve", seen=latest(here).fingerprint)
    assert "Kênh sms: Tạm dừng." in lan.get(page)
    for shown in (lan.get(page), lan.get(f"{page}progress")):
        assert "chờ kênh sms gửi lại được" in shown
        assert "xong vào khoảng" not in shown
    moved(lan, latest(here), "cancel", reason="hoãn")
    assert "Kênh sms: Tạm dừng." not in lan.get(page)


def test_a_notice_says_nothing_of_a_closed_channel_that_it_can_not_take(tmp_path: Path) -> None:
    who = 'provider = "aggregator"\nurl = "http://127.0.0.1:9"\ntoken = "t"\nsecret = "s"\nsender = "8188"'
    with world(tmp_path, more=f"[channels.other]\n{who}\ntps = 10\nbatch = 10") as small:
        lan, minh = official(small, "lan", "sender"), official(small, "minh", "approver")
        post(lan, "new")
        moved(lan, latest(small), "submit")
        small.gateway.steering.pause("other", "bảo trì", "minh")
        moved(minh, latest(small), "approve")
        shown = lan.get(f"/notices/{latest(small).id}/")
        assert ("Tạm dừng." in shown, "xong vào khoảng" in shown) == (False, True)
        small.gateway.steering.pause("sms", "bảo trì", "minh")
        assert "Kênh sms: Tạm dừng." in lan.get(f"/notices/{latest(small).id}/")


def test_a_notice_that_another_channel_takes_meanwhile_says_when_it_will_be_done(tmp_path: Path) -> None:
    who = 'provider = "aggregator"\nurl = "http://127.0.0.1:9"\ntoken = "t"\nsecret = "s"\nsender = "8188"'
    routes = '[[routes]]\nchannels = ["sms", "spare"]'
    with world(tmp_path, more=f"[channels.spare]\n{who}\ntps = 10\nbatch = 10\n{routes}") as two:
        lan = official(two, "lan", "sender")
        post(lan, "new")
        two.gateway.steering.pause("sms", "bảo trì", "minh")
        assert "xong vào khoảng" in lan.get(f"/notices/{latest(two).id}/")
        two.gateway.steering.pause("spare", "bảo trì", "minh")
        assert "chờ kênh sms gửi lại được" in lan.get(f"/notices/{latest(two).id}/")


def test_of_two_who_approve_at_once_one_is_told_that_the_other_was_quicker(here: World) -> None:
    lan = official(here, "lan", "sender")
    minh, hoa = official(here, "minh", "approver"), official(here, "hoa", "approver")
    post(lan, "new")
    moved(lan, latest(here), "submit")
    seen = latest(here)
    moved(minh, seen, "approve", seen=seen.fingerprint)
    here.tick()
    assert latest(here).state == "sending"
    told = moved(hoa, seen, "approve", 409, seen=seen.fingerprint)
    assert re.search(r"Đã có người làm trước\. minh, lúc [\d/: ]+: Duyệt\.", told)
    assert latest(here).approver == "minh"


def test_who_presses_a_button_twice_is_not_told_that_somebody_was_quicker(here: World) -> None:
    lan = official(here, "lan", "sender")
    post(lan, "new")
    moved(lan, latest(here), "submit")
    page = moved(lan, latest(here), "submit", 409)
    assert "do chính bạn làm" in page
    assert "có người làm trước" not in page


def test_what_was_changed_after_it_was_seen_is_not_approved(here: World) -> None:
    lan, minh = official(here, "lan", "sender"), official(here, "minh", "approver")
    post(lan, "new")
    moved(lan, latest(here), "submit")
    seen = latest(here)
    post(lan, f"{seen.id}/edit", by="keep", text="Xin chao ((ten))")
    assert latest(here).state == "draft"
    moved(lan, latest(here), "submit")
    assert "đã được sửa" in moved(minh, seen, "approve", 409, seen=seen.fingerprint)


def test_a_notice_that_was_changed_in_the_database_says_that_it_was_stopped_and_what_to_do(here: World) -> None:
    lan, minh = official(here, "lan", "sender"), official(here, "minh", "approver")
    post(lan, "new")
    moved(lan, latest(here), "submit")
    moved(minh, latest(here), "approve", seen=latest(here).fingerprint)
    with here.gateway.database.writing("test") as connection:
        connection.execute(sa.update(notice).values(text="Khac"))
    here.settle()
    shown = lan.get(f"/notices/{latest(here).id}/")
    assert "Hệ thống đã dừng" in shown
    assert "hủy thông báo này và soạn lại" in shown


def test_whoever_wrote_a_notice_does_not_approve_it_with_somebody_elses_file(here: World) -> None:
    lan, minh = official(here, "lan", "approver"), official(here, "minh", "approver")
    post(lan, "new", content=FILE + "x;Chi\n")
    post(minh, f"{latest(here).id}/edit", content=FILE)
    moved(minh, latest(here), "submit")
    for one in (lan, minh):
        assert "Đang chờ người khác duyệt" in (page := one.get(f"/notices/{latest(here).id}/"))
        assert "Duyệt và gửi" not in page
        assert "phải có người khác duyệt" in moved(one, latest(here), "approve", 409)


def test_an_approver_is_told_before_a_change_that_it_takes_the_approval_from_them(here: World) -> None:
    lan, minh = official(here, "lan", "approver"), official(here, "minh", "approver")
    post(lan, "new")
    page = f"/notices/{latest(here).id}/edit"
    assert "không được duyệt nó nữa" in minh.get(page)
    assert "không được duyệt nó nữa" not in lan.get(page)


@pytest.mark.parametrize(("at", "past"), [("2018-01-01T08:00", True), ("2199-01-01T08:00", False)])
def test_author_and_approver_are_told_that_a_time_is_past_and_it_goes_out_at_once(
    here: World, at: str, past: bool
) -> None:
    lan, minh = official(here, "lan", "sender"), official(here, "minh", "approver")
    assert ("đã qua: thông báo sẽ đi ngay" in post(lan, "new", at=at)) == past
    moved(lan, latest(here), "submit")
    page = f"/notices/{latest(here).id}/"
    assert ("đã qua: thông báo sẽ đi ngay" in minh.get(page)) == past
    moved(minh, latest(here), "approve")
    assert "đã qua" not in minh.get(page)


@pytest.mark.parametrize(
    ("at", "told"),
    [
        (
            "2018-08-16T22:30",
            "16/08/2018 22:30 nằm trong giờ không gửi (ban đêm, ngày lễ): tin bắt đầu đi lúc 17/08/2018 07:00",
        ),
        (
            "2018-09-02T09:00",
            "02/09/2018 09:00 nằm trong giờ không gửi (ban đêm, ngày lễ): tin bắt đầu đi lúc 04/09/2018 07:00",
        ),
        ("2018-08-16T20:59", ""),
        ("2018-01-01T23:00", ""),
    ],
)
def test_author_and_approver_are_told_when_it_begins_if_the_time_is_in_the_quiet_hours(
    here: World, at: str, told: str
) -> None:
    lan, minh = official(here, "lan", "sender"), official(here, "minh", "approver")
    page = post(lan, "new", at=at)
    moved(lan, latest(here), "submit")
    for shown in (page, minh.get(f"/notices/{latest(here).id}/")):
        assert ("nằm trong giờ không gửi" in shown) == bool(told)
        assert told in shown


def test_rows_with_faults_are_to_be_mended_only_while_they_can_be(here: World) -> None:
    lan, minh = official(here, "lan", "sender"), official(here, "minh", "approver")
    assert "Sửa trong tệp" in post(lan, "new", content=FILE + "x;Chi\n")
    moved(lan, latest(here), "submit")
    moved(minh, latest(here), "approve", seen=latest(here).fingerprint)
    here.tick()
    here.settle()
    page = lan.get(f"/notices/{latest(here).id}/")
    assert "Các dòng này không được gửi." in page
    assert "Sửa trong tệp" not in page


def test_a_page_from_before_the_approval_changes_nothing_of_what_is_on_its_way(here: World) -> None:
    lan, minh = official(here, "lan", "sender"), official(here, "minh", "approver")
    post(lan, "new", at="2199-01-01T08:00")
    old = latest(here)
    for who, move in ((lan, "submit"), (minh, "approve"), (minh, "pause")):
        moved(who, old, move)
    assert "minh, lúc" in post(lan, f"{old.id}/edit", 409)
    assert "minh, lúc" in lan.get(f"/notices/{old.id}/edit", 409)
    assert (latest(here).id, latest(here).state) == (old.id, "paused")


def test_what_goes_on_its_way_while_another_file_is_read_is_not_replaced(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    lan = official(here, "lan", "sender")
    official(here, "minh", "approver")
    post(lan, "new", at="2199-01-01T08:00")
    old, notices, named = latest(here), here.gateway.notices, here.gateway.accounts.named
    create = notices.create

    def meanwhile(*args: Any, **values: Any) -> Any:
        notices.submit(old.id, named("lan"))
        notices.approve(old.id, named("minh"))
        notices.pause(old.id, named("minh"))
        return create(*args, **values)

    monkeypatch.setattr(notices, "create", meanwhile)
    assert "minh, lúc" in post(lan, f"{old.id}/edit", 409)
    found = notices.page(named("lan"))
    assert [one.state for one in found] == ["cancelled", "paused"]


def test_a_page_from_before_somebody_changed_the_text_sends_nothing(tmp_path: Path) -> None:
    with world(tmp_path, more="[notices]\napproval_from = 100") as small:
        lan, mai = official(small, "lan", "sender"), official(small, "mai", "sender")
        post(lan, "new")
        old = latest(small)
        post(mai, f"{old.id}/edit", by="keep", text="Mot tin khac han")
        assert "đã được sửa" in moved(lan, old, "submit", 409, seen=old.fingerprint)
        assert latest(small).state == "draft"
        moved(lan, latest(small), "submit", seen=latest(small).fingerprint)
        assert latest(small).state in ("approved", "sending")


def test_the_page_says_how_much_of_the_budget_is_used_and_how_much_the_notice_takes(tmp_path: Path) -> None:
    with world(tmp_path, more="[notices]\nmonthly_segments = 5") as small:
        lan, minh = official(small, "lan", "sender"), official(small, "minh", "approver")
        for said in ("", "sắp hết: đã dùng 2 trên 5 tin, thông báo này cần thêm 2.", "Vượt ngân sách"):
            assert said in post(lan, "new")
            moved(lan, latest(small), "submit")
            moved(minh, latest(small), "approve", 409 if said.startswith("Vượt") else 200)
        assert latest(small).state == "submitted"


def test_a_notice_to_nobody_can_not_be_tried_out_or_submitted(here: World) -> None:
    lan = official(here, "lan", "sender")
    post(lan, "new", content="phone;ten\nx;An\n")
    assert "Gửi duyệt" not in lan.get(f"/notices/{latest(here).id}/")
    assert "Không có ai để gửi" in lan.post(f"/notices/{latest(here).id}/test", 409, phone="0912345678")


def test_who_only_looks_can_not_write_or_send(here: World) -> None:
    lan, tam = official(here, "lan", "sender"), official(here, "tam", "viewer")
    post(lan, "new")
    tam.get("/notices/")
    assert "Gửi duyệt" not in tam.get(f"/notices/{latest(here).id}/")
    for path in ("/notices/new", "/notices/count"):
        tam.get(path, 403)
    moved(tam, latest(here), "submit", 403)
    post(tam, "new", 403)


def test_a_notice_of_another_agency_is_not_there(here: World) -> None:
    agency, other = "000.00.02.H01", "000.00.03.H01"
    lan, tam = official(here, "lan", "sender", agency), official(here, "tam", "approver", other)
    post(lan, "new")
    id = latest(here).id
    for path in ("", "edit", "progress", "report.csv", "report.xlsx", "errors.csv", "left-out.csv"):
        tam.get(f"/notices/{id}/{path}", 404)
    moved(tam, latest(here), "approve", 404)
    assert "Chưa có thông báo" in tam.get("/notices/")


def test_an_approver_reads_in_words_whose_dossiers_a_notice_is_about(here: World) -> None:
    lan, minh = official(here, "lan", "sender"), official(here, "minh", "approver")
    agencies, _ = selecting.named(here.gateway.onestop.url)
    code, name = next(iter(agencies.items()))
    post(lan, "new", by="filter", text="Nghỉ lễ.", agency=code)
    moved(lan, latest(here), "submit")
    page = minh.get(f"/notices/{latest(here).id}/")
    assert f"Cơ quan: {name} ({code})" in page
    assert re.search(r"<h3>Người đầu tiên <small>[\w.]+-\d{6}-\d{4}, 0", page)  # a dossier, and no row of a file
    (here.folder / "onestop.db").unlink()
    assert f"Cơ quan: {code}" in minh.get(f"/notices/{latest(here).id}/")
