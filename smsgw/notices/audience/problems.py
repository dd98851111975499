"""What is wrong with a cell of a file, as an official is told."""

from __future__ import annotations

from smsgw.notices.audience.lines import CellFault
from smsgw.notices.audience.numbers import NoNumber
from smsgw.notices.audience.refusals import Language

NO_VALUE, NO_HEADING, CONTROL = "no_value", "no_heading", "control"

_PROBLEMS: dict[Language, dict[str, str]] = {
    "en": {
        NoNumber.BLANK: "the phone number is missing",
        NoNumber.SHORTENED: "the spreadsheet program has shortened the number ({cell}); make the column text and type"
        " it again",
        NoNumber.SEVERAL: "more than one phone number ({cell}); put each in a row of its own",
        NoNumber.UNREADABLE: "this is no phone number: {cell}",
        CellFault.NO_RESULT: "a formula without a value; open the file in the spreadsheet program and save it again",
        CellFault.FAILED: "a formula that failed, such as #N/A",
        CellFault.TOO_LONG: "longer than {longest} characters",
        NO_VALUE: "empty, and the text needs it",
        NO_HEADING: "a cell without a heading above it: {cell}; is there a delimiter too many in the row?",
        CONTROL: "characters that can't be read; type it again",
    },
    "vi": {
        NoNumber.BLANK: "thiếu số điện thoại",
        NoNumber.SHORTENED: "Excel đã rút gọn số ({cell}); xin đổi cột sang dạng văn bản rồi nhập lại",
        NoNumber.SEVERAL: "có hơn một số điện thoại ({cell}); xin ghi mỗi số một dòng",
        NoNumber.UNREADABLE: "không phải số điện thoại: {cell}",
        CellFault.NO_RESULT: "công thức chưa có giá trị; xin mở tệp bằng Excel rồi lưu lại",
        CellFault.FAILED: "công thức bị lỗi, như #N/A",
        CellFault.TOO_LONG: "dài hơn {longest} ký tự",
        NO_VALUE: "bỏ trống mà nội dung cần đến",
        NO_HEADING: "ô không có tiêu đề ở trên: {cell}; có thừa dấu phân cách trong dòng không?",
        CONTROL: "có ký tự không đọc được; xin nhập lại",
    },
}
_SHOWN = 40  # characters of a cell


def said(problem: str, language: Language, *, cell: str = "", longest: int = 0) -> str:
    """A problem for people, with as much of the cell as they need to find it."""
    shown = cell if len(cell) <= _SHOWN else f"{cell[:_SHOWN]}..."
    return _PROBLEMS[language][problem].format(cell=shown, longest=longest)
