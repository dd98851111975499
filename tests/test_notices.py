"""A notice's life, from the draft to the report, on both kinds of database."""

from __future__ import annotations

import io
import time
from collections.abc import Generator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from openpyxl import Workbook, load_workbook

from smsgw.notices import drafting, report
from smsgw.notices.audience.file import FileAudience
from smsgw.notices.drafting import CHUNK, LONGEST_NAME, LONGEST_TEXT, Draft
from smsgw.notices.office import TRIES_A_DAY
from smsgw.notices.preview import preview
from smsgw.notices.recipients import OfRow
from smsgw.notices.refusals import NoSuchNotice, NoticeRefused
from smsgw.notices.seal import as_it_stands
from smsgw.notices.spreadsheet import as_csv, write_xlsx
from smsgw.officials import audit
from smsgw.store import notices, opt_outs
from smsgw.store import notices as notice_rows
from smsgw.store.notices import LeftOut
from smsgw.store.opt_outs import OptOut
from smsgw.store.removing import Hands
from smsgw.store.tables import notice, notice_sheet
from tests.bulletin import TEXT, Cast, approved, drafted, phone, seen, table
from tests.world import NOON


def test_a_notice_is_written_by_one_approved_by_another_and_reaches_everybody_once(cast: Cast) -> None:
    made = drafted(cast.notices, cast.an).notice
    assert (made.state, made.recipients, made.segments) == ("draft", 3, 3)
    assert cast.notices.submit(made.id, cast.an).state == "submitted"
    assert cast.notices.approve(made.id, cast.binh).state == "approved"
    cast.world.settle()
    assert cast.heard(1) == ["Kinh moi Ong 1 den nhan ket qua tai bo phan mot cua."]
    assert cast.counts(made.id) == {"delivered": 3}
    assert cast.state(made.id) == "done"
    told = [(event.who, event.move) for event in cast.notices.events(made.id, cast.an)]
    assert told == [
        ("an", "create"), ("an", "submit"), ("binh", "approve"), ("gateway", "start"), ("gateway", "finish")
    ]  # fmt: skip
    with pytest.raises(NoticeRefused, match="the notice is done; what can be done with it now: nothing"):
        cast.notices.pause(made.id, cast.an)
    with cast.world.gateway.database.reading() as connection:
        assert audit.verify(connection).broken is None


def test_it_goes_out_with_accents_where_these_are_wished(cast: Cast) -> None:
    made = drafted(cast.notices, cast.an, 1, accents=True).notice
    cast.notices.submit(made.id, cast.an)
    cast.notices.approve(made.id, cast.binh)
    cast.world.settle()
    assert cast.heard(0) == ["Kính mời Ông 0 đến nhận kết quả tại bộ phận một cửa."]


def test_a_viewer_moves_nothing_and_a_sender_does_not_approve(cast: Cast) -> None:
    with pytest.raises(NoticeRefused, match="takes the role sender"):
        drafted(cast.notices, cast.dung)
    made = drafted(cast.notices, cast.binh).notice
    cast.notices.submit(made.id, cast.binh)
    with pytest.raises(NoticeRefused, match="takes the role approver"):
        cast.notices.approve(made.id, cast.an)


def test_another_agencys_notice_is_not_there(cast: Cast) -> None:
    theirs = cast.official("em", "sender", agency="H01.12")
    other = cast.official("giang", "sender", agency="H01.13")
    made = drafted(cast.notices, theirs).notice
    assert made.agency == "H01.12"
    with pytest.raises(NoSuchNotice):
        cast.notices.find(made.id, other)
    assert cast.notices.page(other) == []
    assert [item.id for item in cast.notices.page(cast.dung)] == [made.id]


def test_who_is_twice_there_opted_out_or_has_no_mobile_phone_is_named_and_left_out(cast: Cast) -> None:
    with cast.world.gateway.database.writing("test") as connection:
        opt_outs.add(connection, [OptOut(phone(1), "notice", NOON, "sms")])
    rows = f"{table(4)}\n0{phone(2)[2:]};Ông hai\n02963852000;Bà bàn\nxyz;Ông x\n0{phone(9)[2:]};"
    created = drafted(cast.notices, cast.an, file=rows)
    left = created.reckoning
    assert (left.recipients, left.duplicates, left.opted_out, left.unreachable, left.errors) == (3, 1, 1, 1, 2)
    assert [(error.row, error.column) for error in created.errors] == [(8, "phone"), (9, "tên")]
    assert [*cast.notices.every_problem(created.notice.id, cast.an)] == created.errors
    assert [*cast.notices.left_out(created.notice.id, cast.an)] == [
        LeftOut(3, "opted_out", f"0{phone(1)[2:]}"),
        LeftOut(6, "duplicate", f"0{phone(2)[2:]}"),
        LeftOut(7, "unreachable", "02963852000"),
    ]


