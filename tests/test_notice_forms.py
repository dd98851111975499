"""The console's form of a notice, without a browser: what may be written there, and what is said about bad input."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from smsgw.dossiers import selecting
from smsgw.notices.audience.lines import MIB
from smsgw.web.console.notice_form import as_chosen, written
from tests.console import official
from tests.notice_desk import FILE, TEXT, faults, latest, post
from tests.world import World, world


def test_another_file_makes_another_notice_and_ends_the_one_before(here: World) -> None:
    lan = official(here, "lan", "sender")
    post(lan, "new", content=FILE + "x;Chi\n")
    before = latest(here)
    post(lan, f"{before.id}/edit", content=FILE)
    assert [faults(here, one) for one in (before, latest(here))] == [1, 0]
    assert here.gateway.notices.find(before.id, here.gateway.accounts.named("lan")).state == "cancelled"


def test_a_form_from_before_somebody_elses_change_takes_its_place_only_when_told(here: World) -> None:
    lan, mai = official(here, "lan", "sender"), official(here, "mai", "sender")
    post(lan, "new")
    old = latest(here)
    post(mai, f"{old.id}/edit", by="keep", text="Mot ((ten))", seen=old.version)
    for by in ("keep", "file"):
        page = post(lan, f"{old.id}/edit", 409, by=by, text="Hai ((ten))", seen=old.version)
        assert "mai đã sửa thông báo này" in page
        assert "Mot ((ten))" in page
        assert "Hai ((ten))" in page
        assert (latest(here).id, latest(here).text) == (old.id, "Mot ((ten))")
    found = re.search(r'name="seen" value="([^"]+)"', page)
    assert found
    post(lan, f"{old.id}/edit", by="keep", text="Hai ((ten))", seen=found[1])
    assert latest(here).text == "Hai ((ten))"


@pytest.mark.parametrize("by", ["keep", "file"])
def test_of_two_who_save_in_the_same_moment_the_second_is_told_and_sees_what_the_first_wrote(
    here: World, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    lan, mai = official(here, "lan", "sender"), official(here, "mai", "sender")
    post(lan, "new")
    old, database = latest(here), here.gateway.database
    writing, turns = database.writing, [lambda: post(mai, f"{old.id}/edit", by="keep", name="Tên của Mai")]

    def after_the_other(name: str) -> Any:
        if name == "move notice" and turns:
            turns.pop()()
        return writing(name)

    monkeypatch.setattr(database, "writing", after_the_other)
    page = post(lan, f"{old.id}/edit", 409, by=by, name="Tên của Lan", seen=old.version)
    assert "mai đã sửa thông báo này" in page
    assert "Tên của Mai" in page
    assert 'value="Tên của Lan"' in page
    assert [one.name for one in here.gateway.notices.page(here.gateway.accounts.named("lan"))][-1] == "Tên của Mai"
    assert here.gateway.notices.find(old.id, here.gateway.accounts.named("lan")).state == "draft"


def test_characters_that_become_question_marks_are_named_while_that_can_be_mended(here: World) -> None:
    lan = official(here, "lan", "sender")
    assert "dấu hỏi: 😀 ✓." in post(lan, "new", text="Chao ((ten)) 😀 ✓ m² 😀")
    assert "dấu hỏi" not in post(lan, "new", text="Chao ((ten)) 😀", accents="1")
    assert "dấu hỏi" not in post(lan, "new", text="Chào ((ten)), 100 m²?")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Chao ((ten)", True),
        ("Chao ((ten", True),
        ("Chao ((ten)) va (( ))", True),
        ("Chao ((ten)) (theo QD 5 (2026))", False),
        ("Chao ((ten))((ten))", False),
    ],
)
def test_brackets_that_were_to_be_a_placeholder_are_told_before_they_go_out(here: World, text: str, told: bool) -> None:
    assert ("chưa thành chỗ điền" in post(official(here, "lan", "sender"), "new", text=text)) == told


def test_a_text_may_not_name_what_the_list_has_not(here: World) -> None:
    lan = official(here, "lan", "sender")
    post(lan, "new")
    said = post(lan, f"{latest(here).id}/edit", 400, by="keep", text="((ten)) ((tuổi))")
    assert "thiếu cột mà nội dung nhắc đến; xin chọn lại" in said
    assert latest(here).text == TEXT


def test_whose_notice_goes_by_a_filter_finds_it_as_it_was_chosen(here: World) -> None:
    lan = official(here, "lan", "sender")
    code = next(iter(selecting.named(here.gateway.onestop.url)[0]))
    post(lan, "new", by="filter", text="Nghỉ lễ.", agency=code, due_from="2018-08-01", level="4")
    page = lan.get(f"/notices/{latest(here).id}/edit")
    assert f'<option value="{code}" selected>' in page
    assert re.search(r'name="due_from"[^>]* value="2018-08-01"', page)
    assert re.search(r'name="level" value="4" checked', page)


@pytest.mark.parametrize(
    ("audience", "typed"),
    [
        ("all", False),
        ("agency=H01.12* procedure=1.001612 status=4,5 level=3 due>=2018-08-01 due<=2018-08-31 !overdue", False),
        ("agency=H01.12 overdue", False),
        ("agency=H01.12,H01.13", True),
        ("due<today", True),
        ("Danh sách.xlsx", None),
        ("", None),
    ],
)
def test_the_fields_of_a_filter_come_to_the_same_again(audience: str, typed: bool | None) -> None:
    form = as_chosen(audience, date(2018, 8, 2))
    assert (form.get("filter") == audience) is bool(typed)
    assert written(form) == ("" if typed is None else audience)


def test_a_form_without_its_token_is_refused(here: World) -> None:
    lan = official(here, "lan", "sender")
    answer = lan.client.post("/console/notices/new", data={"name": "x"})
    assert answer.status_code == 400
    assert not here.gateway.notices.page(here.gateway.accounts.named("lan"))


@pytest.mark.parametrize(
    ("fields", "content", "said"),
    [
        ({}, "<html>", "trang web"),
        ({}, "ten\nAn\n", "không có cột số điện thoại"),
        ({"text": "((tuổi))"}, FILE, "tuổi"),
        ({"name": " "}, FILE, "đặt tên"),
        ({"name": "n" * 121}, FILE, "dài nhất 120 ký tự"),
        ({"text": ""}, FILE, "viết nội dung"),
        ({"text": "n" * 1001}, FILE, "dài nhất 1000 ký tự"),
        ({"at": "soon"}, FILE, "Thời điểm"),
        ({"at": "9999-12-31T23:59"}, FILE, "quá xa"),
        ({"by": "filter", "filter": "status=77"}, FILE, "ký tự thứ 1"),
        ({"by": "filter"}, FILE, "ít nhất một mục"),
        ({"by": "filter", "filter": " "}, FILE, "ít nhất một mục"),
        ({"no_file": "1"}, FILE, "chọn tệp"),
    ],
)
def test_bad_input_is_said_in_a_sentence_and_what_was_typed_stays(
    here: World, fields: dict[str, str], content: str, said: str
) -> None:
    lan = official(here, "lan", "sender")
    page = post(lan, "new", 400, content, **fields)
    assert said in page
    assert fields.get("text", TEXT) in page
    assert not here.gateway.notices.page(here.gateway.accounts.named("lan"))


def test_a_change_by_which_a_message_gets_too_long_says_that_it_takes_too_many_segments(here: World) -> None:
    lan = official(here, "lan", "sender")
    post(lan, "new")
    page = post(lan, f"{latest(here).id}/edit", 400, by="keep", text="ờ" * 600, accents="1")
    assert "quá số phần cho phép" in page


def test_a_draft_that_goes_to_nobody_may_still_be_changed(here: World) -> None:
    lan = official(here, "lan", "sender")
    page = post(lan, "new", content="phone;ten\nx;An\n")
    assert "tiếp tục mà không có các dòng này" not in page
    assert "Không dòng nào gửi được" in page
    assert latest(here).recipients == 0
    post(lan, f"{latest(here).id}/edit", by="keep", name="Tên mới")
    assert (latest(here).name, latest(here).text) == ("Tên mới", TEXT)


def test_who_brings_a_file_for_which_the_databases_disk_has_no_room_reads_so_and_nothing_is_stored(here: World) -> None:
    def room(pages: int) -> None:
        with here.gateway.database.writing("test") as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    lan, rows = official(here, "lan", "sender"), "phone;ten\n" + "".join(f"{912000000 + n};An\n" for n in range(3000))
    room(1)  # SQLite takes that for as many as there are
    assert "ổ đĩa của máy chủ đã đầy" in post(lan, "new", 507, rows)
    assert not here.gateway.notices.page(here.gateway.accounts.named("lan"))
    room(1_000_000)
    post(lan, "new", 200, rows)
    assert latest(here).recipients == 3000


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with world(tmp_path, more="[notices]\nlargest_file = 1") as small:
        lan = official(small, "lan", "sender")
        assert "lớn hơn 1 MB" in post(lan, "new", 400, "phone\n" + "0912000001\n" * (MIB // 11 + 1))
        post(lan, "new", 413, "phone\n" + "0912000001\n" * (MIB // 8))


def test_an_official_of_an_agency_counts_and_reaches_only_its_dossiers(here: World) -> None:
    everybody, lan = official(here, "tinh", "sender"), official(here, "lan", "sender", "000.00.02.H01")
    assert everybody.get("/notices/count?filter=all") == "60 hồ sơ"
    assert int(lan.get("/notices/count?filter=all").split()[0]) < 60
    assert everybody.get("/notices/count?all=1") == "60 hồ sơ"
    assert lan.get("/notices/count?agency=000.00.03.H01") == "0 hồ sơ"
    assert "ký tự thứ 1" in lan.get("/notices/count?filter=oops")


def test_nobody_is_scolded_before_they_have_chosen_anything(here: World) -> None:
    lan = official(here, "lan", "sender")
    assert lan.get("/notices/count?by=filter") == ""
    assert "ít nhất một mục" not in lan.get("/notices/new")
    assert post(lan, "new", 400, by="filter").count("ít nhất một mục") == 1


def test_every_dossier_is_a_box_to_tick_and_stands_alone(here: World) -> None:
    lan = official(here, "lan", "sender")
    assert "Người nhận" in post(lan, "new", by="filter", text="Nghỉ lễ.", all="1")
    assert latest(here).audience == "all"
    page = post(lan, "new", 400, by="filter", text="Nghỉ lễ.", all="1", overdue="yes")
    assert 'id="all-wrong">Đã chọn mọi hồ sơ thì không chọn mục nào khác.' in page
    assert re.search('name="all"[^>]* checked', page)


@pytest.mark.parametrize("at", ["", "2018-08-15T08:00"])
def test_who_writes_or_approves_at_night_is_told_that_it_begins_in_the_morning(here: World, at: str) -> None:
    here.clock.forward(hours=11)  # it is eleven at night
    lan, minh = official(here, "lan", "sender"), official(here, "minh", "approver")
    written = post(lan, "new", at=at)
    lan.post(f"/notices/{latest(here).id}/move", move="submit")
    for shown in (written, minh.get(f"/notices/{latest(here).id}/")):
        assert "Bây giờ là giờ không gửi (ban đêm, ngày lễ)" in shown
        assert "bắt đầu đi lúc 16/08/2018 07:00" in shown
        assert "sẽ đi ngay" not in shown
    here.clock.forward(hours=9)
    assert "giờ không gửi" not in official(here, "chi", "approver").get(f"/notices/{latest(here).id}/")
