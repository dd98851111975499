"""What citizens write who know no command: the answer that helps them, and nothing is done that they didn't ask for."""

from __future__ import annotations

import pytest

from smsgw.answers.asking import ListFollowed, understand
from smsgw.answers.words import Words


@pytest.mark.parametrize(
    "text",
    [
        "lay kq o dau",
        "Lấy kết quả ở đâu ạ?",
        "nhận ở đâu v ad",
        "den dau lay vay",
        "Bao giờ lấy được",
        "khi nao nhan dc",
        "hs e sao r",
        "kq hs the nao roi",
        "có chưa ạ?",
        "nộp tuần trước mà chưa thấy gì",
        "nop ngay 10/8/2018 chua xong",
        "tình trạng hồ sơ",
        "cảm ơn, cho hỏi bao giờ lấy kq",
        "sao lâu vậy",
        "cham qua",
        "trễ hẹn hoài",
        "mất biên nhận rồi",
        "lam mat phieu hen",
        "khong thay ma tren giay",
    ],
)
def test_who_asks_where_when_or_why_so_slow_gets_the_own_dossiers(text: str) -> None:
    assert understand(text, Words()) == ListFollowed()
