"""The NAB benchmark: its scoring rules by hand, its files, its table, and that mistakes in the data are told."""

from __future__ import annotations

import json
import math
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.benchmarks.nab import chosen, run
from evals.benchmarks.nab_baselines import certain, rolling_mad, windowed_gaussian
from evals.benchmarks.nab_data import load
from evals.benchmarks.nab_onset import by_onset, by_rarity, look_at_quiet, look_back, quiet, shares
from evals.benchmarks.nab_score import Scored, probation, scored, total
from tools.errors import BadInput

START = datetime(2024, 2, 5, tzinfo=UTC)
WINDOW = (40, 59)  # 20 rows of 100; the first 15 are probation


def sigmoid(place: float) -> float:
    return 2 / (1 + math.exp(5 * place)) - 1


# ---- the rules


def test_the_first_part_is_not_scored() -> None:
    assert [probation(rows) for rows in (0, 99, 100, 5_000, 20_000)] == [0, 14, 15, 750, 750]
    assert scored(100, [WINDOW], range(15)) == scored(100, [WINDOW], [])


def test_a_window_missed_costs_one_and_a_find_in_its_first_row_earns_one() -> None:
    assert scored(100, [WINDOW], []) == Scored(value=-1.0, windows=1, found=0, false=0, rows=85)
    assert scored(100, [WINDOW], [40]) == Scored(value=1.0, windows=1, found=1, false=0, rows=85)


def test_later_finds_earn_less_and_only_the_best_counts() -> None:
    middle = scored(100, [WINDOW], [50]).value
    assert middle == pytest.approx(sigmoid(-0.5) / sigmoid(-1))
    assert middle == pytest.approx(0.8598, abs=1e-4)
    assert scored(100, [WINDOW], [59]).value == pytest.approx(sigmoid(-1 / 20) / sigmoid(-1))
    assert scored(100, [WINDOW], [59, 50, 51, 50]).value == middle


def test_a_false_alarm_costs_by_its_distance_from_the_window_before() -> None:
    def cost(*rows: int) -> float:
        return scored(100, [WINDOW], [40, *rows]).value - 1

    assert cost(20) == pytest.approx(-0.11)  # no window before
    assert cost(60) == pytest.approx(0.11 * sigmoid(1 / 19))
    assert cost(59 + 19) == pytest.approx(0.11 * sigmoid(1.0))
    assert cost(60, 61, 20) == pytest.approx(cost(60) + cost(61) + cost(20))
    far = scored(300, [(50, 59)], [50, 59 + 9 * 3, 59 + 9 * 3 + 1])
    assert far.value == pytest.approx(1 + 0.11 * sigmoid(3.0) - 0.11)  # beyond three widths the whole
    assert far.false == 2


def test_the_window_before_is_the_last_that_ended() -> None:
    windows = [(20, 29), (60, 79)]
    found = scored(100, windows, [20, 35, 60, 85])
    assert found.value == pytest.approx(2 + 0.11 * (sigmoid(6 / 9) + sigmoid(6 / 19)))
    assert (found.found, found.false) == (2, 2)


def test_a_window_within_probation_does_not_count_one_that_reaches_out_does() -> None:
    assert scored(100, [(2, 14)], [3]) == Scored(value=0.0, windows=0, found=0, false=0, rows=85)
    reaching = scored(100, [(10, 19)], [10, 15])
    assert reaching.value == pytest.approx(sigmoid(-0.5) / sigmoid(-1))
    assert scored(100, [(2, 14)], [16]).value == pytest.approx(0.11 * sigmoid(2 / 12))


SPANS = st.lists(st.integers(2, 40), min_size=2, max_size=8).map(
    lambda steps: [(sum(steps[:n]) + 160, sum(steps[: n + 1]) + 158) for n in range(0, len(steps), 2)]
)


@given(SPANS)
def test_the_perfect_detector_has_100_and_silence_0(windows: list[tuple[int, int]]) -> None:
    assert total([scored(1_000, windows, [first for first, _ in windows])]) == pytest.approx(100)
    assert total([scored(1_000, windows, [])]) == 0
    assert total([scored(1_000, [], [])]) is None


@given(SPANS, st.sets(st.integers(0, 999), max_size=30))
def test_no_detector_beats_the_perfect_one(windows: list[tuple[int, int]], rows: set[int]) -> None:
    found = scored(1_000, windows, rows)
    assert found.value <= len(windows) + 1e-9
    assert found.value >= -len(windows) - 0.11 * found.false - 1e-9
    assert found.found <= found.windows == len(windows)


def test_the_limit_with_the_best_neighbours_on_the_first_half_is_chosen() -> None:
    def at(value: float) -> list[Scored]:
        one = Scored(value=value, windows=1, found=1, false=0, rows=9)
        return [one, Scored(value=1.0 - value, windows=1, found=1, false=0, rows=9)]

    assert chosen({1.0: at(0.2), 2.0: at(0.9), 3.0: at(0.1), 4.0: at(0.7), 5.0: at(0.7), 6.0: at(0.6)}) == 5.0


# ---- baselines


def test_the_rolling_deviation_is_of_the_rows_before() -> None:
    values = [1.0, 2, 3, 4, 5, 13, 3]
    assert rolling_mad(values, rows=5)[:5] == [0.0] * 5
    assert rolling_mad(values, rows=5)[5] == pytest.approx(10 / 1.4826)
    assert rolling_mad(values, rows=5)[6] == pytest.approx(1 / 1.4826)


