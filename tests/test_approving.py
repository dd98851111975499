"""What is sent is what one official wrote and another one approved, whoever changes what in between, and where."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from smsgw.notices.drafting import Draft
from smsgw.notices.refusals import NoticeRefused
from smsgw.notices.waits import waits
from smsgw.officials import audit
from smsgw.store import notices
from smsgw.store.audit import latest
from smsgw.store.ids import new_id
from smsgw.store.notices import Notice
from smsgw.store.officials import Official
from smsgw.store.tables import notice, notice_recipient, outbound
from tests import processes
from tests.bulletin import Cast, approved, approving, drafted, editing, phone
from tests.world import NOON, settings_text, world


def test_nobody_approves_what_they_wrote(cast: Cast) -> None:
    made = drafted(cast.notices, cast.binh).notice
    cast.notices.submit(made.id, cast.binh)
    with pytest.raises(NoticeRefused, match="binh wrote this notice"):
        cast.notices.approve(made.id, cast.binh)
    with (
        pytest.raises(sa.exc.IntegrityError),
        cast.world.gateway.database.writing("test") as connection,
    ):
        connection.execute(sa.update(notice).values(approver="binh"))


def changed(cast: Cast, made: Notice, who: Official, **changes: Any) -> None:
    """Another official's change of a notice, which is then submitted."""
    as_it_is = Draft(made.name, made.text, made.audience, send_at=made.send_at, accents=made.accents)
    cast.notices.edit(made.id, who, replace(as_it_is, **changes))
    cast.notices.submit(made.id, who)


def refused_to(cast: Cast, id: str, *officials: Official) -> None:
    for who in officials:
        with pytest.raises(NoticeRefused) as refusal:
            cast.notices.approve(id, who)
        assert refusal.value.reason == "own"
        assert waits(cast.notices.means, who).approve == 0


@pytest.mark.parametrize("change", [{"text": "Của ((tên))."}, {"name": "Tên khác"}, {"accents": True}])
def test_whoever_changed_a_notice_does_not_approve_it(cast: Cast, change: dict[str, Any]) -> None:
    made = drafted(cast.notices, cast.an).notice
    cast.notices.submit(made.id, cast.an)
    changed(cast, made, cast.binh, **change)
    refused_to(cast, made.id, cast.binh)
    assert waits(cast.notices.means, cast.chi).approve == 1
    assert cast.notices.approve(made.id, cast.chi).approver == "chi"


def test_whoever_wrote_a_notice_does_not_approve_it_after_somebody_elses_change(cast: Cast) -> None:
    made = drafted(cast.notices, cast.binh).notice
    changed(cast, made, cast.an, text="Kính mời ((tên)).")
    refused_to(cast, made.id, cast.binh)
    changed(cast, made, cast.chi)
    refused_to(cast, made.id, cast.binh, cast.chi)


def test_whoever_made_a_systems_key_does_not_approve_what_it_wrote(cast: Cast) -> None:
    key, _ = cast.world.gateway.systems.add("kiosk", "sender", None, 10, "binh")
    made = drafted(cast.notices, key.official).notice
    cast.notices.submit(made.id, key.official)
    refused_to(cast, made.id, cast.binh)
    assert cast.notices.approve(made.id, cast.chi).approver == "chi"


def test_an_edit_voids_the_approval(cast: Cast) -> None:
    made = approved(cast.notices, cast.an, cast.binh)
    edited = cast.notices.edit(made.id, cast.an, Draft("Nhận kết quả", "Mời ((tên)) đến.", "danh-sach.csv"))
    assert (edited.state, edited.approver, edited.approved_fingerprint) == ("draft", None, None)
    cast.world.settle()
    assert cast.heard(0) == []
    cast.notices.submit(made.id, cast.an)
    cast.notices.approve(made.id, cast.chi)
    cast.world.settle()
    assert cast.heard(0) == ["Moi Ong 0 den."]


@pytest.mark.parametrize("edit", [{"text": "Khác"}, {"send_at": NOON + timedelta(days=2)}, {"accents": True}])
def test_an_edit_of_text_time_or_accents_alone_voids_the_approval(cast: Cast, edit: dict[str, Any]) -> None:
    made = approved(cast.notices, cast.an, cast.binh)
    as_it_is = Draft(made.name, made.text, made.audience, send_at=made.send_at, accents=made.accents)
    edited = cast.notices.edit(made.id, cast.an, replace(as_it_is, **edit))
    assert (edited.state, edited.approver, edited.approved_fingerprint) == ("draft", None, None)
    assert edited.fingerprint != made.fingerprint
    cast.world.settle()
    assert cast.heard(0) == []


