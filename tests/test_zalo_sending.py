"""What goes out by Zalo, and what goes by SMS where Zalo does not reach somebody."""

from __future__ import annotations

from datetime import timedelta

import pytest

from smsgw.store import outbox
from smsgw.store.tables import Lane, exchange, outbound
from tests.chats import MAI, STRANGER, TIME_LIMIT, Chats


def late_reply(there: Chats) -> None:
    """Mai asks, and her answer leaves a week later than her last word."""
    there.zalo.say(MAI, "HELP")
    there.zalo.run_due()
    there.zalo._people[MAI].spoke = (there.here.clock() - timedelta(days=8)).timestamp()


def test_what_zalo_does_not_deliver_comes_once_by_sms_to_who_has_linked_a_phone(any_chat: Chats) -> None:
    any_chat.linked(MAI, STRANGER)
    before = len(any_chat.sms(STRANGER))
    late_reply(any_chat)
    any_chat.settle()
    (text,) = any_chat.sms(STRANGER)[before:]
    assert "Xin nhan HS va ma ho so" in text
    last = any_chat.rows(
        outbound.c.channel, outbound.c.recipient, outbound.c.state, outbound.c.encoding, outbound.c.attempts
    )[-1]
    assert last == ("sms", STRANGER, "delivered", "gsm7", 2)
    any_chat.settle()
    assert len(any_chat.sms(STRANGER)) == before + 1


def test_without_a_linked_phone_it_is_rejected_and_says_why(there: Chats) -> None:
    late_reply(there)
    there.settle()
    assert there.rows(outbound.c.state, outbound.c.error_code) == [("rejected", "-230")]


def test_what_zalo_may_have_delivered_does_not_come_by_sms_too(there: Chats) -> None:
    there.linked(MAI, STRANGER)
    before = len(there.sms(STRANGER))
    send, there.zalo.send = there.zalo.send, lambda access_token, body: {"error": -9999}  # type: ignore[method-assign]
    late_reply(there)
    there.settle()
    there.zalo.send = send  # type: ignore[method-assign]
    there.settle(60)
    assert len(there.sms(STRANGER)) == before
    assert there.rows(outbound.c.state, outbound.c.doubts)[-1] == ("rejected", 1)


def notice(there: Chats, phone: str, text: str) -> str:
    """A notice whose route is Zalo first, then SMS."""
    now, gateway = there.here.clock(), there.here.gateway
    channel = gateway.roads.first(Lane.NOTICE, phone)
    until = now + timedelta(days=1)
    message = channel.message(Lane.NOTICE, phone, text, now, until)
    with gateway.database.writing("test") as connection:
        outbox.add(connection, [message])
    return message.id


READY = "Ho so H01.12-180802-0012 da co ket qua. Moi den nhan tai UBND xa Dinh My, mang theo giay hen."


def test_a_notice_goes_by_zns_where_its_text_is_a_template(any_chat: Chats) -> None:
    ref = notice(any_chat, STRANGER, READY)
    any_chat.settle()
    (sent,) = any_chat.zalo.notifications[STRANGER]
    assert sent["template_data"] == {"ma_ho_so": "H01.12-180802-0012", "noi_nhan": "UBND xa Dinh My"}
    assert sent["tracking_id"] == ref
    assert any_chat.here.states() == {"delivered": 1}
    assert any_chat.sms(STRANGER) == []


def test_a_notice_goes_into_the_chat_of_who_has_lately_written_there(any_chat: Chats) -> None:
    any_chat.zalo.follow(MAI, True)
    any_chat.linked(MAI, STRANGER)
    before = len(any_chat.sms(STRANGER))
    notice(any_chat, STRANGER, "Chuc mung nam moi")
    any_chat.settle()
    assert any_chat.heard(MAI)[-1] == "Chuc mung nam moi"
    assert any_chat.zalo.counts["sent for money"] == 0
    any_chat.here.clock.forward(hours=49)
    notice(any_chat, STRANGER, READY)
    any_chat.settle()
    assert len(any_chat.zalo.notifications[STRANGER]) == 1
    assert len(any_chat.sms(STRANGER)) == before


def test_a_notice_that_the_chat_does_not_take_goes_by_zns(there: Chats) -> None:
    there.zalo.follow(MAI, True)
    there.linked(MAI, STRANGER)
    there.zalo._people[MAI].spoke = (there.here.clock() - timedelta(days=8)).timestamp()
    notice(there, STRANGER, READY)
    there.settle()
    assert len(there.zalo.notifications[STRANGER]) == 1


def test_a_lease_lasts_for_all_calls_that_one_message_may_take(there: Chats) -> None:
    there.zalo.follow(MAI, True)
    there.linked(MAI, STRANGER)
    there.zalo._people[MAI].spoke = (there.here.clock() - timedelta(days=8)).timestamp()
    there.here.clock.forward(hours=25)  # longer than a token is good for
    renewals = there.zalo.counts["renewals"]
    ref = notice(there, STRANGER, READY)
    there.settle()
    calls = there.zalo.counts["renewals"] - renewals + there.rows(exchange.c.outbound_id).count((ref,))
    assert calls == 3
    assert there.here.gateway.channels["zalo"].provider.time_limit == calls * TIME_LIMIT


@pytest.mark.parametrize("why", ["no account", "no template", "no quota"])
def test_a_notice_that_zalo_can_not_carry_goes_by_sms(there: Chats, why: str) -> None:
    there.zalo.without_zalo = {STRANGER} if why == "no account" else set()
    there.zalo.quota = 0 if why == "no quota" else 10
    notice(there, STRANGER, "Chuc mung nam moi" if why == "no template" else READY)
    there.settle()
    assert len(there.sms(STRANGER)) == 1
    assert there.here.states() == {"delivered": 1}


def test_a_token_that_is_no_good_any_more_is_renewed_and_nobody_notices(any_chat: Chats) -> None:
    assert any_chat.say(MAI, "HELP")
    any_chat.here.clock.forward(minutes=10)
    any_chat.zalo.forget_tokens()
    assert any_chat.say(MAI, "HELP")
    assert any_chat.zalo.counts["renewals"] == 2
    assert any_chat.zalo.counts["renewals refused"] == 0


def test_an_account_that_has_to_be_authorised_again_holds_the_channel_and_says_so(there: Chats) -> None:
    there.zalo._spent = 99
    assert there.say(MAI, "HELP") == ""
    channel = there.here.outbox().channels["zalo"]
    assert channel.state == "held"
    assert "authorise the account again" in (channel.reason or "")
    assert "authorise" in (there.here.gateway.channels["zalo"].provider.fault() or "")


def test_a_channel_that_is_well_has_no_fault(there: Chats) -> None:
    assert there.here.gateway.channels["zalo"].provider.fault() is None
