"""A file that names the audience of a notice: whatever program wrote it, and whatever is wrong with it."""

from __future__ import annotations

import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openpyxl import load_workbook

from smsgw.notices.audience import listing, problems
from smsgw.notices.audience.columns import filled, key, placeholders
from smsgw.notices.audience.refusals import _SENTENCES
from smsgw.notices.recipients import Recipient, RowError
from smsgw.notices.reckoning import worded
from smsgw.notices.spreadsheet import as_csv, harmless, write_xlsx
from smsgw.store.notices import LeftOut
from smsgw.text.accents import plain
from smsgw.text.languages import Language
from tests.lists import audience, errors, read_or_refused, recipients, refusal, xlsx

TEXT = "Ong ((Họ tên)): ho so ((ma)) da xong."
HEADING = "phone;Họ tên;Mã"
GOOD = "0912345678;Nguyễn Văn A;H01.12-180802-0012"


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_csv_of_any_program_is_read(delimiter: str, encoding: str) -> None:
    content = "\r\n".join([HEADING, GOOD]).replace(";", delimiter).encode(encoding)
    (found,) = recipients(content, TEXT)
    assert found == Recipient(2, "84912345678", {"ho ten": "Nguyễn Văn A", "ma": "H01.12-180802-0012"})


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_heading_with_accents_hides_no_encoding(encoding: str) -> None:
    content = "Số điện thoại;Họ tên;Mã\n0912345678;Nguyễn Văn A;H01\n".encode(encoding)
    assert [found.phone for found in recipients(content, TEXT)] == ["84912345678"]


def test_the_code_page_of_windows_is_read_and_composed() -> None:
    decomposed = "Nguyê\u0303n Thi\u0323 Ha\u0300"
    content = f"phone;Ho ten;Ma\n0912345678;{decomposed};H01\n".encode("cp1258")
    (found,) = recipients(content, TEXT)
    assert found.values["ho ten"] == "Nguyễn Thị Hà"


def test_rows_are_counted_as_a_spreadsheet_shows_them() -> None:
    content = f'{HEADING}\n\n0912345678;"Nguyễn\nVăn A";H01\n;;\nx;B;H02\n'
    assert [found.row for found in recipients(content, TEXT)] == [3]
    assert recipients(content, TEXT)[0].values["ho ten"] == "Nguyễn Văn A"
    assert [error.row for error in errors(content, TEXT)] == [5]
    assert [found.row for found in recipients(f"sep=;\n{HEADING}\n{GOOD}", TEXT)] == [2]


def test_headings_may_be_in_two_rows_some_below_a_groups_and_some_in_cells_that_reach_over_both() -> None:
    content = "STT;Họ tên;Liên hệ;;Ghi chú\n;;SĐT;Email;\n1;A;0912345678;a@b.vn;gấp\n"
    (found,) = recipients(content, "Ong ((Họ tên)): ((Ghi chú)), ((email))")
    assert (found.row, found.phone) == (3, "84912345678")
    assert found.values == {"ho ten": "A", "ghi chu": "gấp", "email": "a@b.vn"}
    assert errors(content, "Moi ong ba den") == []
    assert "no column for: Họ tên" in refusal(content.replace("\n;;", "\n\n;;"), "Ong ((Họ tên))")  # that is a title


def test_headings_may_stand_below_a_title_and_be_vietnamese() -> None:
    content = "DANH SÁCH;;\nngày 1/8/2018;;\nSTT;Số điện thoại;HỌ VÀ TÊN\n1;0912345678;A\n"
    (found,) = recipients(content, "Ong ((ho va ten))")
    assert (found.row, found.phone, found.values) == (4, "84912345678", {"ho va ten": "A"})


@pytest.mark.parametrize(
    "heading", ["SĐT", "Điện thoại", "Số ĐTDĐ", "Số điện thoại liên hệ", "SĐT LIÊN HỆ", "Số ĐT người nộp", "SĐT (*)"]
)
def test_the_column_of_the_number_is_known_by_what_clerks_call_it(heading: str) -> None:
    assert [found.phone for found in recipients(f"STT,{heading}\n1,0912345678\n")] == ["84912345678"]


@pytest.mark.parametrize(
    ("written", "phone"),
    [
        ("0912.345.678", "84912345678"),
        ("912345678", "84912345678"),
        ("912345678.0", "84912345678"),
        ("'0912345678", "84912345678"),
        ("\u202a0912345678\u202c", "84912345678"),
        ("+84 912 345 678", "84912345678"),
        ("01632345678", "84332345678"),
        ("1632345678", "84332345678"),
    ],
)
def test_a_number_is_read_however_it_came_out_of_the_spreadsheet(written: str, phone: str) -> None:
    assert [found.phone for found in recipients(f"phone\n{written}\n")] == [phone]


