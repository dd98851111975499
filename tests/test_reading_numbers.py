"""Numbers of people, phones and letters beside a code or in place of one: none of them is cut into a code."""

from __future__ import annotations

import pytest

from smsgw.dossiers.hints import Hint
from smsgw.dossiers.reading import Read, read


@pytest.mark.parametrize("phone", ["02352306202", "0208 381 2262", "(0234) 336 6126", "0296-3852-345"])
def test_a_code_is_found_before_and_behind_a_fixed_line(phone: str) -> None:
    for text in (f"H01.12-180802-0012 goi toi {phone}", f"goi toi {phone} ve ho so H01.12-180802-0012"):
        (reading,) = read(text).readings
        assert reading.candidates[0] == "H01.12-180802-0012"


@pytest.mark.parametrize(
    "text",
    [
        "H01.29 351808150",
        "H01.29-351808150",
        "HS H01 29 361808151",
        "H01.29 089180815123",
        "H01.29 089180815123 5 ngay roi",
        "H01.29-261123 089180815123",
        "H01 351808150 goi toi",
        "T01 089180815123",
        "H01.29-261123 089 180 815 123",
        "H01.29-261123 351 808 150",
        "H01.29-261123 0891 8081 5123",
        "H01.29-261123 0010 8081 5123",
        "H01.29-261123 08918 08151 23",
        "H01.29-261123 089 180815123",
        "H01.29-261123 089180 815123",
        "H01.29-261123, 089180.815123",
        "H01.29 08918 08151 23",
        "moi 08918 08151 23",
        "H01.29 351.808.150",
    ],
)
def test_an_identity_number_behind_an_agency_is_not_cut_into_a_date_and_an_ordinal(text: str) -> None:
    assert read(text) == Read((), Hint.CITIZEN_ID)


@pytest.mark.parametrize(
    "text",
    [
        "H01.29-261123 0942 594 108",
        "H01.29-261123 094 2594108",
        "H01.29 261123 0942.59.41.08",
        "H01.29 0331100313",
        "T01.29 0909180012",
        "H01.29: 0351 180 802",
    ],
)
def test_a_mobile_number_behind_an_agency_is_not_cut_into_a_date_and_an_ordinal(text: str) -> None:
    assert read(text) == Read((), Hint.PHONE)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("H01.29 1808020012", "H01.29-180802-0012"),
        ("H01 291808020012", "H01.29-180802-0012"),
        ("H01.29 201808020012", "H01.29-180802-0012"),
        ("H55 242251001 0007", "H55.242-251001-0007"),
        ("H01.29-180802-0012 351808150", "H01.29-180802-0012"),
        ("H01.29-180802-0942 594 108", "H01.29-180802-0942"),
        ("H01.29-0909180012", "H01.29-180909-0012"),
        ("H01290909180012", "H01.29-180909-0012"),
        ("H01.29 1808020012 089180815123", "H01.29-180802-0012"),
        ("H01.29-180802-0012 089180 815123", "H01.29-180802-0012"),
        ("H01.29-180802-0012 08918 08151 23", "H01.29-180802-0012"),
        ("H01 029 180802 123", "H01.029-180802-0123"),
    ],
)
def test_a_code_without_dashes_is_no_identity_number(text: str, code: str) -> None:
    (reading,) = read(text).readings
    assert code in reading.candidates


def test_nine_digits_that_begin_with_a_day_are_a_code_of_which_one_is_missing() -> None:
    assert read("H01.29 180802001") == Read((), Hint.PART)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("180802-0012", Hint.PART),
        ("0012", Hint.PART),
        ("HS 12", Hint.PART),
        ("ho so so 0012", Hint.PART),
        ("stt: 12", Hint.PART),
        ("H01.31.11", Hint.PART),
        ("H01 31 180806", Hint.PART),
        ("ho so HO1 31 11 261028", Hint.PART),
        ("H01.31.11-261028", Hint.PART),
        ("H01", Hint.PART),
        ("hoi", Hint.NOTHING),
        ("1.001612", Hint.PROCEDURE),
        ("thu tuc 1.001612.000.00.00.H01", Hint.PROCEDURE),
        ("CCCD 001122334455", Hint.CITIZEN_ID),
        ("089 123 456 789", Hint.CITIZEN_ID),
        ("cmnd so: 351234567", Hint.CITIZEN_ID),
        ("CMND 351 234 567", Hint.CITIZEN_ID),
        ("cccd: 0891 2345 6789", Hint.CITIZEN_ID),
        ("cccd 08912 34567 89", Hint.CITIZEN_ID),
        ("hoi 089180815123", Hint.CITIZEN_ID),
        ("ho so cua toi 089 180 815 123", Hint.CITIZEN_ID),
        ("can cuoc cua toi la 001090801234", Hint.CITIZEN_ID),
        ("CMND cua toi 351808150", Hint.CITIZEN_ID),
        ("EK123456789VN", Hint.POSTAL),
        ("mã bưu gửi ek 123456789 vn sao chưa tới", Hint.POSTAL),
        ("0912 345 678", Hint.PHONE),
        ("0912-345-678", Hint.PHONE),
        ("so dien thoai cua toi 0912 345 678", Hint.PHONE),
        ("cho hoi 0912345678", Hint.PHONE),
        ("goi 091.234.5678", Hint.PHONE),
        ("gọi tôi 0912345678", Hint.PHONE),
        ("gọi tôi: 0912 34 56 78", Hint.PHONE),
        ("goi 0912 345678", Hint.PHONE),
        ("so dt 84912345678", Hint.PHONE),
        ("goi toi 02352306202", Hint.PHONE),
        ("gọi tôi 0208 381 2262", Hint.PHONE),
        ("goi toi so 0296.3852.345", Hint.PHONE),
        ("gọi cho tôi (0234) 336 6126", Hint.PHONE),
        ("gọi tôi (0211) 7069145", Hint.PHONE),
        ("goi 028-7180-2291", Hint.PHONE),
        ("hoi 02033 964 256", Hint.PHONE),
        ("moi goi toi +84 290 602 7660", Hint.PHONE),
        ("lien he 0296-3852-345", Hint.PHONE),
        ("+84 296 3852345", Hint.PHONE),
        ("bo sung ho so o dau", Hint.NOTHING),
        ("", Hint.NOTHING),
        ("Hoso", Hint.NOTHING),
    ],
)
def test_what_is_no_code_is_named(text: str, hint: Hint) -> None:
    assert read(text).readings == ()
    assert read(text).hint is hint
