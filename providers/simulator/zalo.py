"""Zalo for demonstration and tests: tokens that rotate, chats with their windows, ZNS, and a signed webhook."""

from __future__ import annotations

import hashlib
import heapq
import hmac
import itertools
import json
import threading
import time
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from providers.simulator.carrier import MOST_BUBBLES, MOST_PHONES, Bubble, Post, Poster
from providers.simulator.texts import ZALO_ERRORS
from providers.simulator.worker import Worker

HOUR, DAY = 3600.0, 86_400.0
ACCESS = 25 * HOUR  # that an access token is good for
FREE, WINDOW = 48 * HOUR, 7 * DAY  # after a person's last word: messages cost nothing; messages are taken
ANSWER_WITHIN = 2.0  # seconds
RETRIES = (30.0, 300.0, 900.0, 1800.0, 3600.0)
LONGEST_TEXT, LONGEST_TRACKING_ID = 2000, 48

SENDING_ERRORS = ZALO_ERRORS["vi"]  # as Zalo says them


@dataclass(frozen=True)
class ZaloConfig:
    """Whose Zalo this is. `templates`: the approved ones, each with the names of its parameters."""

    gateway_url: str
    app_id: str
    app_secret: str = field(repr=False)
    oa_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)
    channel: str = "zalo"
    oa_id: str = "4318657068771012646"
    name: str = "Một cửa"
    templates: dict[str, Collection[str]] = field(default_factory=dict)


@dataclass(slots=True)
class _Person:
    """Somebody with Zalo on their phone. `spoke`: when they last did anything."""

    follows: bool = False
    spoke: float | None = None
    bubbles: deque[Bubble] = field(default_factory=lambda: deque(maxlen=MOST_BUBBLES))


@dataclass(order=True, slots=True)
class _Event:
    due: float
    order: int
    body: bytes = field(compare=False)
    timestamp: str = field(compare=False)
    about: tuple[str, str] | None = field(compare=False, default=None)  # a person, and the bubble that it tells of
    tries: int = field(compare=False, default=0)


