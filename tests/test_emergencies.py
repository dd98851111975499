"""What somebody in danger gets, who texts the number that they have."""

from __future__ import annotations

from typing import get_args

import pytest

from smsgw.answers.asked import CallForHelp
from smsgw.answers.asker import Asker
from smsgw.answers.asking import understand
from smsgw.answers.words import Words
from smsgw.text.languages import Language
from smsgw.text.segments import measure
from tests.test_conversations import LAN
from tests.test_ordinary_texts import ANSWERS
from tests.world import NOON


@pytest.mark.parametrize(
    "text",
    [
        "cháy nhà ở chợ Châu Đốc cứu với",
        "CHAY NHA ROI",
        "cứu tôi với",
        "có người chết đuối",
        "đánh nhau ở ấp Bình Hòa, gọi công an",
        "con 10 tuổi, mẹ đánh con",
        "bị chồng đánh",
        "cô ơi con bị lạc mẹ ở bến xe",
        "rắn cắn rồi",
        "ghe chìm rồi cứu",
        "có trộm",
        "tai nạn giao thông gần cầu Vàm Cống, gọi 115",
        "ba con bị té xỉu rồi",
        "tôi muốn tự tử",
        "Help! fire",
        "There is a fire in my house",
    ],
)
@pytest.mark.parametrize("language", get_args(Language))
def test_whoever_is_in_danger_is_told_at_once_whom_to_call(text: str, language: Language) -> None:
    request = understand(text, Words())
    assert request == CallForHelp()
    reply = ANSWERS.reply(request, Asker(LAN, language), {}, NOON)
    assert all(number in reply.text for number in ("113", "114", "115", "111", "1022"))
    assert measure(reply.text).segments == 1


@pytest.mark.parametrize(
    "text",
    [
        "bị cháy nhà, mất sổ đỏ làm lại sao",
        "giấy chứng nhận phòng cháy chữa cháy",
        "chế độ tai nạn giao thông",
        "xin cứu xét cho tôi",
        "bị chồng đánh bỏ đi, xin trợ cấp cho con",
        "con tôi chết đuối, làm giấy khai tử ở xã nào",
        "hồ sơ đang chạy tới đâu",
        "ghi bí danh trong khai sinh được không",
    ],
)
def test_papers_after_a_misfortune_are_no_emergency(text: str) -> None:
    assert understand(text, Words()) != CallForHelp()