def test_numbers_that_get_no_sms_are_named_and_left_out() -> None:
    read = audience("phone\n02963841234\n8188\n19001080\n+447911123456\n0912345678\n")
    *without_sms, last = read
    numbers = ("02963841234", "8188", "19001080", "+447911123456")
    assert without_sms == [LeftOut(row, "unreachable", number) for row, number in enumerate(numbers, start=2)]
    assert isinstance(last, Recipient)
    assert read.rows == 5


def test_each_bad_cell_is_named_with_row_column_and_reason() -> None:
    content = "\n".join(
        [
            HEADING,
            ";A;H01",
            "không có;A;H01",
            "091234567;A;H01",
            "0912345678/0987654321;A;H01",
            "8,49E+10;A;H01",
            "01992345;A;H01",
            "09123;A;H01",
            "0912345678;;H01",
            "0912345678;#N/A;H01",
            f"0912345678;{'A' * 1001};H01",
            "0912345678;A;H01;thừa",
            "0912345678;A\x7f;H01",
            "0912345678;A;\ufffd",
            GOOD,
        ]
    )
    found = errors(content, TEXT)
    assert [(error.row, error.column) for error in found] == [
        (2, "phone"), (3, "phone"), (4, "phone"), (5, "phone"), (6, "phone"), (7, "phone"),
        (8, "phone"), (9, "Họ tên"), (10, "Họ tên"), (11, "Họ tên"), (12, "D"), (13, "Họ tên"), (14, "Mã"),
    ]  # fmt: skip
    assert len({error.problem for error in found}) == 12
    assert len(recipients(content, TEXT)) == 1


UNREADABLE = ["\0", "\x01", "\x7f", "\x9f", "\ud83d", "\ufffe", "\uffff"]


def unreadable(character: str, *, workbook: bool) -> list[bytes]:
    """Files with it in a cell for the text, in the one for the phone, in their headings, and beside them all."""
    rows = [
        [["phone", "x"], ["0912345678", "A?"]],
        [["phone", "x"], ["0912345678?", "A"]],
        [["phone?", "x?"], ["no", ""]],
        [["ten?"], ["A"]],
        [["phone", "x"], ["0912345678", "A", "?"]],
    ]
    if workbook:
        return [xlsx(*([cell.replace("?", f"_x{ord(character):04X}_") for cell in row] for row in it)) for it in rows]
    csv = ["\n".join(";".join(row) for row in it).replace("?", character) for it in rows]
    return [content.encode("utf-16", "surrogatepass") for content in csv]


@pytest.mark.parametrize("workbook", [True, False], ids=["workbook", "csv"])
@pytest.mark.parametrize("character", UNREADABLE, ids=ascii)
def test_a_character_that_nobody_can_read_goes_no_further_than_the_file(character: str, workbook: bool) -> None:
    in_value, in_phone, in_heading, in_no_phone, beside = unreadable(character, workbook=workbook)
    if character == "\ud83d" and not workbook:
        assert "characters" in refusal(in_value)
        return
    found = [errors(content, "((x))") for content in (in_value, in_phone, in_heading, beside)]
    assert [[(error.row, error.column) for error in one] for one in found] == [
        [(2, "x")], [(2, "phone")], [(2, "phone\ufffd"), (2, "x\ufffd")], [(2, "C")]
    ]  # fmt: skip
    assert found[0][0].problem == "characters that can't be read; type it again"
    assert found[1][0].problem == "this is no phone number: 0912345678\ufffd"
    assert "ten\ufffd" in refusal(in_no_phone)
    assert "heading above it: \ufffd" in found[3][0].problem


def test_all_that_is_wrong_with_a_row_is_said_at_once() -> None:
    assert [error.column for error in errors(f"{HEADING}\nx;;H01\n", TEXT)] == ["phone", "Họ tên"]


def test_what_the_text_does_not_name_is_not_kept_and_may_be_anything() -> None:
    (found,) = recipients("phone;x;x\n0912345678;#REF!;\n", "Xin chao ((PHONE))")
    assert found.values == {"phone": "0912345678"}


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "empty"),
        (b" \n;;\n", "empty"),
        ("ten;ma\nA;B", "ten, ma"),
        ("phone;Ma\n0912345678;H01", "Họ tên"),
        ("sdt;dien thoai;Ho ten;Ma\n1;2;3;4", "sdt, dien thoai"),
        ("phone;Ho ten;Họ tên;Ma\n1;2;3;4", "Ho ten"),
        (HEADING, "no rows"),
        (f'{HEADING}\n{GOOD}\n0912345678;"A;H01\n{GOOD}', "row 3"),
        (f'{HEADING}\n0912345678;"A"B;H01', "row 2"),
        (b"phone\n\x00\x01\x02", "no text"),
        (b"phone;x\n0912345678;\xd2\xf0\x8a\x8d", "characters"),
        ("<html><table><tr><td>phone</td></tr></table></html>", "web page"),
        ("\ufeff\n <?xml version='1.0'?><Workbook/>", "web page"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "(.xls)"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "password"),
        (b"PK\x03\x04 and nothing more", "damaged"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "no text"),
    ],
)
def test_a_file_that_can_not_be_used_says_why_in_one_sentence(content: bytes | str, named: str) -> None:
    assert named in refusal(content, TEXT)