def test_what_was_changed_since_it_was_looked_at_is_not_approved(cast: Cast) -> None:
    made = drafted(cast.notices, cast.an).notice
    cast.notices.submit(made.id, cast.an)
    cast.notices.edit(made.id, cast.an, Draft("Nhận kết quả", "Đã đổi.", "danh-sach.csv"))
    cast.notices.submit(made.id, cast.an)
    with pytest.raises(NoticeRefused, match="changed since"):
        cast.notices.approve(made.id, cast.binh, seen=made.fingerprint)


@pytest.mark.parametrize("change", [{"fields": '{"ten": "Kẻ gian"}'}, {"phone": "84999999999"}])
def test_recipients_that_were_changed_behind_everybodys_back_are_not_approved(
    cast: Cast, change: dict[str, str]
) -> None:
    made = drafted(cast.notices, cast.an).notice
    cast.notices.submit(made.id, cast.an)
    with cast.world.gateway.database.writing("test") as connection:
        one = sa.update(notice_recipient).where(notice_recipient.c.phone == phone(1))
        connection.execute(one.values(change))
    with pytest.raises(NoticeRefused, match="changed since"):
        cast.notices.approve(made.id, cast.binh)


def test_the_database_itself_sends_no_text_that_was_not_approved(cast: Cast) -> None:
    approved(cast.notices, cast.an, cast.binh)
    with (
        pytest.raises(sa.exc.IntegrityError),
        cast.world.gateway.database.writing("test") as connection,
    ):
        connection.execute(sa.update(notice).values(text="Khác", fingerprint="another"))


def test_a_notice_to_few_needs_no_approval_where_the_settings_say_so(tmp_path: Path) -> None:
    with world(tmp_path, more="[notices]\napproval_from = 3") as made:
        cast = Cast(made)
        few, many = drafted(cast.notices, cast.an, 2).notice, drafted(cast.notices, cast.an, 3).notice
        assert cast.notices.submit(few.id, cast.an).state == "approved"
        assert cast.notices.submit(many.id, cast.an).state == "submitted"


def by_hand(cast: Cast, change: sa.Update | sa.Insert | sa.Delete) -> None:
    """Somebody at the database itself, where no fingerprint is counted again."""
    with cast.world.gateway.database.writing("test") as connection:
        connection.execute(change)


def recipient(number: int) -> sa.Update:
    return sa.update(notice_recipient).where(notice_recipient.c.phone == phone(number))


STRANGER = {"line": 9, "phone": phone(9), "fields": '{"ten": "Kẻ gian"}'}
CHANGES: dict[str, sa.Update | sa.Insert | sa.Delete] = {
    "text": sa.update(notice).values(text="Kính mời ((tên)) chuyển tiền."),
    "accents": sa.update(notice).values(accents=True),
    "time": sa.update(notice).values(send_at=NOON - timedelta(days=1)),
    "a name": recipient(1).values(fields='{"ten": "Kẻ gian"}'),
    "a phone": recipient(1).values(phone=phone(9)),
    "values": recipient(1).values(fields="no JSON at all"),
    "one taken out": sa.delete(notice_recipient).where(notice_recipient.c.phone == phone(1)),
}


@pytest.mark.parametrize("what", [*CHANGES, "one put in"])
def test_what_was_changed_in_the_database_after_the_approval_is_not_sent(cast: Cast, what: str) -> None:
    made = approved(cast.notices, cast.an, cast.binh)
    put_in = sa.insert(notice_recipient).values(notice_id=made.id, message_id=new_id(), **STRANGER)
    by_hand(cast, CHANGES.get(what, put_in))
    cast.world.settle()
    assert cast.world.states() == {}
    assert cast.state(made.id) == "paused"
    last = cast.notices.events(made.id, cast.an)[-1]
    assert (last.who, last.move) == ("gateway", "void")
    with cast.world.gateway.database.reading() as connection:
        assert audit.verify(connection).broken is None
        assert latest(connection)[0].action == "notice.void"


