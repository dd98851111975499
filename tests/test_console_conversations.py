"""The console's pages of conversations: found by phone or dossier, whole, and with what was said with the carrier."""

from __future__ import annotations

import re
from datetime import timedelta

from providers.contract import Inbound, Receipt
from smsgw.store import audit, conversations
from tests.console import official
from tests.world import TOKEN, World


def test_a_conversation_shows_every_message_try_and_receipt(anywhere: World) -> None:
    example = anywhere.examples[0]
    anywhere.text("84900000001", f"HS {example.code}")
    desk = official(anywhere, "lan", "viewer")
    for query in ("0900 000 001", example.code.lower().replace("-", " ")):
        shown = desk.post("/conversations/", query=query)
        assert "Hội thoại với 0900 000 001" in shown
        assert f"HS {example.code}" in shown
        assert "Đã đến máy" in shown
        assert "nhà mạng báo: đã đến máy" in shown
    assert "Không có hội thoại nào" in desk.post("/conversations/", 404, query="0900 000 002")
    assert "không phải số điện thoại hay mã hồ sơ" in desk.post("/conversations/", 404, query="Nguyễn Văn An")
    desk.get("/conversations/none", 404)
    with anywhere.gateway.database.reading() as connection:
        viewed = [entry for entry in audit.latest(connection) if entry.action == "conversation.view"]
    assert [(entry.who, entry.subject) for entry in viewed] == [("lan", "84900***001")] * 2


def test_a_conversation_says_which_number_was_texted_and_what_came_to_us_late(here: World) -> None:
    gateway, sms, now = here.gateway, here.gateway.channels["sms"], here.clock()
    here.carrier.faults.lost_receipts = 1.0
    for id, waited in (("mo-1", timedelta(minutes=10)), ("mo-2", timedelta(seconds=5))):
        gateway.intake.take(sms, [Inbound(id, "84900000001", "8188", id, now - waited)]).result(10)
    here.settle()
    desk = official(here, "lan", "viewer")
    shown = desk.post("/conversations/", query="84900000001")
    assert shown.count("Người dân gửi 8188") == 2
    assert re.findall(r"theo nhà mạng: ([^ ]+ [^ ]+)", shown) == ["15/08/2018 11:50:00"]
    ref = re.findall(r"/conversations/([\w-]+)/trace", shown)[-1]
    gateway.reports.take(sms, [Receipt(ref, None, "delivered", at=now - timedelta(minutes=3))]).result(10)
    shown = desk.post("/conversations/", query="84900000001")
    assert re.search(r"nhà mạng báo: đã đến máy · theo nhà mạng: 15/08/2018 11:57:00", shown)


def test_of_who_writes_in_a_chat_it_is_not_told_that_they_texted_its_account(here: World) -> None:
    gateway, account = here.gateway, "4318657068771012646"
    gateway.intake.take(gateway.channels["sms"], [Inbound("m-1", "zalo:123", account, "HELP")]).result(10)
    shown = official(here, "lan", "viewer").post("/conversations/", query="zalo:123")
    assert "HELP" in shown
    assert account not in shown


def test_what_was_said_with_the_carrier_about_a_message_is_shown_without_secrets(anywhere: World) -> None:
    anywhere.text("84900000001", f"HS {anywhere.examples[0].code}")
    desk = official(anywhere, "lan", "viewer")
    shown = desk.post("/conversations/", query="84900000001")
    came, went = re.findall(r"/console(/conversations/[\w-]+/trace)", shown)
    assert "/carrier/sms/inbound" in desk.get(came)
    trace = desk.get(went)
    assert trace.index("/carrier/sms/inbound") < trace.index("/messages") < trace.index("/carrier/sms/receipts")
    assert "/messages" in trace
    assert "accepted" in trace
    assert "84900***001" in trace
    assert "84900000001" not in trace
    assert TOKEN not in trace
    desk.get("/conversations/none/trace", 404)


def test_a_dossier_is_found_that_was_asked_for_together_with_others(anywhere: World) -> None:
    first, second = (example.code for example in anywhere.examples[:2])
    anywhere.text("84900000001", f"HS {first} {second}")
    anywhere.text("84900000002", f"HS {second}")
    desk = official(anywhere, "lan", "viewer")
    assert "0900 000 001" in desk.post("/conversations/", query=first)
    both = desk.post("/conversations/", query=second)
    assert "0900 000 001" in both
    assert "0900 000 002" in both


def test_an_official_of_an_agency_sees_only_what_is_about_its_dossiers(here: World) -> None:
    codes = [example.code for example in here.examples]
    dossiers = here.gateway.onestop.find(codes)
    ours = dossiers[codes[0]]
    theirs = next(dossier for dossier in dossiers.values() if dossier.agency_code != ours.agency_code)
    here.text("84900000001", f"HS {ours.code}")
    here.text("84900000001", f"HS {theirs.code}")
    here.text("84900000002", f"HS {theirs.code}")
    desk = official(here, "lan", "admin", ours.agency_code)
    shown = desk.post("/conversations/", query="84900000001")
    assert ours.code in shown
    assert theirs.code not in shown
    desk.post("/conversations/", 404, query="84900000002")
    desk.post("/conversations/", 404, query=theirs.code)
    with here.gateway.database.reading() as connection:
        (talk,) = conversations.with_phones(connection, ["84900000002"])
    desk.get(f"/conversations/{talk.id}", 404)
    for path in ("/doubtful/", "/audit/"):
        desk.get(path, 403)
    desk.post("/channels/sms", 403, step="pause", reason="x")
