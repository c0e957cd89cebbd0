"""Times of scans by a mapping: every form, zone and offset, and what each rests on."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from shipclock.domain.tracking import Scan
from shipclock.reading import Unreadable
from tests.builders import REAL
from tests.sources.mappings import body, mapped, scan_of


def at(form: str, **fields: Any) -> Scan:
    return scan_of(mapped(time=f'path = "at"\n{form}'), body(**fields))


LONDON = 'zone = "Europe/London"'
LOCAL = 'format = "%d/%m/%Y %H:%M"'


@pytest.mark.parametrize(
    ("form", "fields", "instant", "basis"),
    [
        ("", {"at": "2026-11-18T10:00:00Z"}, "2026-11-18T10:00:00Z", "utc"),
        ("", {"at": "2026-11-18T10:00:00+0800"}, "2026-11-18T02:00:00Z", "offset"),
        ("", {"at": "2026-11-18 10:00:00"}, "2026-11-18T10:00:00Z", "zone"),
        (LONDON, {"at": "2026-07-01T10:00:00"}, "2026-07-01T09:00:00Z", "zone"),
        (LONDON, {"at": "2026-07-01T10:00:00+08:00"}, "2026-07-01T02:00:00Z", "offset"),
        # put on: 01:00 is 02:00, and 01:30 never was
        (LONDON, {"at": "2026-03-29T00:59:59"}, "2026-03-29T00:59:59Z", "zone"),
        (LONDON, {"at": "2026-03-29T01:30:00"}, "2026-03-29T01:30:00Z", "zone"),
        (LONDON, {"at": "2026-03-29T02:00:00"}, "2026-03-29T01:00:00Z", "zone"),
        # put back: 01:30 was twice, and the first counts
        (LONDON, {"at": "2026-10-25T01:30:00"}, "2026-10-25T00:30:00Z", "zone"),
        (LONDON, {"at": "2026-10-25T02:00:00"}, "2026-10-25T02:00:00Z", "zone"),
        # some write local times with a Z behind them
        (
            'format = "%Y-%m-%dT%H:%M:%SZ"\nzone = "Asia/Manila"',
            *({"at": "2026-11-18T10:00:00Z"}, "2026-11-18T02:00:00Z", "zone"),
        ),
        ('format = "unix"', {"at": 1794333751}, "2026-11-10T18:02:31Z", "utc"),
        ('format = "unix"', {"at": "1794333751"}, "2026-11-10T18:02:31Z", "utc"),
        ('format = "unix"', {"at": 1794333751.25}, "2026-11-10T18:02:31.25Z", "utc"),
        ('format = "unix_ms"', {"at": 1794333751250}, "2026-11-10T18:02:31.25Z", "utc"),
        ('format = "unix_ms"', {"at": "1794333751250.5"}, "2026-11-10T18:02:31.2505Z", "utc"),
        (LOCAL, {"at": "18/11/2026 10:00"}, "2026-11-18T10:00:00Z", "zone"),
        (f"{LOCAL}\n{LONDON}", {"at": "01/07/2026 10:00"}, "2026-07-01T09:00:00Z", "zone"),
        (
            'format = "%Y%m%d %H%M%z"',
            {"at": "20261118 1000+0530"},
            "2026-11-18T04:30:00Z",
            "offset",
        ),
        (
            'format = "%d %b %Y %I:%M %p"',
            {"at": "18 Nov 2026 10:00 PM"},
            "2026-11-18T22:00Z",
            "zone",
        ),
        *(
            (f'{LOCAL}\noffset = "tz"', {"at": "18/11/2026 10:00", "tz": tz}, instant, "offset")
            for tz, instant in {
                "+08:00": "2026-11-18T02:00:00Z",
                "+0530": "2026-11-18T04:30:00Z",
                "-8": "2026-11-18T18:00:00Z",
                "GMT+08:00": "2026-11-18T02:00:00Z",
                "utc": "2026-11-18T10:00:00Z",
                "Z": "2026-11-18T10:00:00Z",
            }.items()
        ),
        (f'{LOCAL}\noffset = "tz"', {"at": "18/11/2026 10:00"}, "2026-11-18T10:00:00Z", "zone"),
        (
            f'{LOCAL}\noffset = "tz"\n{LONDON}',
            {"at": "01/07/2026 10:00", "tz": None},
            "2026-07-01T09:00:00Z",
            "zone",
        ),
        ("", {"at": None}, REAL.isoformat(), "received"),
        ("", {"at": ...}, REAL.isoformat(), "received"),
    ],
)
def test_a_time_is_read_in_its_form_and_tells_what_it_rests_on(
    form: str, fields: dict[str, Any], instant: str, basis: str
) -> None:
    found = at(form, **fields)
    assert (found.occurred_at, found.basis) == (datetime.fromisoformat(instant), basis)
    assert found.trusted is (basis in ("utc", "offset"))


def test_a_time_may_stand_in_two_fields() -> None:
    source = mapped(time='path = ["day", "hour"]\nformat = "%Y-%m-%d %H:%M"')
    found = scan_of(source, body(day="2026-11-18", hour="10:00"))
    assert found.occurred_at == datetime.fromisoformat("2026-11-18T10:00:00Z")


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        ("", {"at": "yesterday"}),
        ("", {"at": 1794333751}),
        ("", {"at": []}),
        ("", {"at": "0001-01-01T00:00:00Z"}),
        ('format = "unix"', {"at": "2026-11-18T10:00:00Z"}),
        ('format = "unix"', {"at": 1794333751250}),
        ('format = "unix"', {"at": -5}),
        ('format = "unix"', {"at": 1e300}),
        ('format = "unix"', {"at": True}),
        ('format = "unix"', {"at": "٣"}),
        ('format = "unix_ms"', {"at": 1794333751}),
        ('format = "unix_ms"', {"at": "9" * 15}),
        (LOCAL, {"at": "18/11/2026 10:00 and more"}),
        (LOCAL, {"at": "31/11/2026 10:00"}),
        (f'{LOCAL}\noffset = "tz"', {"at": "18/11/2026 10:00", "tz": "Asia/Kuala_Lumpur"}),
        (f'{LOCAL}\noffset = "tz"', {"at": "18/11/2026 10:00", "tz": "+15:00"}),
        (f'{LOCAL}\noffset = "tz"', {"at": "18/11/2026 10:00", "tz": "+08:60"}),
        (f'{LOCAL}\noffset = "tz"', {"at": "18/11/2026 10:00", "tz": "8"}),
        (f'{LOCAL}\noffset = "tz"', {"at": "18/11/2026 10:00", "tz": 8}),
    ],
)
def test_a_time_that_is_not_of_its_form_is_unreadable(form: str, fields: dict[str, Any]) -> None:
    with pytest.raises(Unreadable, match=r"^scan.time"):
        at(form, **fields)


def test_a_time_far_ahead_is_kept_and_suspected() -> None:
    assert at("", at=(REAL + timedelta(days=3)).isoformat()).suspect
