"""What of notices waits for an official: on the first page, and in the list."""

from __future__ import annotations

import re

from smsgw.store.notices import Notice
from tests.bulletin import approved, drafted
from tests.console import Desk, at_work, official
from tests.world import World

AGENCY, OTHER = "000.00.02.H01", "000.00.03.H01"


def waits(desk: Desk) -> list[str]:
    """The lines of what waits for somebody."""
    found = re.search(r'<ul class="waiting">(.*?)</ul>', desk.get("/"), re.DOTALL)
    lines = re.findall(r"<li>(.*?)</li>", found[1], re.DOTALL) if found else []
    return [" ".join(re.sub(r"<[^>]+>", " ", line).split()) for line in lines]


def badges(desk: Desk) -> list[str]:
    """The states in the list of notices."""
    return re.findall(r'<span class="badge \w+">([^<]+)</span>', desk.get("/notices/"))


def submitted(world: World, author: str) -> Notice:
    notices, who = world.gateway.notices, world.gateway.accounts.named(author)
    return notices.submit(drafted(notices, who).notice.id, who)


def test_a_notice_that_was_sent_back_waits_for_who_wrote_it_until_it_is_submitted_again(here: World) -> None:
    notices, named = here.gateway.notices, here.gateway.accounts.named
    lan, mai, minh = (official(here, *who) for who in (("lan", "sender"), ("mai", "sender"), ("minh", "approver")))
    made = submitted(here, "lan")
    assert (waits(lan), waits(minh)) == ([], ["1 thông báo chờ bạn duyệt"])
    notices.send_back(made.id, named("minh"), "Thiếu ngày giờ.")
    assert (waits(lan), waits(mai), waits(minh)) == (["1 thông báo bị trả lại"], [], [])
    assert badges(lan) == badges(minh) == ["Bị trả lại"]
    notices.submit(made.id, named("lan"))
    assert waits(lan) == []
    assert badges(lan) == ["Chờ duyệt"]


def test_a_change_of_what_was_submitted_is_not_taken_for_one_that_was_sent_back(here: World) -> None:
    lan = official(here, "lan", "sender")
    made = submitted(here, "lan")
    lan.post(f"/notices/{made.id}/edit", name="Khác", text="Chao", by="keep", seen=made.version)
    assert waits(lan) == []
    assert badges(lan) == ["Bản nháp"]


def test_a_paused_notice_waits_for_all_who_may_go_on_with_it_and_says_how_much_is_held(here: World) -> None:
    notices, named = here.gateway.notices, here.gateway.accounts.named
    for who in (("lan", "sender"), ("minh", "approver"), ("tam", "viewer"), ("ha", "sender", AGENCY)):
        official(here, *who)
    made = approved(notices, named("lan"), named("minh"), 172)
    notices.pause(made.id, named("lan"))
    for name, told in (("lan", True), ("minh", True), ("tam", False), ("ha", False)):
        assert waits(at_work(here, name)) == (["1 thông báo đang tạm dừng (172 tin chưa gửi)"] if told else [])
    notices.resume(made.id, named("lan"))
    assert waits(at_work(here, "lan")) == []


def test_what_was_queued_when_its_notice_was_paused_is_counted_among_what_is_held(anywhere: World) -> None:
    notices, named = anywhere.gateway.notices, anywhere.gateway.accounts.named
    lan = official(anywhere, "lan", "sender")
    official(anywhere, "minh", "approver")
    anywhere.gateway.steering.pause("sms", "bảo trì", "minh")
    anywhere.gateway.roads.look(anywhere.gateway.database)
    made = approved(notices, named("lan"), named("minh"), 4)
    anywhere.tick()
    notices.pause(made.id, named("lan"))
    assert anywhere.states() == {"held": 4}
    assert waits(lan) == ["1 thông báo đang tạm dừng (4 tin chưa gửi)"]


def test_officials_of_an_agency_hear_of_its_paused_notices_only(here: World) -> None:
    notices, named = here.gateway.notices, here.gateway.accounts.named
    ha, hoa = official(here, "ha", "sender", AGENCY), official(here, "hoa", "sender", OTHER)
    official(here, "minh", "approver")
    notices.pause(approved(notices, named("ha"), named("minh"), 2).id, named("ha"))
    assert waits(ha) == ["1 thông báo đang tạm dừng (2 tin chưa gửi)"]
    assert waits(hoa) == []
