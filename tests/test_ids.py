"""Ids are made without asking anybody, and yet no two are the same and their order is that of their making."""

from __future__ import annotations

from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from uuid import RFC_4122, UUID

from smsgw.store.ids import new_id
from tests.processes import meeting


def test_an_id_is_a_uuid_of_version_7_and_greater_than_those_before_it() -> None:
    made = [new_id() for _ in range(20_000)]  # many within each millisecond
    assert made == sorted(set(made))
    assert {(UUID(id).version, UUID(id).variant) for id in made} == {(7, RFC_4122)}


def test_processes_that_were_forked_from_one_do_not_draw_the_same_chance() -> None:
    one, other = meeting(_say_chances, (), ())
    assert not one & other


def _say_chances(barrier: Barrier, said: Connection) -> None:
    barrier.wait()
    said.send({new_id()[-12:] for _ in range(100)})
