"""Citizens follow dossiers, opt out and back in, rate, and have their say, by SMS; and nothing of it by accident."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from smsgw.dossiers.dossier import Status
from smsgw.store import audit, followers, heard, opt_outs, ratings, voices
from smsgw.store.states import LIVE_FOR
from smsgw.store.tables import inbound, voice
from smsgw.text.segments import measure
from tests.console import at_work, official
from tests.test_conversations import LAN, all_codes, code_of, owner_of
from tests.world import NOON, World, world

MAI = "84987654321"


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    url = None if request.param == "sqlite" else request.getfixturevalue("postgres_tables")
    with world(tmp_path, url, more="[answers]\nmost_followed = 3") as made:
        yield made


def follows(world: World, phone: str) -> list[str]:
    with world.gateway.database.reading() as connection:
        return followers.of(connection, [phone])[phone].wanted


def silent(world: World, phone: str) -> set[str]:
    with world.gateway.database.reading() as connection:
        return {item.purpose for item in opt_outs.of(connection, phone)}


def test_anyone_follows_a_dossier_ends_it_and_lists_it(place: World) -> None:
    code = code_of(place, Status.IN_PROGRESS)
    assert f"bao tin ve ho so {code}" in place.text(LAN, f"dk {code}")
    assert place.text(LAN, "DS").startswith(f"Ho so {code} ")
    assert follows(place, LAN) == [code]
    ended = place.text(LAN, f"HUY {code}")
    assert "khong nhan tin ve ho so" in ended
    assert "Ho so khong bi huy" in ended
    assert "khong theo doi ho so" in place.text(LAN, f"HUY {code}")
    assert "Chua thay ho so nao" in place.text(LAN, "ds")
    assert follows(place, LAN) == []


def test_the_owner_follows_without_asking_and_can_refuse(here: World) -> None:
    code, owner = code_of(here, Status.IN_PROGRESS), owner_of(here, Status.IN_PROGRESS)
    here.gateway.reminders.runs.meet()
    here.gateway.reminders.runs.tick()
    assert code in here.text(owner, "DS")
    here.text(owner, f"HUY {code}")
    assert code in here.text(owner, "DS")  # it is theirs all the same
    with here.gateway.database.reading() as connection:
        told = followers.by_dossier(connection, [code])[code]
    assert (told.wanted, told.refused) == (set(), {owner})
    here.text(owner, f"DK {code}")
    assert code in here.text(owner, "DS")


def test_one_phone_follows_no_more_than_the_settings_allow_even_in_one_breath(place: World) -> None:
    codes = all_codes(place)[:5]
    for code in codes[:4]:
        place.carrier.text(LAN, f"DK {code}")
    place.settle()
    assert "toi da 3 ho so" in place.heard(LAN)[-1].text
    assert follows(place, LAN) == codes[:3]
    assert "toi da 3 ho so" in place.text(LAN, f"DK {codes[4]}")
    assert "bao tin" in place.text(LAN, f"DK {codes[0]}")


def test_many_followed_dossiers_are_listed_in_one_message(here: World) -> None:
    for code in all_codes(here)[:12]:
        here.text(LAN, f"DK {code}")
    listed = here.text(LAN, "DS")
    assert measure(listed).segments == 1
    assert "ho so khac" in listed


def test_who_has_no_dossier_and_no_code_is_told_where_to_go(here: World) -> None:
    told = here.text(LAN, "Tôi mất giấy hẹn rồi")
    assert "Chua thay ho so nao" in told
    assert "xin goi 1022 hoac hoi noi nop" in told
    assert measure(told).segments == 1


def test_a_number_chooses_the_dossier_that_a_command_meant(here: World) -> None:
    engine = sa.create_engine(here.gateway.settings.onestop.database)
    codes = ("H01.21-190818-0001", "H01.21-180819-0001")
    with engine.begin() as connection:
        for old, new in zip(all_codes(here), codes, strict=False):
            connection.execute(sa.text("UPDATE dossier SET code = :new WHERE code = :old"), {"new": new, "old": old})
    engine.dispose()
    assert "1) " in here.text(LAN, "DK H01.21-190818-1")
    assert "bao tin ve ho so H01.21-180819-0001" in here.text(LAN, "2")
    assert follows(here, LAN) == [codes[1]]


def test_opting_out_is_by_purpose_confirmed_and_never_undone_by_an_ordinary_text(place: World) -> None:
    code = code_of(place, Status.IN_PROGRESS)
    assert "Nhan DKY de nhan lai" in place.text(LAN, "tc thông báo")
    assert silent(place, LAN) == {"notice"}
    place.text(LAN, "Từ chối")
    assert silent(place, LAN) == {"notice", "reminder"}
    for text in (code, "HELP", "toi muon dang ky khai sinh", f"PA {code} cham qua"):
        assert place.text(LAN, text)
    assert "dang tu choi tin nhac" in place.text(LAN, f"DKY {code}")
    assert silent(place, LAN) == {"notice", "reminder"}
    place.text(LAN, "DKY nhac")
    assert silent(place, LAN) == {"notice"}
    assert "lai nhan duoc" in place.text(LAN, "DKY")
    assert silent(place, LAN) == set()


def test_the_words_for_opting_out_and_in_are_settings_and_are_what_citizens_are_told(tmp_path: Path) -> None:
    words = '[words]\nopt_out = ["KHONG NUA"]\nopt_in = ["CO LAI"]\nopt_out_notices = []\nopt_out_reminders = []'
    with world(tmp_path, more=words) as made:
        assert "Nhan CO LAI de nhan lai" in made.text(LAN, "không nữa")
        assert silent(made, LAN) == {"notice", "reminder"}
        made.text(LAN, "DKY")
        assert silent(made, LAN) == {"notice", "reminder"}
        assert "Nhan KHONG NUA de tu choi" in made.text(LAN, "Có lại")
        made.text(LAN, "TC")
        assert silent(made, LAN) == set()


def test_out_and_in_again_in_one_breath_leaves_the_last_word(place: World) -> None:
    for text in ("TC", "DKY", "TC", "CO DAU", "KHONG DAU"):
        place.carrier.text(LAN, text)
    place.settle()
    assert silent(place, LAN) == {"notice", "reminder"}


def test_a_carriers_retry_changes_nothing_more(place: World) -> None:
    place.carrier.text(LAN, "TC", id="mo-1")
    place.settle()
    place.text(LAN, "DKY")
    place.carrier.text(LAN, "TC", id="mo-1")
    place.carrier.text(LAN, "PA cham qua", id="mo-2")
    place.carrier.text(LAN, "PA cham qua", id="mo-2")
    place.settle()
    assert silent(place, LAN) == set()
    with place.gateway.database.reading() as connection:
        assert sum(voices.counts(connection).values()) == 1


def test_what_waited_for_the_one_stop_database_takes_effect_once_when_it_is_answered(place: World) -> None:
    code, file = code_of(place, Status.IN_PROGRESS), place.folder / "onestop.db"
    file.rename(place.folder / "away.db")
    assert place.text(LAN, f"DK {code}") == ""
    assert "Da nhan phan anh" in place.text(MAI, f"PA {code} cham qua")
    assert "khong nhan thong bao" in place.text(MAI, "TC")
    (place.folder / "away.db").rename(file)
    place.gateway.onestop.outage.clock = lambda: place.clock().timestamp() + 60
    assert place.gateway.intake.answer_waiting() == 1
    assert place.gateway.intake.answer_waiting() == 0
    assert follows(place, LAN) == [code]


def test_a_rating_counts_once_after_the_result_from_owner_or_follower(place: World) -> None:
    done, owner = code_of(place, Status.RETURNED), owner_of(place, Status.RETURNED)
    open_ = code_of(place, Status.IN_PROGRESS)
    assert "Chi so dien thoai" in place.text(LAN, f"DG {done} 1")
    assert "cham 5/5 diem" in place.text(owner, f"DG {done} 5")
    assert "danh gia ho so" in place.text(owner, f"DG {done} 1")
    place.text(LAN, f"DK {open_}")
    assert "chua co ket qua" in place.text(LAN, f"DG {open_} 3")
    place.text(LAN, f"DK {done}")
    assert "cham 4/5 diem" in place.text(LAN, "DG 4")
    assert "vi du: DG" in place.text(MAI, "DG 4")
    assert place.text(LAN, f"DG {done} tot").endswith(f"vi du: DG {done} 5")
    assert "vi du: DG" in place.text(LAN, f"DG {done} 7")
    with place.gateway.database.reading() as connection:
        assert {(item.phone, item.score) for item in ratings.latest(connection)} == {(owner, 5), (LAN, 4)}
        (agency,) = ratings.by_agency(connection)
    assert (agency.count, agency.average) == (2, 4.5)


@pytest.mark.parametrize("text", ["DG 5", "danh gia 5", "DG5", "5 sao"])
def test_who_was_just_told_of_a_result_rates_it_without_its_code(here: World, text: str) -> None:
    code, owner = code_of(here, Status.RETURNED), owner_of(here, Status.RETURNED)
    here.text(owner, code)
    assert f"cham 5/5 diem cho viec giai quyet ho so {code}" in here.text(owner, text)


def test_a_score_is_for_the_result_that_was_just_told_of_and_a_second_one_for_no_other(here: World) -> None:
    told, later = code_of(here, Status.RETURNED), code_of(here, Status.RESOLVED)
    for code in (told, later):
        here.text(LAN, f"DK {code}")
    here.text(LAN, told)
    assert f"giai quyet ho so {told}" in here.text(LAN, "DG 4")
    assert f"da danh gia ho so {told} roi" in here.text(LAN, "DG 2")
    here.text(LAN, later)
    assert f"giai quyet ho so {later}" in here.text(LAN, "DG 2")


def test_how_to_rate_is_shown_with_the_result_that_was_just_told_of(here: World) -> None:
    code, owner = code_of(here, Status.RETURNED), owner_of(here, Status.RETURNED)
    here.text(owner, code)
    for text in ("DG 3 chờ lâu", "DG"):
        assert here.text(owner, text).endswith(f"vi du: DG {code} 5")
    here.text(MAI, code)
    assert code not in here.text(MAI, "DG 5")  # it is not theirs to rate


def test_a_complaint_reaches_the_agency_of_its_dossier_and_is_followed_by_its_number(place: World) -> None:
    code = code_of(place, Status.IN_PROGRESS)
    dossier = place.gateway.onestop.find([code])[code]
    received = place.text(LAN, f"Phản ánh {code} sao chậm quá")
    place.text(LAN, code)
    place.text(LAN, "PA cán bộ không trả lời")
    place.text(MAI, "PA đường dây nóng không ai nghe")
    with place.gateway.database.reading() as connection:
        first, second, third = voices.page(connection, "new")
        assert [item.id for item in voices.page(connection, "new", [dossier.agency_code])] == [first.id, second.id]
    assert (first.code, second.code, third.code) == (code, code, None)
    assert (third.agency_code, third.text) == (None, "đường dây nóng không ai nghe")
    assert f"phan anh so {first.number} " in received
    assert "dang duoc xem xet" in place.text(LAN, f"PA {first.number}")
    assert "khong co phan anh" in place.text(MAI, f"pa số {first.number}")


def test_a_number_that_two_draw_at_once_is_refused_to_the_second(place: World) -> None:
    place.text(LAN, "PA cham qua")
    place.text(MAI, "HELP")
    with place.gateway.database.reading() as connection:
        (one,) = voices.page(connection, "new")
        other = connection.scalar(sa.select(inbound.c.id).where(inbound.c.sender == MAI)) or ""
    new = voices.NewVoice(other, one.number, MAI, "sms", "x", None, None, None, NOON)
    with place.gateway.database.writing("test") as connection, pytest.raises(sa.exc.IntegrityError, match="number"):
        voices.add(connection, [new])


def test_without_a_phone_the_answer_asks_for_an_sms(here: World) -> None:
    for text in (f"DK {code_of(here, Status.RETURNED)}", "TC", "PA cham qua", "DG 5", "DS"):
        page = here.client.get("/tra-cuu", query_string={"ma": text}, follow_redirects=True).get_data(as_text=True)
        assert "gắn với số điện thoại" in page


def test_every_answer_to_a_command_is_one_message(here: World) -> None:
    done = code_of(here, Status.RETURNED)
    for language in ("ENGLISH", "TIENG VIET"):
        here.text(LAN, language)
        for text in (f"DK {done}", "DK", f"HUY {done}", f"HUY {done}", "TC", "TC TB", "DKY NHAC", "PA", "PA 1"):
            assert measure(here.text(LAN, text)).segments == 1
        for text in (f"DG {done} 5", "DG", "DG 5", f"PA {done} cham qua", "DS"):
            assert measure(here.text(LAN, text)).segments == 1


def complaint(world: World, text: str) -> voices.Voice:
    """What a citizen complains about, as it lies in the inbox."""
    world.text(LAN, text)
    with world.gateway.database.reading() as connection:
        return voices.page(connection, "new")[-1]


def seen(text: str) -> dict[str, str]:
    """The form of an answer that its official has seen as it goes out."""
    return {"answer": text, "seen": text}


def test_an_official_answers_once_by_sms_and_closes(place: World) -> None:
    code = code_of(place, Status.IN_PROGRESS)
    raised = complaint(place, f"PA {code} cham qua")
    desk = official(place, "sender", "sender", raised.agency_code)
    assert str(raised.number) in desk.get("/voices/")
    assert "1 đến 400" in desk.post(f"/voices/{raised.id}", 400, answer=" ")
    assert "Đã gửi trả lời" in desk.post(f"/voices/{raised.id}", **seen("Hồ sơ sẽ xong ngày mai."))
    assert "đã được trả lời hoặc kết thúc trước đó" in desk.post(f"/voices/{raised.id}", **seen("Lần nữa"))
    place.settle()
    said = f"Tra loi phan anh so {raised.number}: Ho so se xong ngay mai."
    assert [bubble.text for bubble in place.heard(LAN)].count(said) == 1
    assert place.text(LAN, f"PA {raised.number}") == said
    assert "Đã kết thúc" in desk.post(f"/voices/{raised.id}/close")
    assert "sender" in desk.get(f"/voices/{raised.id}")
    assert desk.get("/voices/?state=closed").count(str(raised.number)) >= 1
    with place.gateway.database.reading() as connection:
        actions = [entry.action for entry in audit.latest(connection, "sender")]
    assert actions[:2] == ["voice.close", "voice.answer"]


def test_of_an_answer_that_did_not_arrive_the_official_is_told_so_also_when_it_is_history(place: World) -> None:
    desk, said = official(place, "sender", "sender"), "Tin trả lời: Không đến máy<"
    for off in (0.0, 1.0):
        raised = complaint(place, "PA cham qua")
        place.carrier.faults.change({"undelivered": off})
        desk.post(f"/voices/{raised.id}", **seen("Mai xong."))
        place.settle()
        assert (said in desk.get(f"/voices/{raised.id}")) == bool(off)
    assert desk.get("/voices/?state=answered").count(said) == 1
    place.clock.forward(seconds=LIVE_FOR.total_seconds() + 60)
    assert place.gateway.sweeper.history() == 4
    assert at_work(place, "sender").get("/voices/?state=answered").count(said) == 1


def test_an_answer_is_shown_as_it_goes_out_with_its_size_and_cost_before_it_is_sent(tmp_path: Path) -> None:
    with world(tmp_path, more="tariff = 350") as made:
        raised = complaint(made, "PA khong ai nghe may")
        desk, before = official(made, "sender", "sender"), len(made.heard(LAN))
        shown = desk.post(f"/voices/{raised.id}", answer="Xin lỗi vì sự chậm trễ 😀.\r\nMong ông bà thông cảm [1].")
        goes_out = f"Tra loi phan anh so {raised.number}: Xin loi vi su cham tre ?.\nMong ong ba thong cam [1]."
        assert goes_out in shown
        assert "1 tin tính phí" in shown
        assert "350\N{NO-BREAK SPACE}₫" in shown
        assert "thành dấu hỏi: 😀." in shown
        changed = desk.post(f"/voices/{raised.id}", answer="Xin lỗi.", seen="Xin lỗi vì sự chậm trễ 😀.")
        assert f"Tra loi phan anh so {raised.number}: Xin loi." in changed
        made.settle()
        assert len(made.heard(LAN)) == before
        desk.post(f"/voices/{raised.id}", answer="Xin lỗi,\r\nđã xong.", seen="Xin lỗi,\nđã xong.")
        made.settle()
        assert made.heard(LAN)[-1].text == f"Tra loi phan anh so {raised.number}: Xin loi,\nda xong."


def test_an_answer_to_who_wants_accents_is_shown_with_them_and_loses_nothing(here: World) -> None:
    raised = complaint(here, "PA khong ai nghe may")
    here.text(LAN, "CO DAU")
    shown = official(here, "sender", "sender").post(f"/voices/{raised.id}", answer="Xin lỗi vì sự chậm trễ 😀.")
    assert f"Trả lời phản ánh số {raised.number}: Xin lỗi vì sự chậm trễ 😀." in shown
    assert "dấu hỏi" not in shown


def test_who_closes_a_complaint_without_an_answer_says_why_and_the_log_has_it(here: World) -> None:
    raised, desk = complaint(here, "PA khong ai nghe may"), official(here, "sender", "sender")
    assert re.search(r"<details[^>]*><summary>Kết thúc không trả lời…", desk.get(f"/voices/{raised.id}"))
    refused = desk.post(f"/voices/{raised.id}/close", 400, reason=" ")
    assert "Vui lòng ghi lý do" in refused
    assert re.search("<details[^>]* open", refused)
    assert "Đã kết thúc" in desk.post(f"/voices/{raised.id}/close", reason="đã gọi điện 0912345678")
    with here.gateway.database.reading() as connection:
        (closing, *_) = audit.latest(connection, "sender")
    assert json.loads(closing.detail) == {"reason": "đã gọi điện 091***78", "was": "new"}
    assert "đã gọi điện" in official(here, "admin", "admin").get("/audit/")


def test_the_log_says_what_a_voice_was_when_it_was_closed(place: World) -> None:
    raised = complaint(place, "PA khong ai nghe may")
    assert place.gateway.voices.answer(raised, "Xin lỗi ông bà.", "lan")
    assert place.gateway.voices.close(raised, "binh")  # who saw it before it was answered
    assert not place.gateway.voices.close(raised, "lan")
    with place.gateway.database.reading() as connection:
        (closing,) = audit.latest(connection, "binh")
    assert closing.detail == '{"was": "answered"}'


def test_officials_see_what_is_said_to_their_agency_and_viewers_only_read(here: World) -> None:
    theirs = complaint(here, f"PA {code_of(here, Status.IN_PROGRESS)} cham qua")
    provinces = complaint(here, "PA khong ai nghe may")
    viewer, elsewhere = official(here, "viewer", "viewer"), official(here, "other", "sender", "H01.99")
    with here.gateway.database.writing("test") as connection:
        connection.execute(sa.update(voice).where(voice.c.id == provinces.id).values(agency_code=None, code=None))
    bound = official(here, "bound", "sender", theirs.agency_code)
    assert str(provinces.number) in viewer.get("/voices/")
    assert str(provinces.number) not in bound.get("/voices/")
    bound.get(f"/voices/{theirs.id}")
    for desk, raised in ((elsewhere, theirs), (bound, provinces)):
        desk.get(f"/voices/{raised.id}", 404)
        desk.post(f"/voices/{raised.id}", 404, **seen("x"))
        desk.post(f"/voices/{raised.id}/close", 404)
    viewer.post(f"/voices/{theirs.id}", 403, **seen("x"))
    viewer.post(f"/voices/{theirs.id}/close", 403)


def test_ratings_are_shown_by_agency_with_numbers_masked(here: World) -> None:
    code, owner = code_of(here, Status.RETURNED), owner_of(here, Status.RETURNED)
    here.text(owner, f"DG {code} 4")
    desk = official(here, "viewer", "viewer")
    shown = desk.get("/ratings/?days=30")
    assert code in shown
    assert "4,00" in shown
    assert owner not in shown
    assert "Chưa có đánh giá" in official(here, "other", "viewer", "H01.99").get("/ratings/")


def test_the_report_counts_what_was_said_in_a_period(here: World) -> None:
    code, owner = code_of(here, Status.RETURNED), owner_of(here, Status.RETURNED)
    for text in (f"DG {code} 4", "PA cham qua", "TC TB", f"DK {code}"):
        here.text(owner, text)
    with here.gateway.database.reading() as connection:
        now = heard.heard(connection, NOON)
        before = heard.heard(connection, None, NOON)
    assert now.voices == {"new": 1, "answered": 0, "closed": 0}
    assert (now.ratings.count, now.ratings.average, now.followed) == (1, 4.0, 1)
    assert now.opted_out == {"reminder": 0, "notice": 1}
    assert (before.voices["new"], before.ratings.count) == (0, 0)
