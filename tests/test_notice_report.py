"""What became of a notice, as a workbook: one sees, sorts and sums in it without touching anything up first."""

from __future__ import annotations

import io
from datetime import datetime
from typing import Any

import pytest
from openpyxl import load_workbook

from smsgw.notices import report
from smsgw.notices.drafting import Draft
from tests.bulletin import Cast, approved, drafted, seen
from tests.console import Desk, official
from tests.world import World

FILE = "SĐT;Họ tên;Mã\n0912000001;An;H01-1\n0912000002;=1+1;H01-2\n"
TEXT = "Kính gửi ((họ tên)), hồ sơ ((Mã)) đã xong."


def sent(world: World, name: str = "Lịch nghỉ: Tết/2019") -> tuple[Desk, str]:
    """Who wrote a notice that is over, and its id."""
    lan = official(world, "lan", "approver")
    official(world, "minh", "approver")
    notices, named = world.gateway.notices, world.gateway.accounts.named
    made = drafted(notices, named("lan"), text=TEXT, file=FILE).notice
    notices.edit(made.id, named("lan"), Draft(name, TEXT, "f"))
    notices.submit(made.id, named("lan"))
    notices.approve(made.id, named("minh"))
    world.settle()
    return lan, made.id


def sheet(desk: Desk, id: str) -> Any:
    """The report as a spreadsheet program opens it."""
    answer = desk.client.get(f"/console/notices/{id}/report.xlsx", buffered=True)
    book = load_workbook(io.BytesIO(answer.data))
    assert book.sheetnames == ["Báo cáo"]
    return book["Báo cáo"]


def test_the_workbook_has_numbers_and_times_as_such_and_phones_as_people_write_them(here: World) -> None:
    shown = sheet(*sent(here))
    headings, first, second = shown.iter_rows(values_only=True)
    assert headings == (
        *("dòng", "số điện thoại", "trạng thái", "lý do", "tin tính phí", "kênh", "gửi lúc", "kết thúc lúc"),
        *("họ tên", "Mã"),
    )
    assert first[:6] == (2, "0912000001", "đã đến máy", None, 1, "sms")
    for at in first[6:8]:
        assert isinstance(at, datetime)
        assert f"{at:%Y-%m-%d %H}" == "2018-08-15 12"  # by the province's clock
    assert first[8:] == ("An", "H01-1")
    assert second[8:] == ("'=1+1", "H01-2")  # nothing that a spreadsheet program runs
    assert shown["G2"].number_format == "dd/mm/yyyy hh:mm:ss"


def test_the_workbook_keeps_its_heading_in_sight_and_its_columns_wide_enough(here: World) -> None:
    shown = sheet(*sent(here))
    assert shown.freeze_panes == "A2"
    assert shown["A1"].font.bold
    assert shown.column_dimensions["G"].width > len("15/08/2018 12:00:00")
    assert shown.column_dimensions["B"].width > len("số điện thoại")


def test_a_report_of_a_notice_that_has_not_begun_leaves_what_is_not_known_empty(here: World) -> None:
    lan = official(here, "lan", "sender")
    made = drafted(here.gateway.notices, here.gateway.accounts.named("lan")).notice
    assert [*sheet(lan, made.id).iter_rows(values_only=True)][1][2:8] == ("chưa gửi", None, None, None, None, None)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("Lịch nghỉ: Tết/2019", "lich-nghi-tet-2019"),
        ("  Mời nhận kết quả!  ", "moi-nhan-ket-qua"),
        ("n" * 120, "n" * 60),
        ('../"x"\\', "x"),
    ],
)
def test_a_file_is_named_by_its_notice_and_the_day_it_was_written(here: World, name: str, file: str) -> None:
    lan, id = sent(here, name)
    files = {
        "report.xlsx": "bao-cao",
        "report.csv": "bao-cao",
        "errors.csv": "dong-loi",
        "left-out.csv": "dong-bi-loai",
    }
    for path, begins in files.items():
        answer = lan.client.get(f"/console/notices/{id}/{path}", buffered=True)
        saved = answer.headers["Content-Disposition"].replace('"', "")
        assert saved == f"attachment; filename={begins}-{file}-2018-08-15.{path[-4:].strip('.')}"


def test_a_name_of_which_no_letter_can_stand_in_a_files_name_leaves_the_id(here: World) -> None:
    lan, id = sent(here, "通知")
    answer = lan.client.get(f"/console/notices/{id}/report.csv")
    assert f"bao-cao-{id}-2018-08-15.csv" in answer.headers["Content-Disposition"]


@pytest.mark.parametrize(
    ("text", "more"), [("Nghỉ lễ.", ("mã hồ sơ",)), ("((họ tên)), ((Mã hồ sơ))", ("họ tên", "Mã hồ sơ"))]
)
def test_of_dossiers_the_workbook_has_the_code_of_each(here: World, text: str, more: tuple[str, ...]) -> None:
    lan = official(here, "lan", "sender")
    lan.post("/notices/new", by="filter", name="Nghỉ", text=text, all="1")
    (made,) = here.gateway.notices.page(here.gateway.accounts.named("lan"))
    headings, *lines = sheet(lan, made.id).iter_rows(values_only=True)
    assert headings[8:] == more
    assert here.examples[0].code in [line[7 + len(more)] for line in lines]


def test_of_what_the_carrier_never_reports_nobody_is_told_that_it_did_not_arrive(cast: Cast) -> None:
    cast.world.carrier.faults.change({"lost_receipts": 1.0})
    made = approved(cast.notices, cast.an, cast.binh)
    cast.world.settle()
    cast.world.clock.forward(hours=73)
    cast.world.gateway.sweep()
    assert cast.world.states() == {"expired": 3}
    shown = seen(cast.notices, made.id, cast.an)
    assert cast.counts(made.id) == {"submitted": 3}
    assert (shown.sent, shown.failures) == (3, [])
    means, ended = cast.notices.means, cast.notices.find(made.id, cast.an)
    english, vietnamese = (
        [*lines][1] for lines in (report.records(means, ended, "en"), report.records(means, ended, "vi"))
    )
    assert english[2:4] == ("unreported", "no_receipt")
    assert vietnamese[2:4] == ("đã gửi, không có báo cáo", "nhà mạng không báo kết quả")
