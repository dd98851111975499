"""Carriers: one file for each wire format, a pure translator between it and `contract`."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import cast

from providers.contract import ProviderModule

GROUP = "smsgw.providers"


class NoSuchProvider(Exception):
    """No provider has that name. The text lists those there are."""


def load(name: str) -> ProviderModule:
    """The module of a provider: one of this package, or an installed one that names itself in the entry points."""
    found = _installed()
    # A checkout that nobody installed has no entry points of its own.
    value = found.get(name, f"{__name__}.{name}" if name.isidentifier() and name != "contract" else "")
    try:
        module = importlib.import_module(value)
    except ModuleNotFoundError as error:
        if error.name and not f"{value}.".startswith(f"{error.name}."):
            raise NoSuchProvider(
                f"the provider {name!r} needs the package {error.name}, which is not installed;"
                f" expected: pip install 'smsgw[{name}]'"
            ) from None
        module = None
    except (ImportError, ValueError):
        module = None
    if not (hasattr(module, "Config") and hasattr(module, "connect")):
        known = ", ".join(sorted({*found, "aggregator", "zalo"}))
        raise NoSuchProvider(f"there is no provider {name!r}; expected one of {known}")
    return cast(ProviderModule, module)


@cache
def _installed() -> Mapping[str, str]:
    """Where the providers' modules are, by name. It takes milliseconds: what every package says of itself is read."""
    return {point.name: point.value for point in entry_points(group=GROUP)}
