"""Several codes in one text, and further dossiers that are named by their ordinals behind a code."""

from __future__ import annotations

import pytest

from smsgw.dossiers.reading import MOST_CODES, read


def test_several_codes_are_read_in_order_and_each_once() -> None:
    text = "H01.12-180802-0012 và 000.00.12.H01-180802-0034; H01.12-180802-0012"
    first = [reading.candidates[0] for reading in read(text).readings]
    assert first == ["H01.12-180802-0012", "000.00.12.H01-180802-0034"]


def test_codes_that_are_glued_to_each_other_are_each_read() -> None:
    text = "h01.12-180802-0012H01.12-180803-0013G09.20-20260609-0092637H01-180802-0001"
    first = [reading.candidates[0] for reading in read(text).readings]
    assert first == ["H01.12-180802-0012", "H01.12-180803-0013", "G09.20-20260609-0092637", "H01-180802-0001"]


@pytest.mark.parametrize(
    "text",
    [
        "H01.12-180802-0012, 0013",
        "H01.12-180802-0012,0013",
        "HS H01.12-180802-0012 và 0013",
        "H01.12-180802-0012 hoặc 0013",
        "H01.12-180802-0012 hay 0013 vậy",
        "H01.12-180802-0012/0013 xong chưa ạ",
        "H01.12-180802-0012; 0013; 0912 345 678",
        "hồ sơ H01.12-180802-0012 & 0013, 0912345678",
        "H01.12-180802-0012 + 0013. 5 ngày rồi",
        "H01.12-180802-0012\n0013",
        "H01.12-180802-0012 0013",
        "H01.12-180802-0012 (0013)",
        "H01.12-180802-0012 với hồ sơ 0013 ạ",
        "H01.12-180802-0012, -0013, 2018",
        "H01 12 180802 0012, 0013, lệ phí 5000",
        "H0112180802 0012, so 0013, 5000 dong",
        "H01.12-180802-0012, 0013, CCCD 089180123456",
    ],
)
def test_further_dossiers_of_the_same_day_may_be_named_by_their_ordinals(text: str) -> None:
    read_first = [reading.candidates[0] for reading in read(text).readings]
    assert read_first == ["H01.12-180802-0012", "H01.12-180802-0013"]
    assert all(reading.sure for reading in read(text).readings)


def test_further_ordinals_are_read_behind_each_code_in_either_form_and_no_more_than_codes_are() -> None:
    text = "12.H01-180802-0012, 0013 va H01.12-180803-0001 và 0002"
    first = [reading.candidates[0] for reading in read(text).readings]
    assert first == [
        "000.00.12.H01-180802-0012",
        "000.00.12.H01-180802-0013",
        "H01.12-180803-0001",
        "H01.12-180803-0002",
    ]
    assert len(read("H01.12-180802-0001" + ", 0002, 0003, 0004, 0005, 0006, 0007").readings) == MOST_CODES
    for text in ("H01.12-180802-0012\n0013\n0014", "H01.12-180802 0012 0013 0014"):  # and no citizen's number
        assert [reading.candidates[0][-4:] for reading in read(text).readings] == ["0012", "0013", "0014"]
    (_, further) = read("G09.20-20260609-0092637, 0092638, 3852345").readings
    assert "G09.20-20260609-0092638" in further.candidates


@pytest.mark.parametrize(
    "further",
    [
        " và 180803-0013",
        ", 180803-0013",
        "\n180803-0013",
        " hoặc 180803 0013",
        "; 03082018-0013",
        "/180803/0013",
        ", số 030818-0013",
    ],
)
def test_further_dossiers_of_another_day_may_be_named_by_day_and_ordinal(further: str) -> None:
    first, second, third = read(f"H01.12-180802-0012{further}, 0014").readings
    assert first.candidates[0] == "H01.12-180802-0012"
    assert "H01.12-180803-0013" in second.candidates
    assert "H01.12-180803-0014" in third.candidates
    assert second.sure
    assert not any("0802" in candidate for candidate in (*second.candidates, *third.candidates))


@pytest.mark.parametrize(
    "behind",
    [
        ", 2018",
        ", 2026",
        ", nam 2018",
        ", 0912345678",
        ", 0912 345 678",
        " 0912.345.678",
        ", 3852 345",
        ", 0084 912 345 678",
        ", 5000 dong",
        ", 5000d",
        ", 5.000d",
        " va 2000 VND",
        " 1500",
        ", 089180123456",
        ", 0891 8012 3456",
        ", 351 808 150",
        ", 5",
        " 5/5",
        ", 7h30",
        ", 0830 sang mai",
        ", 1400 chiều thứ hai",
        " va 0730 gio",
        ", 15/8",
        ", 15/8/2018",
        ", 00125",
        ", 123456",
        " - 0013",
        " den 0013",
        " phi 5000",
        " hay 5000 dong",
        " va 181303-0013",
        ", 180803-0912 345 678",
        ", 180803 5000 dong",
        ", 180803-13",
        " 180803 0013",
        ", nop 180803-0013",
    ],
)
def test_no_other_number_behind_a_code_is_taken_for_a_further_ordinal(behind: str) -> None:
    (reading,) = read(f"H01.12-180802-0012{behind}").readings
    assert reading.candidates[0] == "H01.12-180802-0012"


@pytest.mark.parametrize(
    "behind", [",13,14", ", 13", " va 13", " và 13, 14", "; 13 ạ?", " & 13", ", 0013, 14", " den 0014", " đến 14"]
)
def test_further_dossiers_in_less_than_whole_ordinals_are_noticed_and_not_read(behind: str) -> None:
    got = read(f"H01.12-180802-0012{behind}")
    assert got.short
    assert not any(reading.candidates[0].endswith("14") for reading in got.readings)


@pytest.mark.parametrize(
    "behind",
    [
        "",
        ", 5",
        ", 0013",
        " va 0013, 0014",
        ", 2018",
        " den 2018",
        ", 15/8",
        ", 15.8.2018",
        ", 7h30",
        ", 7:30",
        ", 15 ngay roi",
        ", 12 Nguyen Trai",
        " so 12",
        " va 12 ngo 5 duong 30/4",
        ", 0912345678",
        ", 091 234 5678",
        ", 351 808 150",
        " den 15/8 co chua",
        " 15",
        " H01.12-180803-0013",
    ],
)
def test_no_other_number_behind_a_code_is_taken_for_further_dossiers_in_short(behind: str) -> None:
    assert not read(f"H01.12-180802-0012{behind}").short


def test_an_ordinal_that_is_not_whole_has_none_that_follow_on_it() -> None:
    for text in ("H01.12-180802-12, 13", "H01.12-180802-12, 0013", "H01.29.01-0815-0001, 0002"):
        assert len(read(text).readings) <= 1
