"""A message that is given to a provider whose carrier is a double."""

from __future__ import annotations

from typing import Any

from providers import load
from providers.contract import CallFailed, Outcome
from tests.conformance.double import Double, Says, response
from tests.conformance.tables import Table, configured, connected, message, names, table

SENDING = [name for name in names() if load(name).connect(configured(name, "http://127.0.0.1:9")).abilities.submits]


def submitted(name: str, carrier: Double, says: Says, case: Table | None = None, **config: Any) -> Outcome | CallFailed:
    """What comes of one message when the carrier says that, or how the call failed."""
    carrier.says = says
    for step in (*table(name).get("script", ()), *(case or {}).get("script", ())):
        carrier.script[step["path"]] = answer(step)
    provider = connected(name, carrier.url, **config)
    try:
        (outcome,) = provider.submit([message(name, case)])
    except CallFailed as failed:
        return failed
    finally:
        provider.close()
    return outcome


def answer(case: Table) -> Says:
    return response(case.get("status", 200), case.get("body", "").encode(), case.get("headers"))