def test_whose_number_stood_long_before_is_named_as_well(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafting, "CHUNK", 2)
    created = drafted(cast.notices, cast.an, file=f"{table(3)}\n0{phone(0)[2:]};Ông không")
    assert created.reckoning.duplicates == 1
    assert [row.line for row in cast.notices.left_out(created.notice.id, cast.an)] == [5]


def test_of_more_faults_than_are_read_at_once_none_is_left_out_of_the_list(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notice_rows, "ROWS_A_READ", 2)
    file = f"{table(2)}\n" + "\n".join(f"{fault};Ông x" for fault in ("a", "b", "c", "d", "e"))
    created = drafted(cast.notices, cast.an, file=file)
    assert [error.row for error in cast.notices.every_problem(created.notice.id, cast.an)] == [4, 5, 6, 7, 8]


def test_a_row_with_several_faults_is_one_row_that_is_left_out(cast: Cast) -> None:
    created = drafted(cast.notices, cast.an, file=f"{table(2)}\nxyz;\nabc;Ông x")
    left = created.reckoning
    assert [(error.row, error.column) for error in created.errors] == [(4, "phone"), (4, "tên"), (5, "phone")]
    assert (left.rows, left.recipients, left.wrong) == (4, 2, 2)


@pytest.mark.parametrize(
    ("name", "text", "reason"), [("n" * (LONGEST_NAME + 1), TEXT, "name"), ("n", "t" * (LONGEST_TEXT + 1), "text")]
)
def test_a_name_or_text_that_is_too_long_is_refused_whichever_way_it_comes(
    cast: Cast, name: str, text: str, reason: str
) -> None:
    made = drafted(cast.notices, cast.an).notice
    with pytest.raises(NoticeRefused, match="allowed") as made_new:
        cast.notices.create(Draft(name, text, "f"), FileAudience(io.BytesIO(table(1).encode()), text), cast.an)
    with pytest.raises(NoticeRefused, match="allowed") as changed:
        cast.notices.edit(made.id, cast.an, Draft(name, text, "f"))
    assert made_new.value.reason == changed.value.reason == reason


def test_who_opts_out_after_the_approval_gets_nothing(cast: Cast) -> None:
    made = approved(cast.notices, cast.an, cast.binh)
    with cast.world.gateway.database.writing("test") as connection:
        opt_outs.add(connection, [OptOut(phone(1), "notice", NOON, "sms")])
    cast.world.settle()
    assert (cast.heard(0) != [], cast.heard(1), cast.heard(2) != []) == (True, [], True)
    assert cast.counts(made.id) == {"delivered": 2, "cancelled": 1}
    assert cast.state(made.id) == "done"
    ended = cast.notices.find(made.id, cast.an)
    assert [*report.records(cast.notices.means, ended, "en")][2][2:4] == ("skipped", "opted_out")
    assert [*report.records(cast.notices.means, ended, "vi")][2][2:4] == ("không gửi", "đã từ chối nhận")


@pytest.mark.parametrize("wait", ["paused", "night"])
def test_who_opts_out_while_a_message_waits_in_the_queue_does_not_get_it(cast: Cast, wait: str) -> None:
    if wait == "night":
        cast.world.clock.now = NOON + timedelta(hours=9, seconds=-1)
    made = approved(cast.notices, cast.an, cast.binh)
    cast.world.gateway.feeder.feed()
    assert cast.world.states() == {"queued": 3}
    if wait == "paused":
        cast.notices.pause(made.id, cast.an)
    else:
        cast.world.clock.forward(seconds=2)
    cast.world.text(phone(1), "TC TB")
    if wait == "paused":
        cast.notices.resume(made.id, cast.an)
    else:
        cast.world.clock.forward(hours=10)
    cast.world.settle()
    assert len(cast.heard(1)) == 1  # that they are on the list now
    assert cast.counts(made.id) == {"delivered": 2, "cancelled": 1}
    assert cast.state(made.id) == "done"
    ended = cast.notices.find(made.id, cast.an)
    assert [*report.records(cast.notices.means, ended, "en")][2][2:4] == ("cancelled", "opted_out")


