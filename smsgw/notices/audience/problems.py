"""What is wrong with a cell of a file, as an official is told."""

from __future__ import annotations

import re
from typing import get_args

from smsgw.notices.audience.lines import CellFault
from smsgw.notices.audience.numbers import NoNumber
from smsgw.notices.recipients import RowError
from smsgw.text.languages import Language

NO_VALUE, NO_HEADING, CONTROL = "no_value", "no_heading", "control"
TOO_LONG, UNREGISTERED = "text_too_long", "text_unregistered"
OF_THE_TEXT: dict[Language, str] = {"en": "text", "vi": "nội dung"}  # in the place of a column

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
        TOO_LONG: "the text would take {segments} segments; {most} are allowed",
        UNREGISTERED: "the carrier of channel {channel} takes only texts registered with it, and this is none of them",
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
        TOO_LONG: "tin nhắn dài {segments} phần; nhiều nhất được {most} phần",
        UNREGISTERED: "nhà mạng của kênh {channel} chỉ nhận mẫu tin đã đăng ký, nội dung này không theo mẫu nào",
    },
}
_SHOWN = 40  # characters of a cell


def said(problem: str, language: Language, **values: object) -> str:
    """A problem for people, with as much of the cell as they need to find it."""
    cell = str(values.get("cell", ""))
    shown = cell if len(cell) <= _SHOWN else f"{cell[:_SHOWN]}..."
    return _PROBLEMS[language][problem].format_map(values | {"cell": shown})


def retold(error: RowError, language: Language) -> RowError:
    """What was said of a row in the language of whoever brought the audience, in that of whoever reads it now."""
    for told, problem, pattern in _AS_TOLD:
        if told != language and (found := pattern.fullmatch(error.problem)):
            values = found.groupdict()
            column = OF_THE_TEXT[language] if problem in (TOO_LONG, UNREGISTERED) else error.column
            about = values.pop("about") or ""
            return RowError(error.row, column, about + _PROBLEMS[language][problem].format_map(values))
    return error


def _pattern(template: str) -> re.Pattern[str]:
    """What a template matches that was filled in, behind the code of the dossier that it is about or none."""
    filled = re.sub(r"\\{(\w+)\\}", r"(?P<\1>.*)", re.escape(template))
    return re.compile(rf"(?P<about>\S+: )?{filled}", re.DOTALL)


_AS_TOLD = [
    (language, problem, _pattern(template))
    for language in get_args(Language)
    for problem, template in _PROBLEMS[language].items()
]
