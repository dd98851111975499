"""What a citizen experiences, from the handset and back to it, over the real wire and real databases."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from smsgw.dossiers.dossier import Status
from smsgw.store.tables import inbound, outbound
from smsgw.text.phones import msisdn
from smsgw.text.segments import measure
from tests.console import official
from tests.world import World

LAN = "84912345678"


def code_of(world: World, status: Status) -> str:
    return next(example.code for example in world.examples if example.status == status)


def owner_of(world: World, status: Status) -> str:
    phone = next(example.phone for example in world.examples if example.status == status)
    return msisdn(phone) or ""


def all_codes(world: World) -> list[str]:
    engine = sa.create_engine(world.gateway.settings.onestop.database)
    with engine.connect() as connection:
        codes = list(connection.scalars(sa.text("SELECT code FROM dossier ORDER BY code")))
    engine.dispose()
    return codes


def code_dossiers(world: World, *codes: str) -> None:
    """As many dossiers have these codes from now on."""
    engine = sa.create_engine(world.gateway.settings.onestop.database)
    with engine.begin() as connection:
        for old, new in zip(all_codes(world), codes, strict=False):
            connection.execute(sa.text("UPDATE dossier SET code = :new WHERE code = :old"), {"new": new, "old": old})
    engine.dispose()


def test_a_citizen_texts_a_code_and_gets_its_status(anywhere: World) -> None:
    code = code_of(anywhere, Status.IN_PROGRESS)
    assert f"Ho so {code} " in anywhere.text(LAN, f"HS {code}")
    assert anywhere.states() == {"delivered": 1}


def test_sixty_codes_over_ten_statuses_are_all_answered_once(anywhere: World) -> None:
    codes = all_codes(anywhere)
    assert len(codes) == 60
    assert len(anywhere.examples) == 10
    for code in codes:
        anywhere.carrier.text(LAN, f"hs {code}")
    anywhere.settle()
    answers = [bubble.text for bubble in anywhere.heard(LAN)]
    assert len(answers) == 60
    assert all(sum(code in answer for answer in answers) == 1 for code in codes)
    assert anywhere.states() == {"delivered": 60}


def test_an_inbound_id_that_comes_again_is_answered_nothing_new(anywhere: World) -> None:
    anywhere.carrier.text(LAN, "HELP", id="mo-same")
    anywhere.settle()
    anywhere.carrier.text(LAN, "HELP", id="mo-same")
    anywhere.settle()
    assert len(anywhere.heard(LAN)) == 1
    assert anywhere.states() == {"delivered": 1}


def test_what_is_missing_is_told_to_the_phone_on_the_dossier_only(here: World) -> None:
    code = code_of(here, Status.SUPPLEMENT_ASKED)
    with here.gateway.database.reading():
        note = here.gateway.onestop.find([code])[code].supplement_note
    assert note
    assert "can bo sung:" in here.text(owner_of(here, Status.SUPPLEMENT_ASKED), code)
    assert "can bo sung giay to" in here.text(LAN, code)


def test_two_readings_that_both_exist_are_asked_about_and_a_number_answers(here: World) -> None:
    # Day and month of a ten-year-old phone's habit: 190818 is 2019-08-18 or 18 August 2019's mirror, 19 August 2018.
    code_dossiers(here, "H01.21-190818-0001", "H01.21-180819-0001")
    asked = here.text(LAN, "HS H01.21-190818-1")
    assert "1) H01.21-190818-0001" in asked
    assert "2) H01.21-180819-0001" in asked
    assert "H01.21-180819-0001" in here.text(LAN, "2")
    assert "H01.21-180819-0001" in here.text(LAN, "thứ hai")
    assert "Khong co cau hoi nao" in here.text("84987654321", "2")
    assert "Xin nhan HS" in here.text("84987654321", "thứ 2 ạ")  # Monday


def test_dossiers_named_in_short_are_each_answered_and_followed(here: World) -> None:
    codes = [f"H01.21-180813-{number:04}" for number in range(1, 5)]
    code_dossiers(here, *codes)
    told = here.text(LAN, f"{codes[0]}, 0002 va 0003").splitlines()
    assert [line.split(":")[0] for line in told] == codes[:3]
    assert here.text(LAN, f"{codes[0]}/0002/0003/0004").splitlines()[-1] == "Moi lan tra loi toi da 3 ho so."
    assert f"bao tin ve ho so {codes[0]}, {codes[1]}." in here.text(LAN, f"DK {codes[0]} va 0002")
    assert f"Quy ong/ba se khong nhan tin ve ho so {codes[0]}, {codes[1]} nua" in here.text(
        LAN, f"HUY {codes[0]}, 0002"
    )


def test_who_names_further_dossiers_by_less_than_whole_ordinals_is_told_that_each_needs_its_code(here: World) -> None:
    code_dossiers(here, "H01.21-180813-0001", "H01.21-180813-0002")
    for text in ("H01.21-180813-0001,2,3", "H01.21-180813-0001 va 02"):
        told = here.text(LAN, text)
        assert told.startswith("H01.21-180813-0001: ")
        assert told.endswith("\nMoi ho so xin ghi du ma.")
        assert "0002" not in told
        assert measure(told).segments == 1
    assert here.text(LAN, "H01.21-180813-0009, 10").startswith("Khong tim thay ho so H01.21-180813-0009.")


def test_who_names_no_dossier_to_follow_is_shown_the_code_that_was_told_of_last(here: World) -> None:
    assert "nhan: DK H01.12-180802-0012." in here.text(LAN, "DK")
    code = code_of(here, Status.IN_PROGRESS)
    here.text(LAN, code)
    for text, word in (("DK", "DK"), ("huỷ", "HUY")):
        told = here.text(LAN, text)
        assert f"nhan: {word} {code}." in told
        assert measure(told).segments == 1


def test_an_identity_number_behind_an_agency_is_not_echoed(here: World) -> None:
    for number in ("351808150", "089180815123"):
        told = here.text(LAN, f"H01.29 {number}")
        assert told.startswith("De an toan, xin khong nhan so can cuoc.")
        assert "180815" not in told


def test_who_asks_to_follow_several_is_told_of_those_that_are_not(here: World) -> None:
    one, two, three, four = (f"H01.21-19081{number}-0001" for number in (3, 4, 5, 6))
    code_dossiers(here, one, two, three, four)
    told = here.text(LAN, f"DK {one}, {two}, {three}, {four}")
    assert f"ve ho so {one}, {two}, {three}." in told
    assert told.endswith("\nMoi lan tra loi toi da 3 ho so.")
    told = here.text("84911111111", f"DK {one} va H01.21-190817-0009")
    assert f"ve ho so {one}." in told
    assert told.endswith("\nH01.21-190817-0009: khong tim thay")
    assert here.text("84922222222", f"DK {one},13").endswith("\nMoi ho so xin ghi du ma.")


def test_a_question_stays_open_for_other_numbers_until_something_else_is_asked(here: World) -> None:
    first, second = "H01.21-190818-0001", "H01.21-180819-0001"
    code_dossiers(here, first, second)
    asked = here.text(LAN, "DK H01.21-190818-1")
    assert f"1) {first}\n2) {second}" in asked
    assert here.text(LAN, "7") == asked
    assert f"bao tin ve ho so {second}" in here.text(LAN, "2")
    assert f"bao tin ve ho so {first}" in here.text(LAN, "1")
    for text in ("?", "TRO GIUP", "CO DAU", "KHONG DAU", "nhan lai"):
        here.text(LAN, text)  # whoever asks how to answer has not answered yet
    assert f"bao tin ve ho so {second}" in here.text(LAN, "2")
    here.text(LAN, "DS")
    assert "Khong co cau hoi nao" in here.text(LAN, "1")


def test_a_code_that_lost_its_year_is_said_to_be_incomplete_and_no_other_is_echoed(here: World) -> None:
    code_dossiers(here, "H01.29.01-180815-0001", "H01.29.01-180815-0005")
    whole = here.text("84987654321", "H01.29.01-180815-0001")
    for number, text in enumerate(("H01.29.01-0815-0001", "H01.29.01-18-0001", "H01.29.01-1808155-0001")):
        told = here.text(f"8498765430{number}", text)
        assert told.startswith("Ma ho so chua du hoac chua dung.")
        assert "-150001" not in told
        assert measure(told).segments == 1
    assert here.text(LAN, "H01.29.01-0815-0001, H01.29.01-180815-0001").startswith("H01...: chua ro, xin nhan rieng")
    assert here.text(LAN, "H01.29.01-1808\n15-00\n01") == whole


def test_nothing_is_said_of_or_done_for_another_dossier_where_a_letter_stands_for_a_digit(here: World) -> None:
    code_dossiers(here, "H01.21-180813-0001", "H01.21-180813-0012")
    for text in ("H01.21-180813-001Z", "DK H01.21-180813-001Z", "HUY H01.21-180813-1a2"):
        assert here.text(LAN, text).startswith("Ma ho so chua du hoac chua dung.")
    assert ", chuyen den" not in here.text(LAN, "PA H01.21-180813-001Z cham qua")


def test_a_code_of_a_day_that_there_is_not_is_repeated_as_it_was_typed(here: World) -> None:
    assert here.text(LAN, "H01.21-180832-0001").startswith("Khong tim thay ho so H01.21-180832-0001.")
    assert "H01.21-180832-0002: khong tim thay" in here.text(LAN, "H01.21-180832-0001, 0002")


def test_digits_that_are_a_code_only_if_one_was_lost_between_two_parts_are_asked_about(here: World) -> None:
    code_dossiers(here, "H01.29-150801-0001")
    for text in ("H01.29.01-0815-0001", "DK H01.29.01-0815-0001"):
        assert here.text(LAN, text).startswith("Ma nay co the la:\n1) H01.29-150801-0001")
    assert "bao tin ve ho so H01.29-150801-0001" in here.text(LAN, "1")


def test_the_same_office_in_the_other_form_is_asked_about_where_the_code_itself_is_nobodys(here: World) -> None:
    old, new = "000.17.22.H01-180802-0012", "H01.22.17-180802-0012"
    code_dossiers(here, old)
    assert f"1) {old}" in here.text(LAN, f"HS {new}")
    assert f"Ho so {old} " in here.text(LAN, "1")
    code_dossiers(here, new)
    assert f"Ho so {new} " in here.text(LAN, f"HS {new}")


def test_a_code_with_a_zero_too_many_is_asked_about_and_never_taken(here: World) -> None:
    code_dossiers(here, "H01.21-180813-0001")
    for text in ("H01.21-180813-00001", "DK H01.21-180813-00001"):
        assert here.text(LAN, text).startswith(
            "Khong tim thay ho so H01.21-180813-00001. Co phai:\n1) H01.21-180813-0001\n"
        )
    assert "bao tin ve ho so H01.21-180813-0001" in here.text(LAN, "1")
    code_dossiers(here, "H01.21-180813-00001")
    assert here.text(LAN, "H01.21-180813-00001").startswith("Ho so H01.21-180813-00001 ")


def test_a_yes_means_the_only_option_of_a_question_and_nothing_else(here: World) -> None:
    old, new = "000.17.22.H01-180802-0012", "H01.22.17-180802-0012"
    code_dossiers(here, old)
    assert f"1) {old}" in here.text(LAN, f"DK {new}")
    assert f"bao tin ve ho so {old}" in here.text(LAN, "dạ đúng rồi ạ")
    assert "Cam on quy ong/ba" in here.text(LAN, "ok")
    first, second = "H01.21-190818-0001", "H01.21-180819-0001"
    code_dossiers(here, first, second)
    asked = here.text(LAN, "HS H01.21-190818-1")
    assert f"2) {second}" in asked
    assert here.text(LAN, "vâng") == asked
    assert f"Ho so {second} " in here.text(LAN, "2")
    assert "Cam on quy ong/ba" in here.text(LAN, "vâng")


def test_accents_are_sent_to_those_who_ask_for_them_and_stay(here: World) -> None:
    assert "có dấu" in here.text(LAN, "Có dấu")
    assert "Hồ sơ" in here.text(LAN, code_of(here, Status.RETURNED))
    assert "khong dau" in here.text(LAN, "khong dau")
    assert "Ho so" in here.text(LAN, code_of(here, Status.RETURNED))
    assert "Dossier" in here.text(LAN, "english") + here.text(LAN, code_of(here, Status.WITHDRAWN))


def test_who_chooses_accents_or_a_language_is_told_the_way_back_in_one_message(here: World) -> None:
    for chosen, back in (("CO DAU", "KHONG DAU"), ("KHONG DAU", "CO DAU"), ("ENGLISH", "VI"), ("VI", "CO DAU")):
        told = here.text(LAN, chosen)
        assert told.endswith(f" {back}.")
        assert measure(told).segments == 1
    assert "Tin co dau: CO DAU" in here.text(LAN, "HD")
    here.text(LAN, "CO DAU")
    assert "CO DAU" not in here.text(LAN, "HD")


@pytest.mark.parametrize("sender", ["8188", "1414", "Viettel", "VNPT-SMS", "996"])
def test_machines_are_never_answered(here: World, sender: str) -> None:
    assert here.text(sender, "HS H01.12-180802-0012") == ""
    assert here.states() == {}
    with here.gateway.database.reading() as connection:
        assert connection.scalars(sa.select(inbound.c.state)).all() == ["ignored"]


@pytest.mark.parametrize("number", ["6591234567", "14155550123"])
def test_who_texts_from_abroad_is_answered_where_the_carrier_says_so(here: World, number: str) -> None:
    here.text(f"+{number}", "HELP")
    with here.gateway.database.reading() as connection:
        assert connection.execute(sa.select(inbound.c.sender, inbound.c.state)).all() == [(number, "answered")]


@pytest.mark.parametrize(
    ("sender", "sought"), [("14155550123", "14155550123"), ("14155550123", "+14155550123"), ("VNPT-SMS", "VNPT-SMS")]
)
def test_officials_find_what_a_sender_wrote_who_is_not_answered(anywhere: World, sender: str, sought: str) -> None:
    assert anywhere.text(sender, "HS H01.12-180802-0012") == ""
    desk = official(anywhere, "lan", "viewer")
    shown = desk.post("/conversations/", query=sought)
    assert "HS H01.12-180802-0012" in shown
    assert "Không trả lời" in shown
    desk.post("/conversations/", 404, query=f"{sender}0\0")


HOSTILE = (
    "",
    "\x00\x01\x1b[31m",
    "\ud800 HELP \udfff",
    "a" * 5000,
    "😀👨‍👩‍👧" * 200,
    "\u202eH01.12-180802-0012\u202c",
    "'; DROP TABLE inbound; --",
    "{{ 7*7 }} ${jndi:ldap://x} {code}",
    "<script>alert(1)</script>",
    "H01.12-180802-0012 " * 200,
    "1" * 160,
)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_gets_an_ordinary_reply_and_changes_nothing(anywhere: World, text: str) -> None:
    reply = anywhere.text(LAN, text)
    assert reply
    assert "49" not in reply
    assert "script" not in reply
    assert anywhere.states() == {"delivered": 1}


FAULTS: list[dict[str, Any]] = [
    {"error_500": 0.5},
    {"throttle_429": 0.5, "retry_after": 2.0},
    {"cut_before": 0.5},
    {"cut_after": 0.5},
    {"doubled_receipts": 1.0},
    {"disordered_receipts": 1.0},
    {"doubled_inbound": 1.0},
    {"error_500": 0.2, "throttle_429": 0.2, "cut_before": 0.2, "cut_after": 0.3, "doubled_inbound": 0.5}
    | {"doubled_receipts": 0.5, "disordered_receipts": 0.5},
]


@pytest.mark.parametrize("faults", FAULTS, ids=lambda faults: "+".join(name for name in faults))
def test_whatever_the_carrier_does_wrong_everyone_is_answered_exactly_once(anywhere: World, faults: Any) -> None:
    anywhere.carrier.faults.chance.seed(1)
    assert anywhere.carrier.faults.change(faults) == []
    phones = [f"8491234{number:04}" for number in range(30)]
    for number, phone in enumerate(phones):
        anywhere.carrier.text(phone, "HELP")
        if number % 5 == 0:
            anywhere.settle(1)
    for _ in range(12):  # pauses between tries grow
        anywhere.settle(3)
        anywhere.clock.forward(seconds=60)
    assert {phone: len(anywhere.heard(phone)) for phone in phones} == dict.fromkeys(phones, 1)
    assert anywhere.states() == {"delivered": 30}
    assert anywhere.carrier.counters()["delivered_twice"] == []


def test_a_lost_receipt_leaves_the_message_submitted_until_the_sweep_ends_the_wait(anywhere: World) -> None:
    anywhere.carrier.faults.change({"lost_receipts": 1.0})
    anywhere.text(LAN, "HELP")
    assert anywhere.states() == {"submitted": 1}
    anywhere.clock.forward(hours=73)
    anywhere.gateway.sweep()
    assert anywhere.states() == {"expired": 1}


def test_a_phone_that_is_off_is_told_of_in_the_state(anywhere: World) -> None:
    anywhere.carrier.faults.change({"undelivered": 1.0})
    assert anywhere.text(LAN, "HELP") == ""
    assert anywhere.states() == {"undelivered": 1}
    with anywhere.gateway.database.reading() as connection:
        assert connection.scalars(sa.select(outbound.c.error_code)).all() == ["absent_subscriber"]