def test_it_waits_for_its_time_and_for_the_allowed_hours(cast: Cast) -> None:
    evening = NOON + timedelta(hours=10)  # 22:00
    made = drafted(cast.notices, cast.an, send_at=evening).notice
    cast.notices.submit(made.id, cast.an)
    cast.notices.approve(made.id, cast.binh)
    cast.world.settle()
    assert cast.state(made.id) == "approved"
    cast.world.clock.now = evening
    cast.world.settle()
    assert cast.heard(0) == []
    cast.world.clock.now = NOON + timedelta(hours=19, seconds=-3)  # 06:59:57
    cast.world.settle(2)
    assert cast.heard(0) == []
    cast.world.settle(10)
    assert cast.counts(made.id) == {"delivered": 3}


def test_what_is_queued_when_the_quiet_begins_waits_for_its_end(slow: Cast) -> None:
    slow.world.clock.now = NOON + timedelta(hours=9, seconds=-4)
    made = approved(slow.notices, slow.an, slow.binh, 100)
    slow.world.settle(8)
    handed = slow.counts(made.id)
    assert 20 <= handed["delivered"] <= 80
    slow.world.settle(8)
    assert slow.counts(made.id) == handed
    assert slow.world.text("84977000001", "HELP")  # a reply never waits


def test_paused_in_the_middle_nothing_goes_out_and_resumed_everybody_gets_it_once(slow: Cast) -> None:
    made = approved(slow.notices, slow.an, slow.binh, 90)
    slow.world.settle(4)
    slow.notices.pause(made.id, slow.an, "sai giờ")
    slow.world.settle(1)
    before = slow.counts(made.id)
    assert 0 < before["delivered"] < 80
    assert before["delivered"] + before["queued"] == 90
    slow.world.settle(4)
    assert slow.counts(made.id) == before
    slow.notices.resume(made.id, slow.an)
    slow.world.settle(12)
    assert slow.counts(made.id) == {"delivered": 90}
    assert all(len(slow.heard(number)) == 1 for number in range(90))


def test_what_waits_over_the_holidays_of_tet_goes_out_when_they_are_over(slow: Cast) -> None:
    tet, over = (datetime.fromisoformat(f"2019-02-{time}+07:00") for time in ("01T20:59:56", "11T07:00:01"))
    slow.world.clock.now = tet
    made, held = (approved(slow.notices, slow.an, slow.binh, 45) for _ in range(2))
    slow.world.settle(1)
    slow.notices.pause(held.id, slow.an)
    slow.world.settle(8)
    assert 0 < slow.counts(made.id)["delivered"] < 45
    slow.world.clock.now = tet + timedelta(days=2)
    slow.notices.resume(held.id, slow.an)
    for day in range(3, 9):
        slow.world.clock.now = tet + timedelta(days=day)
        slow.world.settle(1)
    slow.world.clock.now = over
    slow.world.settle(20)
    assert slow.counts(made.id) == slow.counts(held.id) == {"delivered": 45}


def test_cancelled_in_the_middle_the_rest_never_goes_out_and_the_budget_gets_it_back(slow: Cast) -> None:
    made = approved(slow.notices, slow.an, slow.binh, 90)
    slow.world.settle(4)
    slow.notices.cancel(made.id, slow.an, "nhầm người")
    slow.world.settle(8)
    ended = slow.counts(made.id)
    assert ended["delivered"] + ended["cancelled"] == 90
    assert sum(len(slow.heard(number)) for number in range(90)) == ended["delivered"]
    seen_again = preview(slow.notices.means, slow.notices.find(made.id, slow.an))
    assert seen_again.budget.used == ended["delivered"]
    with pytest.raises(NoticeRefused, match="cancelled by an"):
        slow.notices.resume(made.id, slow.an)


def test_who_has_a_message_of_a_notice_gets_no_other(cast: Cast) -> None:
    made = approved(cast.notices, cast.an, cast.binh)
    feeder = cast.world.gateway.feeder
    before = feeder.feed()
    with cast.world.gateway.database.writing("test") as connection:
        connection.execute(sa.update(notice_sheet).where(notice_sheet.c.notice_id == made.id).values(fed_to=0))
    with pytest.raises(sa.exc.IntegrityError):
        feeder.feed()
    assert cast.world.states() == {"queued": before}


def test_only_what_the_channel_sends_in_half_a_minute_is_queued_ahead(slow: Cast) -> None:
    approved(slow.notices, slow.an, slow.binh, 350)
    slow.world.tick()
    assert slow.world.states() == {"queued": 300}


def test_an_official_tries_it_out_on_their_own_phone(cast: Cast) -> None:
    made = drafted(cast.notices, cast.an).notice
    cast.notices.try_out(made.id, cast.an)
    cast.world.settle()
    assert [bubble.text for bubble in cast.world.heard("84912000001")] == [
        "Kinh moi Ong 0 den nhan ket qua tai bo phan mot cua."
    ]
    with pytest.raises(NoticeRefused, match="no phone of binh is known"):
        cast.notices.try_out(made.id, cast.binh)
    with pytest.raises(NoticeRefused, match="no text reaches 84296"):
        cast.notices.try_out(made.id, cast.an, "842963852288")


