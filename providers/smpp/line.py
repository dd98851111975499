"""The line to an SMSC: one thread owns it, binds it again when it breaks, and keeps a window of unanswered requests.

Others only lay jobs and answers ready and wake it. What was sent on a line that broke, and not answered, is in doubt;
what was not sent yet surely did not go out.
"""

from __future__ import annotations

import random
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from providers.contract import CallFailed, Unreachable
from providers.smpp.codes import NUMBERS, name_of
from providers.smpp.jobs import Answered, Job, Silent, Unsent
from providers.smpp.pdu import Pdu, Unreadable
from providers.smpp.session import UNBIND_WAIT, Broken, Session, Way, failed_again, is_answer, opened

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0  # seconds between two tries at binding
STEADY = 10.0  # seconds after which a line that breaks is bound again without a longer pause
THROTTLE_PAUSE = 1.0  # seconds without a new message when the SMSC says that they are too many; of a part put off
MOST_LATE = 1000  # submissions whose time is over, and whose answers are still listened for
PROOF_AFTER = 0.5  # seconds after which the line asks for a proof that acknowledgements were read
GRACE = 5.0  # seconds that stopping waits for what is in hand
LONGEST_TURN = 1.0  # seconds
RETRY_AFTER = 5.0  # seconds without an answer after which an SMSC may bring a message again by the same line


@dataclass(frozen=True, slots=True)
class Brought:
    """What came of something that the SMSC brought: the status it is answered with, and the id that acknowledges it."""

    status: int
    id: str | None = None


# Takes what the SMSC brings, and does not wait. The number is another one once it may bring again what came before.
Bring = Callable[[Pdu, int], "Future[Brought]"]
# Is told what the SMSC has surely read.
Heard = Callable[[Sequence[str]], "Future[None]"]
# Is told of a message that was given up as doubtful, and of which it is known now what became of it.
Late = Callable[[Job], None]
Note = Callable[[str], None]


def _nothing_brought(unit: Pdu, session: int) -> Future[Brought]:
    refused: Future[Brought] = Future()
    refused.set_result(Brought(NUMBERS["ESME_RX_T_APPN"]))
    return refused


def _nothing_heard(ids: Sequence[str]) -> Future[None]:
    done: Future[None] = Future()
    done.set_result(None)
    return done


