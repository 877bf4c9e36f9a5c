"""Label files: only name and text count, and rows that do not fit are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from classifier.scoring.labels import check_alphabet, check_names, read_labels
from synth_engine.errors import LabelError


def written(folder: Path, content: str) -> Path:
    path = folder / "labels.csv"
    path.write_text(content)
    return path


def test_other_columns_are_ignored(tmp_path: Path) -> None:
    path = written(tmp_path, "sure,text,name\n1111,ab,one\n,b,two\n")
    assert read_labels(path) == {"one": ("ab", 2), "two": ("b", 3)}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name,text\na,x\nb,y\na,z\n", r"expected each name once, received row 4: a \(first in row 2\); keep"),
        ("name,text\na,\n,y\n", "a name and a text in each row, received row 2; row 3; fill"),
        ("name,label\na,x\n", "expected the columns name,text.*text missing"),
        ("name,text\n", "expected rows below the header"),
        ("", "name and text missing"),
    ],
)
def test_files_that_do_not_fit_are_refused(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        read_labels(written(tmp_path, content))


def test_a_missing_or_binary_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"cannot read .*give a CSV file"):
        read_labels(tmp_path / "none.csv")
    (tmp_path / "labels.csv").write_bytes(b"name,text\n\xff\xfe,x\n")
    with pytest.raises(LabelError, match="no CSV file in UTF-8"):
        read_labels(tmp_path / "labels.csv")


def test_rows_outside_the_alphabet_or_the_images_are_named() -> None:
    labels = {"one": ("ab", 2), "two": ("aB?", 3)}
    with pytest.raises(LabelError, match=r"texts over the model's alphabet 'ab', received row 3: two has '\?B'"):
        check_alphabet(Path("labels.csv"), labels, "ab")
    with pytest.raises(LabelError, match=r"expected names of images, .* received row 2: one;"):
        check_names(Path("labels.csv"), labels, {"two"})


def test_many_rows_are_counted_and_the_first_shown() -> None:
    labels = {str(k): ("a", k + 2) for k in range(9)}
    with pytest.raises(LabelError, match="row 6: 4; and 4 more; correct"):
        check_names(Path("labels.csv"), labels, ())
