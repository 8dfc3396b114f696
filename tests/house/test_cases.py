"""`docs/security/cases.md` says what is true: its guards exist, its tests exist and carry its ids, and no row is missing."""

from hub.settings import ROOT
from tests.house.cases import TABLE, cases, filled_in, marked
from tests.house.guard_names import exists

ADVISORIES = [
    "CVE-2019-10255",
    "CVE-2020-36191",
    "CVE-2021-41247",
    "CVE-2024-28233",
    "CVE-2024-41942",
    "CVE-2026-33709",
    "CVE-2026-40864",
    "CVE-2026-54338",
    "GHSA-c4gm-pwx9-9w8j",
    "GHSA-69wv-m5fw-2fhp",
    "CVE-2022-35918",
    "CVE-2023-27494",
    "CVE-2024-42474",
    "CVE-2026-33682",
    "CVE-2026-10804",
    "CVE-2026-48710",
    "PYSEC-2026-248",
    "CVE-2025-62727",
    "T-RED",
    "CVE-2026-40575",
    "CVE-2018-7206",
    "CVE-2020-26250",
    "CVE-2022-31027",
    "CVE-2024-29033",
    "GHSA-gprj-3p75-f996",
    "CVE-2026-33175",
    "CVE-2024-27918",
    "CVE-2026-40574",
    "CVE-2024-37568",
    "CVE-2022-29217",
    "CVE-2017-11424",
    "CVE-2026-102268",
    "CVE-2026-114615",
    "CVE-2026-102266",
    "CVE-2026-114616",
    "CVE-2026-48523",
    "CVE-2026-32597",
    "CVE-2024-53861",
    "CVE-2026-102267",
    "CVE-2025-68158",
    "CVE-2026-114617",
    "CVE-2026-104056",
    "CVE-2025-54576",
    "CVE-2026-76835",
    "GHSA-pxq7-h93f-9jrg",
    "GHSA-f24x-5g9q-753f",
    "CVE-2020-11053",
    "GHSA-3rw9-wmc8-8948",
    "CVE-2026-111931",
    "CVE-2026-111927",
    "CVE-2026-55431",
    "CVE-2026-55432",
    "CVE-2026-111926",
    "CVE-2026-46354",
    "CVE-2026-41425",
    "CVE-2026-41479",
    "CVE-2026-44681",
]
NUMBERED = {"A2": 9, "A3": 12, "A4": 8, "A5": 9, "A6": 12, "A7": 20, "A8": 18}
RELIABILITY = [*(f"R{number}" for number in (*range(1, 10), *range(11, 17), 18, 20, 21, 22, 24, 25)), "B5"]


def test_no_row_is_missing_or_there_twice() -> None:
    expected = [
        *ADVISORIES,
        *(f"{section}-{n}" for section, last in NUMBERED.items() for n in range(1, last + 1)),
        *RELIABILITY,
    ]
    rows = [case.id for case in cases()]
    assert len(rows) == len(set(rows))
    assert set(expected) <= set(rows)


def test_every_row_names_a_guard_and_a_test_or_what_will_bring_them() -> None:
    open_rows = [case.id for case in cases() if not case.complete]
    assert not open_rows, f"no guard or no test: {' '.join(open_rows)}"


def test_every_guard_exists() -> None:
    missing = [f"{case.id}: {guard}" for case in cases() for guard in case.guards if not exists(ROOT, guard)]
    assert not missing, "\n".join(missing)


def test_every_mark_is_a_row_and_every_row_names_its_marked_tests() -> None:
    unknown = set(marked()) - {case.id for case in cases()}
    assert not unknown, f"no such case: {sorted(unknown)}"
    assert TABLE.read_text(encoding="utf-8") == filled_in(TABLE.read_text(encoding="utf-8")), "run: make cases"


def test_every_test_that_a_row_names_exists_and_carries_its_id() -> None:
    marks = marked()
    wrong = [f"{case.id}: {test}" for case in cases() for test in case.tests if test not in marks.get(case.id, [])]
    assert not wrong, "\n".join(wrong)
