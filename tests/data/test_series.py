"""Readers of series: tables with holes and breaks, standard splits, windows, files of one's own."""

import lzma
import warnings

import numpy as np
import pytest

from kzoo.data import DataWarning, list_series, load_series, read_series, read_table


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


def test_missing_values_hold_the_one_before_and_are_counted(tmp_path):
    rows = "day,a,b\n1,NA,5\n2,1.5,6\n3,,7\n4,nan,?\n5,4,8\n"
    path = write(tmp_path / "holes.csv", rows)
    with pytest.warns(
        DataWarning, match=r"3 missing values .* first: line 4, column 'a'"
    ) as caught:
        table = read_table(path, ["a", "b"])
    assert caught[0].filename == __file__
    # The first row has a hole with nothing before it.
    assert table.values.tolist() == [[1.5, 6], [1.5, 7], [1.5, 7], [4, 8]]
    assert table.observed.tolist() == [[True, True], [False, True], [False, False], [True, True]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n3\n", "line 3: expected 2 columns, got 1"),
        ("a,b\n1,2\n3,x1\n", "line 3: column 'b': expected a number, got 'x1'"),
        ("a,b\n1,2\n3,inf\n", "line 3: column 'b': expected a number, got 'inf'"),
        ("a,b\n", "expected rows of numbers, got none"),
        ("a,b\nNA,1\n1,NA\n", "expected a row without missing values, got none"),
        ("day\nMon\n", r"expected columns of numbers, got \['day'\] without any"),
    ],
)
def test_broken_rows_are_named(tmp_path, text, message):
    with pytest.raises(ValueError, match=rf"broken\.csv: {message}"):
        read_table(write(tmp_path / "broken.csv", text))


def test_bytes_that_are_no_text_are_an_error(tmp_path):
    (tmp_path / "bytes.csv").write_bytes(b"a\n1\n\xff\n")
    with pytest.raises(ValueError, match="expected UTF-8 text, 'utf-8' codec can't decode"):
        read_table(tmp_path / "bytes.csv")


def test_columns_of_words_become_indicators_or_are_left_out(tmp_path):
    path = write(
        tmp_path / "wind.csv", '"day","wind","speed"\n1981-01-01,NW,"2"\n1981-01-02,SE,3\n'
    )
    assert read_table(path).columns == ["speed"]
    table = read_table(path, ["wind", "speed"], {"wind": ("NW", "SE")})
    assert table.columns == ["wind NW", "wind SE", "speed"]
    assert table.values.tolist() == [[1, 0, 2], [0, 1, 3]]
    with pytest.raises(ValueError, match="line 3: column 'wind': expected one of NW, NE, got 'SE'"):
        read_table(path, ["wind"], {"wind": ("NW", "NE")})
    with pytest.raises(ValueError, match="expected the columns temperature, got"):
        read_table(path, ["temperature"])


def test_series_of_yours(tmp_path):
    rows = "".join(f"{step},{step * 10},{-step}\n" for step in range(100))
    path = tmp_path / "mine.csv.xz"
    path.write_bytes(lzma.compress(f"step,a,b\n{rows}".encode()))
    data = read_series(path, columns=["a", "b"], targets=["b"], season=7)
    assert (data.name, data.columns, data.targets, data.season) == ("mine", ["a", "b"], [1], 7)
    assert data.ends == (70, 80, 100)
    mean, variance = data.statistics
    assert mean == [345.0, -34.5]
    np.testing.assert_allclose(variance, [100 * np.var(range(70)), np.var(range(70))])
    assert data.known_targets.shape == (100, 1)
    # Targets lie in their part; what is read may lie before it.
    assert data.starts("train", 10, 5).tolist() == list(range(56))
    assert data.starts("validation", 10, 5).tolist() == list(range(60, 66))
    assert data.starts("test", 10, 5)[-1] == 85
    with pytest.raises(ValueError, match="expected a window in the 10 steps of validation of mine"):
        data.starts("validation", 10, 11)
    with pytest.raises(
        ValueError, match="part: expected one of train, validation, test, got 'dev'"
    ):
        data.starts("dev", 10, 5)
    with pytest.raises(ValueError, match="targets: expected some of a, b, got"):
        read_series(path, columns=["a", "b"], targets=["c"])
    with pytest.raises(FileNotFoundError, match="path: expected a CSV file"):
        read_series(tmp_path / "none.csv")


def test_the_literature_s_split(tmp_path):
    rows = "".join(f"2016-07-01,{','.join([str(step % 24)] * 7)}\n" for step in range(17420))
    write(tmp_path / "ETTh1.csv", f"date,HUFL,HULL,MUFL,MULL,LUFL,LULL,OT\n{rows}")
    data = load_series("etth1", tmp_path)
    assert data.ends == (8640, 11520, 14400)
    # As many test windows as Informer, DLinear and PatchTST have.
    assert len(data.starts("test", 336, 96)) == 2785
    write(tmp_path / "ETTh1.csv", "date,OT\n2016,1\n")
    with pytest.raises(ValueError, match="etth1: expected at least 14400 rows, got 1"):
        load_series("etth1", tmp_path)


def test_embedded_series_are_whole():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = load_series("min_temperatures")
    assert data.values.shape == (3650, 1)
    assert data.values[0, 0] == np.float32(20.7)
    with pytest.warns(DataWarning, match="1373 missing values"):
        data = load_series("pollution_2y")
    # The first day has no measurements.
    assert data.values.shape == (17496, 11)
    assert data.columns[data.targets[0]] == "pm2.5"
    assert np.isnan(data.known_targets).sum() == 1373
    assert data.values[:, 4:8].sum(axis=1).tolist() == [1.0] * 17496


def test_what_comes_with_kzoo_needs_not_be_in_the_folder_of_all_data(tmp_path):
    own = load_series("min_temperatures")
    np.testing.assert_array_equal(load_series("min_temperatures", tmp_path).values, own.values)
    with pytest.raises(FileNotFoundError, match="is no directory"):
        load_series("min_temperatures", tmp_path / "missing")


def test_unknown_names_and_missing_folders_say_what_was_expected():
    assert "etth1" in list_series()
    with pytest.raises(ValueError, match="name: expected one of airline_passengers, etth1"):
        load_series("ettm7")
    with pytest.raises(ValueError, match="etth1 does not come with kzoo"):
        load_series("etth1")