def test_what_was_changed_while_it_was_being_sent_is_not_sent_before_it_is_as_it_was(slow: Cast) -> None:
    made = approved(slow.notices, slow.an, slow.binh, 350)
    slow.world.settle(2)
    by_hand(slow, recipient(340).values(fields='{"ten": "Kẻ gian"}'))
    slow.world.settle(10)
    assert slow.state(made.id) == "paused"
    assert slow.counts(made.id)["queued"] > 50
    slow.notices.resume(made.id, slow.an)
    slow.world.settle(2)
    assert slow.state(made.id) == "paused"
    by_hand(slow, recipient(340).values(fields='{"ten": "Ông 340"}'))
    slow.notices.resume(made.id, slow.an)
    slow.world.settle(45)
    assert slow.counts(made.id) == {"delivered": 350}
    assert slow.heard(340) == ["Kinh moi Ong 340 den nhan ket qua tai bo phan mot cua."]
    assert all(len(slow.heard(number)) == 1 for number in range(350))


@pytest.mark.parametrize("what", ["text", "accents", "time"])
def test_a_text_that_was_changed_while_it_was_being_sent_reaches_nobody_else(slow: Cast, what: str) -> None:
    made = approved(slow.notices, slow.an, slow.binh, 350)
    slow.world.settle(2)
    by_hand(slow, CHANGES[what])
    slow.world.settle(10)
    assert slow.state(made.id) == "paused"
    with slow.world.gateway.database.reading() as connection:
        texts = connection.execute(sa.select(outbound.c.text)).scalars()
        assert all(text.startswith("Kinh moi Ong ") for text in texts)


def test_a_move_of_what_was_edited_in_the_same_moment_is_none(cast: Cast) -> None:
    made = drafted(cast.notices, cast.an).notice
    with cast.world.gateway.database.writing("test") as connection:
        assert not notices.move(connection, made.id, {"draft"}, "submitted", NOON, expected="of another text")
        assert notices.move(connection, made.id, {"draft"}, "submitted", NOON, expected=made.fingerprint)


def test_what_was_edited_and_approved_again_goes_out_as_it_is_now(slow: Cast) -> None:
    made = drafted(slow.notices, slow.an, send_at=NOON + timedelta(seconds=10)).notice
    for text in ("Mời ((tên)).", "Mời ((tên)) đến."):
        as_it_is = slow.notices.find(made.id, slow.an)
        slow.notices.edit(made.id, slow.an, Draft(as_it_is.name, text, as_it_is.audience))
        slow.notices.submit(made.id, slow.an)
        slow.notices.approve(made.id, slow.binh)
    slow.world.settle()
    assert slow.heard(1) == ["Moi Ong 1 den."]


def test_of_two_who_approve_at_once_in_two_processes_one_wins_and_the_other_is_told(cast: Cast, tmp_path: Path) -> None:
    file, database = tmp_path / "node.toml", cast.world.gateway.settings.gateway.database
    file.write_text(settings_text(tmp_path, database), encoding="utf-8")
    ids = [drafted(cast.notices, cast.an).notice.id for _ in range(5)]
    for id in ids:
        cast.notices.submit(id, cast.an)
    told = processes.meeting(approving, (file, "binh", ids), (file, "chi", ids))
    for id, answers in zip(ids, zip(*told, strict=True), strict=True):
        winner = cast.notices.find(id, cast.an).approver
        loser = answers[1 if winner == "binh" else 0]
        assert sorted(answers)[0] == "approved"
        assert loser.startswith(f"the notice is approved by {winner}")
        moves = [event.who for event in cast.notices.events(id, cast.an) if event.move == "approve"]
        assert moves == [winner]


def test_of_two_who_change_a_notice_at_once_in_two_processes_one_is_told_and_nothing_is_overwritten(
    cast: Cast, tmp_path: Path
) -> None:
    file, database = tmp_path / "node.toml", cast.world.gateway.settings.gateway.database
    file.write_text(settings_text(tmp_path, database), encoding="utf-8")
    made = [drafted(cast.notices, cast.an).notice for _ in range(8)]
    wishes = {
        who: {one.id: (Draft(f"Tên của {who}", one.text, one.audience), one.version) for one in made}
        for who in ("an", "binh")
    }
    told = processes.meeting(editing, *((file, who, drafts) for who, drafts in wishes.items()))
    for one, answers in zip(made, zip(*told, strict=True), strict=True):
        now = cast.notices.find(one.id, cast.an)
        assert {*answers} == {now.name, "changed"}
        assert [event.move for event in cast.notices.events(one.id, cast.an)] == ["create", "edit"]
