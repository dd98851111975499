"""What many want done at the same time is done in one go, and each gets its own result."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from smsgw.intake.jointly import Jointly


class Doubling:
    """Work that remembers what it was done over, and is held up while the first one is served."""

    def __init__(self) -> None:
        self.served: list[list[int]] = []
        self._entered, self._go_on = threading.Event(), threading.Event()

    def __call__(self, items: Sequence[int]) -> list[int | Exception]:
        self.served.append([*items])
        self._entered.set()
        self._go_on.wait(10)
        return [item * 2 for item in items]

    def over(self, jointly: Jointly[int, int], items: Sequence[int]) -> list[int]:
        """What comes of all items if the others come while the first one is served."""
        first = jointly.begin(items[0])
        assert self._entered.wait(10)
        rest = [jointly.begin(item) for item in items[1:]]
        self._go_on.set()
        return [future.result(10) for future in (first, *rest)]


def test_who_comes_alone_is_served_at_once() -> None:
    served: list[list[int]] = []

    def work(items: Sequence[int]) -> list[int | Exception]:
        served.append([*items])
        return [item * 2 for item in items]

    jointly = Jointly(work, most=10)
    assert [jointly.begin(item).result(10) for item in (1, 2)] == [2, 4]
    assert served == [[1], [2]]


def test_where_no_thread_could_be_started_whoever_comes_next_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    jointly = Jointly[int, int](lambda items: [item * 2 for item in items], most=10)
    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", refused)
        with pytest.raises(RuntimeError):
            jointly.begin(1)
    assert jointly.begin(2).result(10) == 4


def test_who_comes_while_work_is_done_is_served_together_in_order_and_never_more_than_fit() -> None:
    work = Doubling()
    jointly = Jointly(work, most=4)
    assert work.over(jointly, [0, 1, 2, 3, 4, 5, 6]) == [0, 2, 4, 6, 8, 10, 12]
    assert work.served == [[0], [1, 2, 3, 4], [5, 6]]


def test_who_brings_much_counts_for_as_many_and_who_brings_too_much_is_served_alone() -> None:
    work = Doubling()
    jointly = Jointly(work, most=4, size=abs)
    assert work.over(jointly, [1, 1, 3, 2, 9, 1, 1]) == [2, 2, 6, 4, 18, 2, 2]
    assert work.served == [[1], [1, 3], [2], [9], [1, 1]]


def test_what_somebody_no_longer_wants_is_left_out_and_the_others_are_served() -> None:
    entered, go_on = threading.Event(), threading.Event()
    served: list[int] = []

    def work(items: Sequence[int]) -> list[int | Exception]:
        served.extend(items)
        entered.set()
        go_on.wait(10)
        return [*items]

    jointly = Jointly(work, most=4)
    first = jointly.begin(0)
    assert entered.wait(10)
    unwanted, wanted = jointly.begin(1), jointly.begin(2)
    assert unwanted.cancel()
    assert not first.cancel()
    go_on.set()
    assert [first.result(10), wanted.result(10)] == [0, 2]
    assert served == [0, 2]


def test_a_result_that_is_an_exception_is_its_callers_alone() -> None:
    def work(items: Sequence[int]) -> list[int | Exception]:
        return [ValueError("odd") if item % 2 else item for item in items]

    jointly = Jointly(work, most=4)
    with pytest.raises(ValueError, match="odd"):
        jointly.begin(1).result(10)
    assert jointly.begin(2).result(10) == 2


def test_what_the_work_raises_everybody_gets_and_the_next_are_served_all_the_same() -> None:
    def work(items: Sequence[int]) -> list[int | Exception]:
        if 13 in items:
            raise RuntimeError("no luck")
        return [*items]

    jointly = Jointly(work, most=4)
    with pytest.raises(RuntimeError):
        jointly.begin(13).result(10)
    assert jointly.begin(1).result(10) == 1


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
        begun = list(callers.map(jointly.begin, range(2000)))
    assert [future.result(10) for future in begun] == list(range(2000))
    assert sorted(done) == list(range(2000))
