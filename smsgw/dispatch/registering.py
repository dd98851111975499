"""Which texts the channels' carriers have registered: each is told those that a wording names for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from providers.templates import Registered
from smsgw.dispatch.channel import Channel
from smsgw.failure import ExpectedFailure


class RegisteredError(ExpectedFailure):
    """What is wrong with the templates that texts name: a line for each fault."""


def register(channels: Mapping[str, Channel], named: Iterable[tuple[str, Registered]]) -> None:
    """Tell the channels, by name, of their texts. Raises RegisteredError."""
    texts: defaultdict[str, list[Registered]] = defaultdict(list)
    for name, text in named:
        texts[name].append(text)
    if faults := [fault for name, of in texts.items() for fault in _faults(channels, name, of)]:
        raise RegisteredError("\n".join(faults))
    for name, of in texts.items():
        if (templates := channels[name].templates) is not None:
            templates.register(of)


def _faults(channels: Mapping[str, Channel], name: str, texts: Iterable[Registered]) -> Iterable[str]:
    usable = [channel.name for channel in channels.values() if channel.templates is not None]
    if name not in usable:
        what = "takes any text" if name in channels else "is none of the channels"
        instead = f"expected one of {', '.join(usable)}" if usable else "no channel here has registered texts"
        yield from (f"{text.where}: {name} {what}; {instead}" for text in texts)
        return
    first: dict[str, Registered] = {}
    for text in texts:
        other = first.setdefault(text.id, text)
        if other.bare != text.bare:
            yield f"{text.where}: template {text.id} is that of another text, see {other.where}"
