"""Questions to CSV and Parquet files: right answers, little memory, and plain words for what cannot be read."""

import json
from pathlib import Path

import pandas as pd
import pytest
from vega_datasets import local_data

from tests.environment.inside import inside

ROWS = """
about = tables.describe(file)
answer = [about.rows, [c.name for c in about.columns], tables.rows(file, about.columns, [], 0, 5).to_dict("records")]
"""


def table() -> pd.DataFrame:
    return pd.DataFrame(json.loads(Path(local_data.cars.filepath).read_text()))


@pytest.fixture
def cars(tmp_path: Path) -> Path:
    table().to_csv(tmp_path / "cars.csv", index=False)
    return tmp_path / "cars.csv"


def test_a_table_is_described_filtered_and_counted(cars: Path) -> None:
    answer = inside(
        cars,
        """
about = tables.describe(file)
conditions = [Between("Horsepower", 100, 200), Among("Origin", ("USA", "Japan")), Contains("Name", "FORD")]
page = tables.rows(file, about.columns, conditions, 2, 3)
answer = {
    "roles": {c.name: c.role.value for c in about.columns}, "rows": about.rows,
    "count": tables.count(file, conditions), "page": page["Name"].tolist(),
    "origins": tables.choices(file, about.column("Origin")), "names": tables.choices(file, about.column("Name")),
    "extent": tables.extent(file, about.column("Horsepower")),
}
""",
    )
    cars_table = table()
    fitting = cars_table[
        cars_table["Horsepower"].between(100, 200)
        & cars_table["Origin"].isin(["USA", "Japan"])
        & cars_table["Name"].str.contains("ford")
    ]
    assert answer["rows"] == len(cars_table)
    assert answer["count"] == len(fitting)
    assert answer["page"] == fitting["Name"].iloc[2:5].tolist()
    assert answer["roles"]["Horsepower"] == "number"
    assert answer["roles"]["Year"] == "time"
    assert answer["roles"]["Name"] == "text"
    assert answer["origins"] == cars_table["Origin"].value_counts().index.tolist()
    assert answer["names"] == []
    assert [float(value) for value in answer["extent"]] == [cars_table["Horsepower"].min(), cars_table["Horsepower"].max()]


def test_charts_count_and_add_up_right(cars: Path) -> None:
    answer = inside(
        cars,
        """
about = tables.describe(file)
power, origin, weight = (about.column(name) for name in ("Horsepower", "Origin", "Weight_in_lbs"))
steps = figures.histogram_data(file, power, [])
groups = figures.bar_data(file, origin, figures.Sum.MEAN, weight, [])
cloud = figures.point_data(file, [power, weight, origin], [])
drawn = [figures.histogram(steps, power), figures.bars(groups, origin, figures.Sum.MEAN, weight)]
drawn += [figures.points(cloud, chart, power, weight, origin) for chart in (figures.Chart.LINE, figures.Chart.POINTS)]
answer = {"steps": int(steps["rows"].sum()), "groups": dict(zip(groups["value"], groups["figure"]))}
answer |= {"cloud": len(cloud), "drawn": len([figure.to_json() for figure in drawn])}
""",
    )
    cars_table = table()
    assert answer["steps"] == cars_table["Horsepower"].count()
    assert answer["groups"] == pytest.approx(cars_table.groupby("Origin")["Weight_in_lbs"].mean().to_dict())
    assert (answer["cloud"], answer["drawn"]) == (len(cars_table), 4)


def test_parquet_with_every_kind_of_column_is_shown(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "when": pd.date_range("2026-01-01", periods=3, tz="Europe/Stockholm"),
            "truth": [True, False, None],
            "list": [[1, 2], [], [3]],
            "bytes": [b"\0\xff", b"", b"x"],
            "number": [1.5, float("nan"), float("inf")],
            'na"me <b>': ["a", "b", "c"],
        }
    )
    frame.to_parquet(tmp_path / "kinds.parquet")
    rows, names, records = inside(tmp_path / "kinds.parquet", ROWS)
    assert (rows, names, len(records)) == (3, list(frame.columns), 3)
    extent = inside(tmp_path / "kinds.parquet", "answer = tables.extent(file, tables.describe(file).column('number'))")
    assert [float(value) for value in extent] == [1.5, 1.5]


@pytest.mark.parametrize("name", ["a*.csv", "a[b].csv", "a?.csv", "it's.csv", "数据.csv", "x y;--.csv"])
def test_a_file_is_itself_and_no_pattern(tmp_path: Path, name: str) -> None:
    for other in ("ab.csv", "abc.csv", "ax.csv"):
        (tmp_path / other).write_text("wrong\n1\n")
    (tmp_path / name).write_text("right\n7\n")
    assert inside(tmp_path / name, ROWS) == [1, ["right"], [{"right": 7}]]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.csv", b""),
        ("zeros.parquet", b"\0" * 1000),
        ("cut.parquet", b"PAR1" + b"x" * 100),
        ("zip.csv.gz", b"this is no gzip"),
    ],
)
def test_a_corrupt_file_is_told_in_plain_words(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    answer = inside(tmp_path / name, ROWS)
    assert answer["fault"].startswith("This file")
    assert "Error" not in answer["fault"]


@pytest.mark.parametrize("content", [b"\xff\xfe\x00a\x00", b"a,b\n\xe9,2\n", b'a,b\n1,2,3\n"4,5\n', b"\0" * 200, b"\n\n\n"])
def test_an_odd_file_is_read_or_told_in_plain_words(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "odd.csv").write_bytes(content)
    answer = inside(tmp_path / "odd.csv", ROWS)
    assert isinstance(answer, list) or answer["fault"].startswith("This file")


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    assert "gone" in inside(tmp_path / "gone.csv", ROWS)["fault"]


def test_a_full_workspace_is_told(cars: Path) -> None:
    raised = "raise duckdb.IOException('Could not write file: Disk quota exceeded')"
    answer = inside(cars, f"import duckdb\nwith tables.opened(file):\n    {raised}")
    assert "Your workspace is full." in answer["fault"]


def test_a_large_file_is_explored_in_little_memory(tmp_path: Path) -> None:
    large = tmp_path / "large.csv"
    block = "".join(f"{n},{n % 17},group {n % 5},{n * 0.5:.3f}\n" for n in range(200_000)).encode()
    with large.open("wb") as target:
        target.write(b"number,step,group,half\n")
        while target.tell() < 200_000_000:
            target.write(block)
    answer = inside(
        large,
        """
import resource
about = tables.describe(file)
start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
page = tables.rows(file, about.columns, [Between("step", 3, 4)], 1000, 100)
groups = figures.bar_data(file, about.column("group"), figures.Sum.TOTAL, about.column("half"), [])
answer = [about.rows, len(page), len(groups), (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1024]
""",
    )
    rows, page, groups, megabytes = answer
    assert rows > 7_000_000
    assert (page, groups) == (100, 5)
    assert megabytes < 700


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [("bad.png", b"\x89PNG\r\n\x1a\nxxxx", "damaged"), ("bin.txt", b"a\0b", "not a text file")],
)
def test_a_preview_of_what_cannot_be_shown_is_told(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    call = "preview.picture(file)" if name.endswith("png") else "preview.text(file)"
    assert says in inside(tmp_path / name, f"answer = {call}")["fault"]
