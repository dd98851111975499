"""The console's page of channels: what it says of each, and pausing and releasing them."""

from __future__ import annotations

import pytest

from smsgw.dispatch import breaker
from smsgw.store import channels
from tests.console import official
from tests.world import World

PHONE = "84900000001"


def test_a_paused_channel_sends_nothing_until_it_is_released_also_over_a_restart(here: World) -> None:
    desk = official(here, "lan", "admin")
    assert "Vui lòng ghi lý do" in desk.post("/channels/sms", 400, step="pause", reason=" ")
    assert "Đã tạm dừng" in desk.post("/channels/sms", step="pause", reason="nhà mạng bảo trì")
    assert here.text("84900000001", "HD") == ""
    with here.gateway.database.writing("test") as connection:
        row = channels.lock(connection, "sms")
        channels.write(connection, row, breaker.restarted(row, here.clock()), here.clock())
    here.settle()
    assert here.outbox().channels["sms"].state == "paused"
    assert here.heard("84900000001") == []
    shown = desk.get("/channels/")
    assert "lan tạm dừng: nhà mạng bảo trì" in shown
    assert "lan tạm dừng: nhà mạng bảo trì" in desk.get("/audit/")
    desk.post("/channels/sms", step="release", reason="xong")
    here.settle()
    assert len(here.heard("84900000001")) == 1
    desk.post("/channels/none", 404, step="pause", reason="x")


@pytest.mark.parametrize("step", ["", "close", "opt_out"])
def test_a_step_that_there_is_not_is_refused_and_changes_nothing(here: World, step: str) -> None:
    desk = official(here, "lan", "admin")
    desk.post("/channels/sms", 400, step=step, reason="x")
    with here.gateway.database.reading() as connection:
        assert channels.every(connection)["sms"].state == "open"
        assert channels.events(connection, "sms") == []


def test_a_channel_that_its_carrier_asked_to_wait_says_until_when_and_sends_again_for_who_says_so(
    anywhere: World,
) -> None:
    anywhere.carrier.faults.change({"throttle_429": 1.0, "retry_after": 60.0})
    desk, viewer = official(anywhere, "lan", "admin"), official(anywhere, "hoa", "viewer")
    assert "yêu cầu chờ" not in desk.get("/channels/")
    assert anywhere.text(PHONE, "HD") == ""
    anywhere.carrier.faults.change({"throttle_429": 0.0})
    assert anywhere.text("84900000002", "HD") == ""
    asked = "Nhà mạng yêu cầu chờ đến 15/08/2018 12:01:00."
    assert asked in desk.get("/channels/")
    assert "Gửi tiếp ngay" in desk.get("/channels/")
    assert asked in viewer.get("/channels/")
    assert "Gửi tiếp ngay" not in viewer.get("/channels/")
    assert "yêu cầu chờ" not in desk.post("/channels/sms", step="release", reason="xong")
    assert anywhere.text("84900000003", "HD") != ""