class Line:
    """See above. `enquire`: seconds of silence after which the SMSC is asked whether it is there still."""

    def __init__(self, way: Way, window: int, enquire: float) -> None:
        self._way = way
        self._window = window
        self._enquire = enquire
        self._command = "bind_transmitter"
        self._bring: Bring = _nothing_brought
        self._heard: Heard = _nothing_heard
        self._note: Note = lambda what: None
        self._late: Late = lambda job: None
        self._lock = threading.Lock()
        # What waits to be sent, by call, and served in turn: a reply does not wait behind a batch of notices.
        self._queues: deque[deque[tuple[Job, int]]] = deque()
        self._replies: deque[tuple[int, str, int, Brought]] = deque()  # session, command, sequence, what came of it
        self._put_off: deque[tuple[float, Job, int]] = deque()  # parts that wait to be sent again, and until when
        self._flying: dict[int, tuple[Job, int]] = {}  # by the sequence number of the request
        self._given_up: dict[int, tuple[Job, int]] = {}  # the same of those whose time is over, the oldest first
        self._jobs: dict[Job, None] = {}  # that are not done, in the order of their time limits
        self._fault: CallFailed | None = None
        self._bound = False
        self._session = 0
        self._in_hand: dict[int, float] = {}  # brought by the SMSC and not answered yet, and since when
        self._turns = 0  # counts what the SMSC may take for a reason to bring messages again
        self._resume = 0.0
        self._leave: tuple[int, float] | None = None  # the SMSC takes leave: its request's number, and since when
        self._heard_last: Future[None] | None = None
        self._stopping = threading.Event()
        self._wake_out, self._wake_in = socket.socketpair()
        for end in (self._wake_out, self._wake_in):
            end.setblocking(False)
        self._thread: threading.Thread | None = None

    def hold(self, bring: Bring, heard: Heard, note: Note, late: Late) -> None:
        """Bind as a transceiver, and go on doing so. `bring` gets what the SMSC brings."""
        self._command, self._bring, self._heard, self._note, self._late = "bind_transceiver", bring, heard, note, late
        self._start()

    @property
    def held(self) -> bool:
        return self._thread is not None

    def fault(self) -> CallFailed | None:
        """Why the line is not bound; None if it is."""
        return None if self._bound else self._fault or Unreachable("the line is being bound")

    def submit(self, jobs: Sequence[Job]) -> None:
        """Have messages sent; when it returns, each has its answers. Raises CallFailed if there is no line.

        A line that nobody holds is bound for sending only, so that what the SMSC brings goes to those that hold one.
        """
        with self._lock:
            self._start()
            if self._fault is not None:
                raise failed_again(self._fault)
            until = time.monotonic() + self._way.time_limit
            for job in jobs:
                job.until = until
                self._jobs[job] = None
            self._queues.append(deque((job, number) for job in jobs for number in range(len(job.parts))))
        self._wake()
        for job in jobs:
            job.done.wait(max(0.0, until + GRACE - time.monotonic()))
        self._expire(time.monotonic())  # for those that wait while the line is still being bound

    def close(self) -> None:
        """Answer what is in hand, take leave, and end the thread."""
        self._stopping.set()
        self._wake()
        if self._thread is not None:
            self._thread.join(2 * GRACE)
        if self._heard_last is not None:
            with suppress(Exception):  # it only means that they may be known twice
                self._heard_last.result(GRACE)
        self._wake_in.close()
        self._wake_out.close()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=f"smpp-{self._way.host}", daemon=True)
            self._thread.start()

    def _wake(self) -> None:
        with suppress(OSError):  # full: it is being woken; closed: it needs no waking
            self._wake_in.send(b"!")

    def _run(self) -> None:
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            begun = time.monotonic()
            try:
                with opened(self._way, self._command, self._wake_out) as session:
                    self._bind(session)
                    try:
                        self._serve(session)
                        self._take_leave(session)
                    finally:
                        self._take_back(session.unsent())
                self._lose(Unreachable("the line was closed"))
                return
            except CallFailed as failed:
                self._lose(failed)
            except Exception as error:  # a thread that dies leaves its channel silent for good
                self._lose(Broken(f"a fault of ours: {error!r}"))
            pause = FIRST_PAUSE if time.monotonic() - begun > STEADY else min(2 * pause, LONGEST_PAUSE)
            self._stopping.wait(pause * random.uniform(0.5, 1.0))  # noqa: S311 - it only spreads tries

    def _bind(self, session: Session) -> None:
        with self._lock:
            self._fault, self._bound = None, True
            self._session += 1
            self._turns += 1
            self._in_hand, self._leave = {}, None
        self._note(f"bound to {self._way.address} as {self._command.removeprefix('bind_')}")

    def _lose(self, failed: CallFailed) -> None:
        """The line is gone, or there was none: what is in flight is in doubt, what waits surely did not go out."""
        with self._lock:
            was, self._fault, self._bound = self._fault, failed, False
            flying, self._flying = {*self._flying.values()}, {}
            jobs, self._jobs = [*self._jobs], {}
            self._queues.clear()
            self._put_off.clear()
            self._given_up.clear()
        if was is None or str(was) != str(failed):
            self._note(str(failed))
        for job in jobs:
            for number, answer in enumerate(job.answers):
                if answer is None:
                    job.answers[number] = Silent(str(failed)) if (job, number) in flying else Unsent(failed)
            job.done.set()

    def _take_back(self, sequences: Collection[int]) -> None:
        """Of a line that is no more: what was laid ready for it, and stayed there."""
        with self._lock:
            for sequence in sequences:
                self._flying.pop(sequence, None)

    def _serve(self, session: Session) -> None:
        """Until the line breaks, which raises Broken, or is to be closed."""
        asked: int | None = None  # an enquire_link that is not answered
        asked_at = stopping_at = 0.0
        while True:
            now = time.monotonic()
            if self._stopping.is_set():
                stopping_at = stopping_at or now
                if now - stopping_at > GRACE or not (self._in_hand or self._flying or self._replies):
                    return
            self._let_go(session, now)
            self._send(session, now)
            self._reply(session)
            due = self._enquiry_due(session, asked_at)
            if asked is None and now >= due:
                asked, asked_at = session.request("enquire_link"), now
            for unit in session.turn(self._patience(now, due)):
                self._take(session, unit)
                head = unit.head if isinstance(unit, Unreadable) else unit
                if head.sequence == asked and is_answer(head):
                    asked = None
            # By when all that had come was read: this thread may not have run for as long as any limit.
            self._expire(session.read_at)
            if asked is not None and session.read_at - asked_at > self._way.time_limit:
                raise Broken("the SMSC does not answer any more")

    def _let_go(self, session: Session, now: float) -> None:
        """Answer an SMSC's leave once neither has anything to answer, as it hangs up then. Raises Broken."""
        if self._leave is not None and (now - self._leave[1] > UNBIND_WAIT or not (self._flying or self._in_hand)):
            session.reply("unbind_resp", self._leave[0])
            for unit in session.turn(0):
                self._take(session, unit)
            raise Broken("the SMSC took leave")

    def _enquiry_due(self, session: Session, last: float) -> float:
        """When the SMSC is to be asked whether it is there, or for a proof that it has read what we acknowledged."""
        silent = max(session.heard_at, last) + self._enquire
        since = session.unproved_since
        return silent if since is None else min(silent, max(since, last) + PROOF_AFTER)

    def _patience(self, now: float, due: float) -> float:
        """The seconds for which there is nothing to do unless something comes."""
        times = [now + LONGEST_TURN, due if due > now else now + LONGEST_TURN]
        if self._queues and self._resume > now:
            times.append(self._resume)
        with self._lock:
            times += [max(until, self._resume) for until, _, _ in islice(self._put_off, 1)]
            times += [job.until for job in islice(self._jobs, 1)]
        return min(times) - now

    def _expire(self, now: float) -> None:
        """Messages whose time is over: without an answer in doubt, or not sent for want of a place in the window."""
        with self._lock:
            over = [job for job in self._jobs if job.until <= now]
            if not over:
                return
            for job in over:
                del self._jobs[job]
            left = (deque(item for item in queue if item[0] not in over) for queue in self._queues)
            self._queues = deque(queue for queue in left if queue)
            self._put_off = deque(item for item in self._put_off if item[1] not in over)
            late = {sequence: item for sequence, item in self._flying.items() if item[0] in over}
            for sequence in late:
                del self._flying[sequence]
            self._given_up |= late
            for sequence in [*islice(self._given_up, max(0, len(self._given_up) - MOST_LATE))]:
                del self._given_up[sequence]
            why = "did not answer others" if self._bound else "was not bound to"
            unsent = Unsent(Unreachable(f"the SMSC {why} fast enough, so this was not sent"))
            for job in over:
                for number, answer in enumerate(job.answers):
                    if answer is None:
                        sent = (job, number) in late.values()
                        job.answers[number] = Silent("no answer within the time limit") if sent else unsent
        for job in over:
            job.done.set()

    def _send(self, session: Session, now: float) -> None:
        if now < self._resume or self._leave is not None:
            return
        with self._lock:
            due = deque((job, number) for until, job, number in self._put_off if until <= now)
            self._put_off = deque(item for item in self._put_off if item[0] > now)
            self._queues.extendleft([due] if due else ())
            while self._queues and len(self._flying) < self._window:
                queue = self._queues.popleft()
                job, number = queue.popleft()
                self._flying[session.request("submit_sm", **job.parts[number])] = (job, number)
                self._queues.extend([queue] if queue else ())

    def _reply(self, session: Session) -> None:
        while self._replies:
            came_by, command, sequence, brought = self._replies.popleft()
            if came_by == self._session:
                self._in_hand.pop(sequence, None)
                self._turns += brought.status == NUMBERS["ESME_RX_T_APPN"]
                session.reply(command, sequence, brought.status, brought.id)

    def _take(self, session: Session, unit: Pdu | Unreadable) -> None:
        if isinstance(unit, Unreadable):
            self._note(str(unit))
            unit = Pdu(unit.head.command, unit.head.status or NUMBERS["ESME_RUNKNOWNERR"], unit.head.sequence)
            if not is_answer(unit):
                session.reply("generic_nack", unit.sequence, NUMBERS["ESME_RINVCMDLEN"])
                return
        if is_answer(unit):
            self._tell(session.surely_read(unit.sequence))
            self._answered(unit)
        elif unit.command == "deliver_sm":
            self._brought(unit)
        elif unit.command == "enquire_link":
            session.reply("enquire_link_resp", unit.sequence)
        elif unit.command == "unbind":
            self._leave = unit.sequence, time.monotonic()
        elif unit.command != "alert_notification":
            session.reply("generic_nack", unit.sequence, NUMBERS["ESME_RINVCMDID"])

    def _answered(self, unit: Pdu) -> None:
        if unit.command not in ("submit_sm_resp", "generic_nack"):
            return
        # Refused, and for no reason.
        status = unit.status or (NUMBERS["ESME_RUNKNOWNERR"] if unit.command == "generic_nack" else 0)
        answer, again_at = Answered(status, unit.text("message_id") or None), time.monotonic() + THROTTLE_PAUSE
        if name_of(status) in ("ESME_RTHROTTLED", "ESME_RMSGQFUL"):
            self._resume = again_at
        with self._lock:
            late, _ = given_up = self._given_up.pop(unit.sequence, (None, 0))
            job, number = self._flying.pop(unit.sequence, given_up)
            if job is None:
                return
            job.answers[number] = answer
            if late is None and job.answered():
                # They wait alone: the SMSC may put one off for what is wrong with nothing else.
                for part in job.postponed():
                    job.answers[part] = None
                    self._put_off.append((again_at, job, part))
        if late is None and job.answered():
            self._done(job)
        elif late is not None and late.settled():
            self._late(late)

    def _done(self, job: Job) -> None:
        with self._lock:
            self._jobs.pop(job, None)
        job.done.set()

    def _brought(self, unit: Pdu) -> None:
        session, sequence, now = self._session, unit.sequence, time.monotonic()
        self._turns += any(since <= now - RETRY_AFTER for since in islice(self._in_hand.values(), 1))
        self._in_hand.setdefault(sequence, now)

        def settled(future: Future[Brought]) -> None:
            # A fault that is not the message's own passes, and the SMSC brings it again.
            failed = future.exception() is not None
            brought = Brought(NUMBERS["ESME_RX_T_APPN"]) if failed else future.result()
            self._replies.append((session, "deliver_sm_resp", sequence, brought))
            self._wake()

        self._bring(unit, self._turns).add_done_callback(settled)

    def _tell(self, ids: Sequence[str]) -> None:
        if ids:
            self._heard_last = self._heard(ids)

    def _take_leave(self, session: Session) -> None:
        """Before an SMSC lets us go, it may still answer what it was given."""
        with suppress(Broken):
            asked, end = session.request("unbind"), time.monotonic() + UNBIND_WAIT
            while (left := end - time.monotonic()) > 0:
                for unit in session.turn(left):
                    head = unit.head if isinstance(unit, Unreadable) else unit
                    if is_answer(head):
                        self._take(session, unit)
                        end = 0.0 if head.sequence == asked else end