def test_the_gaussian_is_certain_of_a_value_far_out() -> None:
    luck = random.Random(3)
    values = [1e6 + luck.gauss(0, 1) for _ in range(6_600)]
    values[300] += 9
    values[6_550] += 9
    # The second value is always certain: one value scatters nothing.
    assert certain(windowed_gaussian(values)) == [1, 300, 6_550]
    assert windowed_gaussian([5.0, 5.0, 6.0]) == [0.0, 0.5, 1.0]


# ---- the files


def write(folder: Path, name: str, values: list[float], windows: list[tuple[int, int]]) -> None:
    moments = [(START + n * timedelta(minutes=5)).strftime("%Y-%m-%d %H:%M:%S") for n in range(len(values))]
    place = folder / "data" / name
    place.parent.mkdir(parents=True, exist_ok=True)
    rows = [f"{moment},{value}" for moment, value in zip(moments, values, strict=True)]
    place.write_text("\n".join(["timestamp,value", *rows]) + "\n")
    (folder / "labels").mkdir(exist_ok=True)
    for file, told in (
        ("combined_windows.json", [[moments[a] + ".000000", moments[b] + ".000000"] for a, b in windows]),
        ("combined_labels.json", [moments[(a + b) // 2] for a, b in windows]),
    ):
        path = folder / "labels" / file
        known = json.loads(path.read_text()) if path.exists() else {}
        path.write_text(json.dumps({**known, name: told}))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for number, name in enumerate(("a/one.csv", "a/two.csv", "b/none.csv")):
        luck = random.Random(number)
        values = [100 + luck.gauss(0, 2) for _ in range(900)]
        if name.startswith("a"):
            values[700:] = [value + 60 for value in values[700:]]
        write(tmp_path, name, values, [(680, 720)] if name.startswith("a") else [])
    return tmp_path


def test_files_become_series_with_their_windows(data: Path) -> None:
    one, _, none = load(data)
    assert (one.name, one.group, one.windows, one.labels) == ("a/one.csv", "a", ((680, 720),), (700,))
    assert one.series.metric.period == 300
    assert one.series.points[0][0] == START
    assert len(none.series.points) == 900
    assert none.windows == ()


def test_a_label_between_rows_is_taken_for_the_nearest(data: Path) -> None:
    told = json.dumps({"a/one.csv": ["2024-02-05 00:11:00", "2024-02-05 00:10:00", "2024-02-05 00:14:00"]})
    (data / "labels" / "combined_labels.json").write_text(told)
    assert load(data)[0].labels == (2, 3)


def test_a_clear_step_is_found_and_nothing_where_nothing_is(data: Path) -> None:
    result = run(data)
    detectors = result.figures["detectors"]
    assert isinstance(detectors, dict)
    ours = detectors["opsleuth, past only"]["all"]
    assert (ours["windows"], ours["found"]) == (2, 2)
    assert ours["score"] > 80
    assert detectors["silence"]["all"]["score"] == 0
    looks = result.figures["looking_back"]
    assert isinstance(looks, dict)
    for back in looks.values():
        assert (back["windows"], back["within"], back["from_start"]) == (2, 2, (20, 20.0))
        assert back["from_label"] == (0, 0.0)
    assert len(looks) == 3
    for said in ("first half (2)", "second half (1)", "looking back", "Numenta HTM", "windowed Gaussian"):
        assert said in result.text
    assert json.dumps(dict(result.figures)) == json.dumps(dict(run(data).figures))


def test_quiet_stretches_touch_no_window(data: Path) -> None:
    one, _, none = load(data)
    spans = quiet(one)
    assert 1 < len(spans) <= 4
    assert all(last - first == 40 and not (first - 41 <= 720 and last >= 680) for first, last in spans)
    assert all(first >= probation(900) for first, _ in spans)
    assert len(quiet(none)) > 1
    asked = by_onset(timedelta(days=3))
    assert not any(look.answered for look in look_at_quiet([none], asked))
    assert [look.from_label for look in look_back([one], asked)] == [0]
    scores = {one.name: [9.0 * (row == 690) for row in range(900)]}
    (look,) = look_back([one], by_rarity(scores))
    assert (look.within, look.from_start, look.from_label) == (True, 10, 10)
    assert not any(look.answered for look in look_at_quiet([one], by_rarity(scores)))


def test_shares_of_distances() -> None:
    assert shares([]) is None
    assert shares([5, 1, 3]) == (3, 5.0)


def test_what_is_no_copy_of_nab_is_told(tmp_path: Path, data: Path) -> None:
    with pytest.raises(BadInput, match="no copy of NAB"):
        run(tmp_path / "nothing")
    windows = data / "labels" / "combined_windows.json"
    for text, said in (
        ("[]", "does not map"),
        ("{", "cannot be read"),
        ('{"c/gone.csv": []}', "None of the 1 files"),
        ('{"a/one.csv": [["2031-01-01 00:00:00", "2031-01-02 00:00:00"]]}', "none of its rows"),
        ('{"a/one.csv": [["2024-02-05 01:00:00"]]}', "none of its rows"),
        ('{"a/one.csv": 3}', "none of its rows"),
        ('{"a/one.csv": [["2024-02-05 01:00:00", "2024-02-05 00:30:00"]]}', "end before they begin"),
    ):
        windows.write_text(text)
        with pytest.raises(BadInput, match=said):
            load(data)
    windows.write_text('{"a/one.csv": []}')
    (data / "data/a/one.csv").write_text("timestamp,value\n2024-02-05 00:00:00,much\n")
    with pytest.raises(BadInput, match="not a table"):
        load(data)
    (data / "data/a/one.csv").write_text("timestamp,value\n2024-02-05 00:00:00,nan\n2024-02-05 00:05:00,1\n")
    with pytest.raises(BadInput, match="no number"):
        load(data)