class Zalo:
    """Thread-safe. Events go out from a thread of its own once started, or whenever `run_due` is called."""

    def __init__(self, config: ZaloConfig, *, clock: Callable[[], float] = time.time, post: Post | None = None) -> None:
        self.config = config
        self.error = 0  # what every message is answered with, for trying that out
        self.quota = 2000  # messages that may still be sent
        self.without_zalo: set[str] = set()  # phones
        self.notifications: dict[str, list[dict[str, Any]]] = defaultdict(list)  # ZNS, by phone
        self.counts: Counter[str] = Counter()
        self._clock = clock
        self._post = post or Poster(ANSWER_WITHIN)
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._order = itertools.count(1)
        self._spent = -1  # the latest refresh token that was traded in, by its number
        self._oldest_good = 0  # the first access token that is still good, likewise
        self._people: OrderedDict[str, _Person] = OrderedDict()
        self._events: list[_Event] = []
        self._worker = Worker("zalo", self.run_due, self._until_due)

    def start(self) -> None:
        self._worker.start()

    def stop(self) -> None:
        self._worker.stopping.set()
        with self._lock:
            self._changed.notify_all()
        self._worker.stop()

    def renew(self, app_id: str, app_secret: str, refresh_token: str) -> dict[str, Any]:
        """Trade a refresh token in. It is good for that once."""
        with self._lock:
            if (app_id, app_secret) != (self.config.app_id, self.config.app_secret):
                return {"error": -14002, "error_name": "Invalid app id or secret key"}
            number, _ = (0, 0) if refresh_token == self.config.refresh_token else self._read("refresh", refresh_token)
            if number <= self._spent:
                self.counts["renewals refused"] += 1
                return {"error": -14014, "error_name": "Invalid refresh token"}
            self.counts["renewals"] += 1
            self._spent = number
            return {
                "access_token": self._token("access", number, int(self._clock() + ACCESS)),
                "refresh_token": self._token("refresh", number + 1, 0),
                "expires_in": f"{ACCESS:.0f}",
            }

    def forget_tokens(self) -> None:
        """No access token that was given is good any more."""
        with self._lock:
            self._oldest_good = self._spent + 1

    def forget_everything(self) -> None:
        """The account was authorised anew: the first refresh token is good again."""
        with self._lock:
            self._spent = -1

    def send(self, access_token: str, body: Any) -> dict[str, Any]:
        """A consultation message to somebody."""
        with self._lock:
            if error := self._token_error(access_token) or self.error:
                return _error(error)
            match body:
                case {"recipient": {"user_id": str(user)}, "message": {"text": str(text)}} if text:
                    return self._send(user, text)
            return _error(-201)

    def notify(self, access_token: str, body: Any) -> dict[str, Any]:
        """A ZNS notification to a phone."""
        with self._lock:
            error = self._token_error(access_token, -124) or self.error or self._notification_error(body)
            if error:
                return _error(error)
            id = f"zns-{next(self._order)}"
            self.quota -= 1
            self.notifications[body["phone"]].append(body | {"msg_id": id})
            message = {"delivery_time": self._stamp(), "msg_id": id, "tracking_id": body.get("tracking_id", "")}
            to = {"sender": {"id": self.config.oa_id}, "recipient": {"id": body["phone"]}}
            self._tell({"event_name": "user_received_message", **to, "message": message})
            quota = {"dailyQuota": "2000", "remainingQuota": str(self.quota)}
            return {
                "error": 0,
                "message": "Success",
                "data": {"msg_id": id, "sent_time": self._stamp(), "quota": quota},
            }

    def remaining(self, access_token: str) -> dict[str, Any]:
        """What is left of the quota."""
        with self._lock:
            if error := self._token_error(access_token, -124) or self.error:
                return _error(error)
            return {"error": 0, "message": "Success", "data": {"dailyQuota": "2000", "remainingQuota": str(self.quota)}}

    def say(self, user: str, text: str, *, id: str | None = None) -> str:
        """Somebody writes to the account; the message's id. The gateway hears of it by webhook."""
        with self._lock:
            order = next(self._order)
            id = id or f"zmsg-{order}-{int(self._clock() * 1000)}"
            self._person(user).spoke = self._clock()
            self._person(user).bubbles.append(Bubble(order, id, "out", text, self._now(), "sending"))
            who = {"sender": {"id": user}, "recipient": {"id": self.config.oa_id}, "user_id_by_app": user}
            self._tell({"event_name": "user_send_text", **who, "message": {"text": text, "msg_id": id}}, (user, id))
            self._changed.notify_all()
        self._worker.wake()
        return id

    def follow(self, user: str, follows: bool) -> None:
        """Somebody begins to follow the account, or ceases to."""
        with self._lock:
            person = self._person(user)
            if person.follows == follows:
                return
            person.follows = follows
            person.spoke = self._clock() if follows else person.spoke
            name = "follow" if follows else "unfollow"
            who = {"oa_id": self.config.oa_id, "follower": {"id": user}, "source": "oa_profile"}
            self._tell({"event_name": name, **who})
        self._worker.wake()

    def follows(self, user: str) -> bool:
        with self._lock:
            return user in self._people and self._people[user].follows

    def conversation(self, user: str, after: int = 0, wait: float = 0.0) -> list[Bubble]:
        """A person's bubbles that are new or changed since `after`; waits so many seconds for the first of them."""
        with self._lock:
            stopping = self._worker.stopping.is_set
            self._changed.wait_for(lambda: self._bubbles(user, after) or stopping(), wait)
            return self._bubbles(user, after)

    def run_due(self) -> int:
        """Tell the gateway of everything that is due by the clock; how many events went through."""
        with self._lock:
            due = []
            while self._events and self._events[0].due <= self._clock():
                due.append(heapq.heappop(self._events))
        return sum(map(self._hand_over, due))

    def _hand_over(self, event: _Event) -> bool:
        url = f"{self.config.gateway_url.rstrip('/')}/carrier/{self.config.channel}/inbound"
        signed = self.config.app_id.encode() + event.body + event.timestamp.encode() + self.config.oa_secret.encode()
        headers = {
            "X-ZEvent-Signature": f"mac={hashlib.sha256(signed).hexdigest()}",
            "Content-Type": "application/json",
        }
        status = self._post(url, event.body, headers)
        with self._lock:
            if status == 200:
                self._settle_bubble(event, "sent")
            elif event.tries < len(RETRIES):
                heapq.heappush(
                    self._events, replace(event, due=self._clock() + RETRIES[event.tries], tries=event.tries + 1)
                )
            else:
                self._settle_bubble(event, "failed")
            self._changed.notify_all()
        return status == 200

    def _tell(self, event: dict[str, Any], about: tuple[str, str] | None = None) -> None:
        event = {"app_id": self.config.app_id, **event, "timestamp": self._stamp()}
        body = json.dumps(event, ensure_ascii=False).encode()
        heapq.heappush(self._events, _Event(self._clock(), next(self._order), body, event["timestamp"], about))
        self._worker.wake()

    def _send(self, user: str, text: str) -> dict[str, Any]:
        person = self._people.get(user)
        if person is None or person.spoke is None:
            return _error(-232)
        silent = self._clock() - person.spoke
        error = (
            (silent > WINDOW and -230)
            or (not person.follows and silent > FREE and -213)
            or (len(text) > LONGEST_TEXT and -201)
            or (self.quota <= 0 and -211)
        )
        if error:
            return _error(error)
        self.quota -= 1
        self.counts["sent" if silent <= FREE else "sent for money"] += 1
        order = next(self._order)
        id = f"zmsg-{order}"
        person.bubbles.append(Bubble(order, id, "in", text, self._now(), "delivered"))
        who = {"sender": {"id": self.config.oa_id}, "recipient": {"id": user}}
        self._tell({"event_name": "user_received_message", **who, "message": {"msg_id": id}})
        self._changed.notify_all()
        data = {"message_id": id, "user_id": user, "sent_time": self._stamp(), "quota": {"remain": self.quota}}
        return {"error": 0, "message": "Success", "data": data}

    def _notification_error(self, body: Any) -> int:
        match body:
            case {"phone": str(phone), "template_id": str(template), "template_data": dict(values)}:
                if not (phone.isascii() and phone.isdigit() and phone.startswith("84")):
                    return -108
                if template not in self.config.templates:
                    return -109
                if set(self.config.templates[template]) - values.keys():
                    return -1122
                if any(len(str(value)) > 200 for value in values.values()):
                    return -1121
                if len(str(body.get("tracking_id", ""))) > LONGEST_TRACKING_ID:
                    return -1121
                if phone in self.without_zalo:
                    return -118
                return -144 if self.quota <= 0 else 0
        return -1122

    def _token_error(self, access_token: str, code: int = -216) -> int:
        number, until = self._read("access", access_token)
        if number < self._oldest_good:
            return code
        return 0 if self._clock() < until else -220 if code == -216 else code

    def _token(self, kind: str, number: int, until: int) -> str:
        """A token that is known again after a restart, since it says itself what it is."""
        said = f"{kind}-{number}-{until}"
        return f"{said}-{hmac.new(self.config.app_secret.encode(), said.encode(), hashlib.sha256).hexdigest()}"

    def _read(self, kind: str, token: str) -> tuple[int, int]:
        """Which token it is, and until when it is good; -1 for one that was never given."""
        match token.split("-"):
            case [said, number, until, _] if said == kind and (number + until).isdigit():
                known = hmac.compare_digest(self._token(kind, int(number), int(until)).encode(), token.encode())
                return (int(number), int(until)) if known else (-1, 0)
        return -1, 0

    def _person(self, user: str) -> _Person:
        person = self._people.setdefault(user, _Person())
        self._people.move_to_end(user)
        if len(self._people) > MOST_PHONES:
            self._people.popitem(last=False)
        return person

    def _settle_bubble(self, event: _Event, state: Literal["sent", "failed"]) -> None:
        if event.about is None:
            return
        user, id = event.about
        bubbles = self._person(user).bubbles
        for place, bubble in enumerate(bubbles):
            if bubble.id == id and bubble.state == "sending":
                bubbles[place] = replace(bubble, state=state, seq=next(self._order))

    def _bubbles(self, user: str, after: int) -> list[Bubble]:
        person = self._people.get(user)
        return [bubble for bubble in person.bubbles if bubble.seq > after] if person else []

    def _until_due(self) -> float:
        with self._lock:
            return self._events[0].due - self._clock() if self._events else 1.0

    def _stamp(self) -> str:
        return str(int(self._clock() * 1000))

    def _now(self) -> str:
        return datetime.fromtimestamp(self._clock(), UTC).isoformat(timespec="milliseconds")


def _error(code: int) -> dict[str, Any]:
    return {"error": code, "message": SENDING_ERRORS.get(code, "Lỗi"), "data": {}}
