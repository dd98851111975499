"""What many want done at the same time is done in one go, and each gets its own result."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from smsgw.intake.jointly import Jointly


def test_who_comes_alone_is_served_at_once() -> None:
    served: list[list[int]] = []

    def work(items: Sequence[int]) -> list[int | Exception]:
        served.append([*items])
        return [item * 2 for item in items]

    jointly = Jointly(work, most=10)
    assert [jointly(1), jointly(2)] == [2, 4]
    assert served == [[1], [2]]


def test_who_comes_while_work_is_done_is_served_together_in_order_and_never_more_than_fit() -> None:
    entered, go_on = threading.Event(), threading.Event()
    served: list[list[int]] = []

    def work(items: Sequence[int]) -> list[int | Exception]:
        served.append([*items])
        entered.set()
        go_on.wait(10)
        return [item * 2 for item in items]

    jointly = Jointly(work, most=4)
    with ThreadPoolExecutor(8) as callers:
        first = callers.submit(jointly, 0)
        assert entered.wait(10)
        rest = []
        for number in range(1, 7):
            rest.append(callers.submit(jointly, number))
            while len(jointly._queue) < number:
                threading.Event().wait(0.001)
        go_on.set()
        assert [future.result(10) for future in (first, *rest)] == [0, 2, 4, 6, 8, 10, 12]
    assert served == [[0], [1, 2, 3, 4], [5, 6]]


def test_a_result_that_is_an_exception_is_its_callers_alone() -> None:
    def work(items: Sequence[int]) -> list[int | Exception]:
        return [ValueError("odd") if item % 2 else item for item in items]

    jointly = Jointly(work, most=4)
    with pytest.raises(ValueError, match="odd"):
        jointly(1)
    assert jointly(2) == 2


def test_what_the_work_raises_everybody_gets_and_the_next_are_served_all_the_same() -> None:
    def work(items: Sequence[int]) -> list[int | Exception]:
        if 13 in items:
            raise RuntimeError("no luck")
        return [*items]

    jointly = Jointly(work, most=4)
    with pytest.raises(RuntimeError):
        jointly(13)
    assert jointly(1) == 1


def test_no_work_is_lost_or_done_twice_by_many_callers() -> None:
    lock, running = threading.Lock(), [0]
    done: list[int] = []

    def work(items: Sequence[int]) -> list[int | Exception]:
        with lock:
            running[0] += 1
            assert running[0] == 1
        done.extend(items)
        with lock:
            running[0] -= 1
        return [*items]

    jointly = Jointly(work, most=7)
    with ThreadPoolExecutor(16) as callers:
        assert list(callers.map(jointly, range(2000))) == list(range(2000))
    assert sorted(done) == list(range(2000))
