"""Who opted out is known at once, by purpose, for one phone or a hundred thousand."""

from __future__ import annotations

from smsgw.store import opt_outs
from smsgw.store.database import Database
from smsgw.store.opt_outs import OptOut
from tests.world import NOON

LAN, MAI, TUAN = "84912345678", "84912345679", "84912345680"


def opt_out(phone: str, purpose: opt_outs.Purpose) -> OptOut:
    return OptOut(phone, purpose, NOON, "sms")


def test_opting_out_is_by_purpose_and_once_and_can_be_undone(database: Database) -> None:
    out = [opt_out(LAN, "notice"), opt_out(LAN, "reminder"), opt_out(MAI, "notice")]
    with database.writing("test") as connection:
        assert opt_outs.add(connection, out) == 3
        assert opt_outs.add(connection, [*out, opt_out(TUAN, "reminder")]) == 1
        assert opt_outs.add(connection, []) == 0
    with database.reading() as connection:
        assert opt_outs.among(connection, "notice", [LAN, MAI, TUAN]) == {LAN, MAI}
        assert opt_outs.among(connection, "reminder", [MAI]) == frozenset()
        assert opt_outs.of(connection, LAN) == [opt_out(LAN, "notice"), opt_out(LAN, "reminder")]
    with database.writing("test") as connection:
        assert opt_outs.remove(connection, [(LAN, "notice"), (TUAN, "notice")]) == 1
        assert opt_outs.among(connection, "notice", [LAN, MAI]) == {MAI}
        assert opt_outs.among(connection, "reminder", [LAN, MAI]) == {LAN}


def test_a_page_lists_whole_phones(database: Database) -> None:
    out = [opt_out(phone, purpose) for phone in (LAN, MAI, TUAN) for purpose in opt_outs.PURPOSES]
    with database.writing("test") as connection:
        opt_outs.add(connection, out)
        first = opt_outs.page(connection, limit=2)
        assert {item.phone for item in first} == {LAN, MAI}
        assert len(first) == 4
        assert {item.phone for item in opt_outs.page(connection, after=MAI)} == {TUAN}


def test_among_a_hundred_thousand_phones_the_few_are_found_by_one_statement(database: Database) -> None:
    phones = [f"849{number:08}" for number in range(100_000)]
    with database.writing("test") as connection:
        opt_outs.add(connection, [opt_out(phone, "notice") for phone in phones[::1000]])
        assert opt_outs.among(connection, "notice", phones) == set(phones[::1000])