def test_every_refusal_has_both_languages() -> None:
    assert _SENTENCES["vi"].keys() == _SENTENCES["en"].keys()


def test_a_file_may_be_only_so_large() -> None:
    many = "phone\n" + "0912345678\n" * 11
    assert "more than 10 rows" in refusal(many, rows=10)
    assert "larger than 0 MB" in refusal(many, bytes=20)
    assert "more than 3 columns" in refusal("phone;a;b;c\n0912345678;1;2;3", columns=3)
    assert [error.row for error in errors("phone\n" + "9" * 200_000)] == [2]


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    read_or_refused(content)
    read_or_refused(b"phone\n" + content)


@given(st.lists(st.lists(st.text(max_size=12), min_size=1, max_size=4), max_size=6), st.sampled_from(";,\t"))
def test_any_text_in_a_table_is_read_or_refused(rows: list[list[str]], delimiter: str) -> None:
    read_or_refused("phone\n" + "\n".join(delimiter.join(row) for row in rows))


@given(st.text())
def test_what_is_left_of_a_placeholder_is_said_as_it_is_written(text: str) -> None:
    names = placeholders(text)
    assert "((" not in text or set(names) == {key(name) for name in names.values()}
    assert filled(text, {}) == text


def test_a_heading_with_brackets_of_its_own_is_named_as_it_stands_there() -> None:
    names = placeholders("((Lệ phí (đồng))) ((Ngày (dự kiến) trả)) (((x))) ((a (b)) ((c)")
    assert names == {"le phi dong": "Lệ phí (đồng)", "ngay du kien tra": "Ngày (dự kiến) trả", "x": "x"}
    assert filled("Nop ((Lệ phí (đồng))) d (((x)))", {"le phi dong": "50000", "x": "ba"}) == "Nop 50000 d (ba)"


def test_placeholders_are_matched_without_case_accents_and_punctuation() -> None:
    assert placeholders("((Họ tên)) ((ho_ten)) (((x)) (())") == {"ho ten": "Họ tên", "x": "x"}
    assert filled("((HỌ TÊN)), ((x))", {"ho ten": "A ((x))", "x": "1"}) == "A ((x)), 1"


@given(st.text(), st.text(), st.text())
@example(before="", after="\x1f", value="`")
def test_a_text_without_accents_is_that_with_accents_stripped(before: str, after: str, value: str) -> None:
    text, values = f"{before}((x)){after}", {"x": value}
    assert worded(text, values, accents=False) == plain(filled(text, values))


def test_no_cell_of_a_list_of_errors_is_a_formula() -> None:
    listed = "".join(as_csv(listing.records([RowError(2, "=HYPERLINK(1)", '@SUM("a";1)')], "vi")))
    assert listed == '\ufeffdòng,cột,lỗi\r\n2,\'=HYPERLINK(1),"\'@SUM(""a"";1)"\r\n'
    assert [harmless(cell) for cell in ("+84", "-1", "a=1")] == ["'+84", "'-1", "a=1"]


@given(st.text(st.characters()))
@example("E\x01")
@example("\ufffe")
@example("\ud83d")
def test_whatever_is_said_can_be_written_into_a_workbook(said: str) -> None:
    file = io.BytesIO()
    write_xlsx("Báo cáo", [("code", harmless(said))], file)
    (row,) = load_workbook(file)["Báo cáo"].iter_rows(values_only=True)
    assert row[0] == "code"


@pytest.mark.parametrize("problem", problems._PROBLEMS["en"])
@pytest.mark.parametrize("about", ["", "H01.12-180802-0012: "])
@given(st.text(max_size=50))
def test_whatever_was_said_of_a_row_can_be_said_in_the_other_language(about: str, problem: str, cell: str) -> None:
    values = {"longest": 9, "segments": 9, "most": 8, "channel": "sms"}
    told: dict[Language, RowError] = {
        language: RowError(
            2,
            problems.OF_THE_TEXT[language] if problem in (problems.TOO_LONG, problems.UNREGISTERED) else "Mã",
            about + problems.said(problem, language, cell=cell, **values),
        )
        for language in ("vi", "en")
    }
    for language, error in told.items():
        assert {problems.retold(one, language) for one in told.values()} == {error}
