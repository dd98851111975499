"""Working days and office hours of Viet Nam."""

from __future__ import annotations

from datetime import date, timedelta

# The days of the lunar calendar that are holidays: Tet (the days off, weekends included) and the Hung Kings' day (10th
# of the 3rd month). To 2026 as announced; then by the Labour Code: the eve and four days, and working days in place of
# those that fall on a weekend. An announcement may set the eve and a day more differently: put it in its year's line.
_LUNAR = {
    2017: (("01-26", "02-01"), ("04-06", "04-06")),
    2018: (("02-14", "02-20"), ("04-25", "04-25")),
    2019: (("02-02", "02-10"), ("04-15", "04-15")),
    2020: (("01-23", "01-29"), ("04-02", "04-02")),
    2021: (("02-10", "02-16"), ("04-21", "04-21")),
    2022: (("01-31", "02-04"), ("04-11", "04-11")),
    2023: (("01-20", "01-26"), ("05-01", "05-02")),
    2024: (("02-08", "02-14"), ("04-18", "04-18")),
    2025: (("01-25", "02-02"), ("04-07", "04-07")),
    2026: (("02-14", "02-22"), ("04-27", "04-27")),
    2027: (("02-05", "02-11"), ("04-16", "04-16")),
    2028: (("01-25", "01-31"), ("04-04", "04-04")),
    2029: (("02-12", "02-16"), ("04-23", "04-23")),
    2030: (("02-01", "02-07"), ("04-12", "04-12")),
    2031: (("01-22", "01-28"), ("04-01", "04-01")),
    2032: (("02-10", "02-16"), ("04-19", "04-19")),
    2033: (("01-30", "02-04"), ("04-09", "04-11")),
    2034: (("02-18", "02-24"), ("04-28", "04-28")),
    2035: (("02-07", "02-13"), ("04-17", "04-17")),
}
_SOLAR = frozenset({(1, 1), (4, 30), (5, 1), (9, 2), (9, 3)})  # Labour Code, article 112; 2 September and a day beside


def is_holiday(day: date) -> bool:
    """Whether offices are closed that day for another reason than the weekend."""
    if (day.month, day.day) in _SOLAR:
        return True
    return any(
        date.fromisoformat(f"{day.year}-{first}") <= day <= date.fromisoformat(f"{day.year}-{last}")
        for first, last in _LUNAR.get(day.year, ())
    )


def is_working_day(day: date) -> bool:
    """Monday to Friday, holidays left out."""
    return day.weekday() < 5 and not is_holiday(day)


def add_working_days(start: date, days: int) -> date:
    """The day that many working days after `start`; for 0 the first working day from `start` on."""
    return _walked(start, days, timedelta(days=1))


def take_working_days(end: date, days: int) -> date:
    """The day that many working days before `end`; for 0 the last working day up to `end`."""
    return _walked(end, days, timedelta(days=-1))


def _walked(day: date, days: int, step: timedelta) -> date:
    while days or not is_working_day(day):
        days -= is_working_day(day)
        day += step
    return day


def working_days(start: date, end: date) -> list[date]:
    """The working days from `start` to `end`, both included."""
    span = (end - start).days
    return [day for day in (start + timedelta(days=offset) for offset in range(span + 1)) if is_working_day(day)]