def test_an_official_tries_so_many_on_a_day_and_other_officials_are_free_of_it(cast: Cast) -> None:
    ids = [drafted(cast.notices, cast.an).notice.id for _ in range(2)]
    for number in range(TRIES_A_DAY):
        cast.notices.try_out(ids[number % 2], cast.an, phone(number))
    with pytest.raises(NoticeRefused, match="an has sent 20 tries within a day"):
        cast.notices.try_out(ids[0], cast.an, phone(1))
    assert [event.move for event in cast.notices.events(ids[0], cast.an)].count("try_out") == TRIES_A_DAY / 2
    cast.notices.try_out(ids[0], cast.binh, phone(1))
    cast.world.clock.now += timedelta(days=1)
    cast.notices.try_out(ids[0], cast.an, phone(1))


def test_a_text_that_names_what_its_recipients_lack_is_refused(cast: Cast) -> None:
    made = drafted(cast.notices, cast.an).notice
    with pytest.raises(NoticeRefused, match="names mã"):
        cast.notices.edit(made.id, cast.an, Draft("Nhận kết quả", "Hồ sơ ((mã))", "danh-sach.csv"))


def test_an_upload_that_breaks_off_leaves_nothing_behind(cast: Cast) -> None:
    class BreaksOff(FileAudience):
        def __iter__(self) -> Generator[OfRow]:
            yield from super().__iter__()
            raise ConnectionError("the browser is gone")

    rows = BreaksOff(io.BytesIO(table(CHUNK + 1).encode()), TEXT)
    with pytest.raises(ConnectionError):
        cast.notices.create(Draft("n", TEXT, "f"), rows, cast.an)
    with cast.world.gateway.database.reading() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(notice)) == 0


def test_what_was_taken_for_given_up_and_has_come_in_meanwhile_is_left_alone(cast: Cast) -> None:
    made = drafted(cast.notices, cast.an).notice
    notices.forget(Hands(cast.world.gateway.database), made.id)
    assert as_it_stands(cast.notices.means, cast.notices.find(made.id, cast.an)) == made.fingerprint
    assert [event.move for event in cast.notices.events(made.id, cast.an)] == ["create"]


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_hundred_thousand_rows_come_in_with_progress_and_are_held_to(cast: Cast, kind: str) -> None:
    people = 100_000
    content = io.BytesIO(table(people).encode() if kind == "csv" else workbook(people))
    progress: list[int] = []
    began = time.process_time()  # what else the machine does is not counted
    made = cast.notices.create(Draft("n", TEXT, "f"), FileAudience(content, TEXT), cast.an, progress.append).notice
    taken = time.process_time()
    assert as_it_stands(cast.notices.means, made) == made.fingerprint
    print(f"{kind}: taken in {taken - began:.1f} s, held to in {time.process_time() - taken:.1f} s of CPU")  # noqa: T201
    assert made.recipients == sum(progress) == people
    assert len(progress) >= 50


def workbook(people: int) -> bytes:
    """The same file as a workbook."""
    book, file = Workbook(write_only=True), io.BytesIO()
    sheet = book.create_sheet()
    for line in table(people).split("\n"):
        sheet.append(line.split(";"))
    book.save(file)
    return file.getvalue()


def test_failures_are_told_by_their_reason_and_the_report_names_everybody(cast: Cast, tmp_path: Path) -> None:
    cast.world.carrier.faults.change({"undelivered": 1.0})
    made = approved(cast.notices, cast.an, cast.binh)
    cast.world.settle()
    shown = seen(cast.notices, made.id, cast.an)
    assert shown.counts.undelivered == 3
    assert [(failure.state, failure.messages) for failure in shown.failures] == [("undelivered", 3)]
    means, ended = cast.notices.means, cast.notices.find(made.id, cast.an)
    lines = "".join(as_csv(report.records(means, ended, "en"))).splitlines()
    assert lines[0] == "\ufeffrow,phone,state,reason,segments,channel,sent,ended"
    assert lines[1].startswith("2,84910000000,undelivered,")
    file = tmp_path / "report.xlsx"
    with file.open("wb") as out:
        write_xlsx("r", report.table(means, ended, "vi"), out)
    rows = [*load_workbook(file)["r"].iter_rows(values_only=True)]
    assert (rows[0][1], rows[3][1], rows[3][2]) == ("số điện thoại", "0910000002", "không đến máy")
