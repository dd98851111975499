"""The agencies and procedures of the sample, from `province.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

Kind = Literal["department", "district", "commune"]

PROVINCE = "H01"
FIRST_DISTRICT = 21
_UNITS = (("wards", "phường"), ("towns", "thị trấn"), ("communes", "xã"))


@dataclass(frozen=True, slots=True)
class Agency:
    """An agency with its identification code in the second form: H01.22.17."""

    code: str
    name: str
    kind: Kind

    @property
    def old_code(self) -> str:
        """The same agency in the first form: 000.17.22.H01."""
        units = self.code.split(".")[1:]
        small = units[1] if len(units) > 1 else "00"
        return f"000.{small}.{units[0]}.{PROVINCE}"


@dataclass(frozen=True, slots=True)
class Procedure:
    """An administrative procedure (TTHC). `days` are working days, 0 means the same day; `fee` in đồng."""

    code: str
    name: str
    by: str
    days: int
    share: int
    fee: int = 0


@cache
def agencies() -> tuple[Agency, ...]:
    """All 186."""
    document = _document()
    departments = enumerate(document["departments"], 1)
    return (
        *(Agency(f"{PROVINCE}.{number:02}", name, "department") for number, name in departments),
        *_below_the_province(document["districts"]),
    )


@cache
def procedures() -> tuple[Procedure, ...]:
    """Those that people ask for most."""
    return tuple(Procedure(**table) for table in _document()["procedures"])


@cache
def handling(by: str) -> tuple[Agency, ...]:
    """The agencies that a procedure's `by` means: all of a kind, or the one of that name."""
    return tuple(agency for agency in agencies() if by in (agency.kind, agency.name))


def _below_the_province(districts: list[dict[str, Any]]) -> Iterator[Agency]:
    for number, district in enumerate(districts, FIRST_DISTRICT):
        code = f"{PROVINCE}.{number}"
        yield Agency(code, f"UBND {district['name']}", "district")
        units = [f"{kind} {name}" for key, kind in _UNITS for name in district.get(key, ())]
        for unit, name in enumerate(units, 1):
            yield Agency(f"{code}.{unit:02}", f"UBND {name}, {district['name']}", "commune")


@cache
def _document() -> dict[str, Any]:
    return tomllib.loads((files(__package__) / "province.toml").read_text(encoding="utf-8"))
