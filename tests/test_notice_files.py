"""What the console lets download of a notice: faults, who is left out, and the report, in the words of its page."""

from __future__ import annotations

from pathlib import Path

from smsgw.notices.report import STATES
from smsgw.web.console import texts
from tests.bulletin import drafted
from tests.console import official
from tests.notice_desk import FILE, latest, moved, post
from tests.world import World


def test_the_list_of_faults_and_the_report_can_be_downloaded_without_formulas(here: World) -> None:
    lan = official(here, "lan", "sender")
    post(lan, "new", content=FILE + "=HYPERLINK(1);Chi\n")
    id = latest(here).id
    faults = lan.get(f"/notices/{id}/errors.csv")
    assert [line.split(",")[0] for line in faults.splitlines()] == ["\ufeffdòng", "4"]
    assert "84912000001" in lan.get(f"/notices/{id}/report.csv")
    assert lan.client.get(f"/console/notices/{id}/report.xlsx", buffered=True).data.startswith(b"PK")


def test_who_is_left_out_can_be_downloaded_with_the_reasons(here: World) -> None:
    lan = official(here, "lan", "sender")
    post(lan, "new", content=FILE + "+447911123456;Ba\n0912000001;An\n")
    id = latest(here).id
    page = lan.get(f"/notices/{id}/")
    assert f"/notices/{id}/left-out.csv" in page
    assert lan.get(f"/notices/{id}/left-out.csv").splitlines() == [
        "\ufeffdòng,số điện thoại,mã hồ sơ,lý do",
        "4,'+447911123456,,số này không nhận được SMS",
        "5,0912000001,,trùng số với một dòng ở trên",
    ]


def test_faults_of_a_file_that_a_command_brought_are_told_in_the_language_of_the_page(here: World) -> None:
    lan = official(here, "lan", "sender")
    made = drafted(here.gateway.notices, here.gateway.accounts.named("lan"), file="phone;tên\nabc;An\n0912000001;\n")
    assert "this is no phone number: abc" in [error.problem for error in made.errors]
    for page in (f"/notices/{made.notice.id}/", f"/notices/{made.notice.id}/errors.csv"):
        shown = lan.get(page)
        assert "không phải số điện thoại: abc" in shown
        assert "bỏ trống mà nội dung cần đến" in shown
        assert "phone number" not in shown


def test_the_page_counts_the_rows_with_faults_and_not_the_faults(here: World) -> None:
    lan = official(here, "lan", "sender")
    post(lan, "new", content=FILE + "xyz;\n")
    assert "Dòng bị lỗi: 1<" in lan.get(f"/notices/{latest(here).id}")


def test_the_report_calls_what_became_of_a_message_by_the_words_of_the_page(here: World) -> None:
    lan, minh = official(here, "lan", "sender"), official(here, "minh", "approver")
    post(lan, "new")
    id = latest(here).id
    assert "chưa gửi" in lan.get(f"/notices/{id}/report.csv")
    moved(lan, latest(here), "submit")
    moved(minh, latest(here), "approve")
    here.tick()
    here.settle()
    report = lan.get(f"/notices/{id}/report.csv")
    assert report.count("đã đến máy") == 2
    assert "tin tính phí" in report
    assert "Đã đến máy" in lan.get(f"/notices/{id}/")
    for state in ("submitted", "undelivered", "unknown", "cancelled"):
        assert STATES[state] == texts.say("vi", f"notices.{state}").lower()


def test_every_reason_has_its_words() -> None:
    said = texts.load()["notices"]
    assert said["vi"].keys() == said["en"].keys()
    room = Path(__file__).parent.parent / "smsgw/notices"
    reasons = {
        part.split('"')[1]
        for file in room.glob("*.py")
        for part in file.read_text(encoding="utf-8").split("NoticeRefused(")[1:]
        if part.lstrip().startswith('"')
    }
    assert reasons
    assert not [reason for reason in reasons if f"refused_{reason}" not in said["vi"]]
