"""Label files, for scoring alone: `tests/test_structure.py` lets no other room import this one."""

from __future__ import annotations

import csv
from collections.abc import Collection
from pathlib import Path

from synth_engine.errors import LabelError

Labels = dict[str, tuple[str, int]]  # name of an image: its text, and the row of the file
COLUMNS = ("name", "text")
SHOWN = 5


def read_labels(path: Path) -> Labels:
    """The labels in a CSV file with a header; columns other than name and text are ignored.

    Raises LabelError for a missing file or column, rows without a name or text, and repeated names, naming the rows.
    """
    rows = _rows(path)
    labels: Labels = {}
    twice, empty = [], []
    for number, row in rows:
        name, text = (row.get(column) or "" for column in COLUMNS)
        if not name or not text:
            empty.append(f"row {number}")
        elif name in labels:
            twice.append(f"row {number}: {name} (first in row {labels[name][1]})")
        else:
            labels[name] = (text, number)
    _refuse(path, empty, "a name and a text in each row", "fill them in or remove the rows")
    _refuse(path, twice, "each name once", "keep one row a name")
    if not labels:
        raise LabelError(f"expected rows below the header of {path}, found none; add name,text rows", path)
    return labels


def check_alphabet(path: Path, labels: Labels, alphabet: str) -> None:
    """Raise LabelError naming the rows that hold characters outside ``alphabet``."""
    strange = [
        f"row {number}: {name} has {''.join(sorted(set(text) - set(alphabet)))!r}"
        for name, (text, number) in labels.items()
        if not set(text) <= set(alphabet)
    ]
    _refuse(path, strange, f"texts over the model's alphabet {alphabet!r}", "correct them, or use the right model")


def check_names(path: Path, labels: Labels, names: Collection[str]) -> None:
    """Raise LabelError naming the rows whose name is none of the images' ``names``."""
    unknown = [f"row {number}: {name}" for name, (_, number) in labels.items() if name not in names]
    _refuse(path, unknown, "names of images, without their ending", "correct them or remove the rows")


def _rows(path: Path) -> list[tuple[int, dict[str, str]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = [column for column in COLUMNS if column not in (reader.fieldnames or [])]
            if missing:
                raise LabelError(f"expected the columns name,text in {path}, {' and '.join(missing)} missing", path)
            return [(reader.line_num, row) for row in reader]
    except OSError as error:
        raise LabelError(f"cannot read {path}: {error.strerror}; give a CSV file with the columns name,text") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise LabelError(f"{path} is no CSV file in UTF-8 ({error}); save it as such", path) from error


def _refuse(path: Path, rows: list[str], expected: str, remedy: str) -> None:
    if rows:
        shown = "; ".join(rows[:SHOWN]) + (f"; and {len(rows) - SHOWN} more" if len(rows) > SHOWN else "")
        raise LabelError(f"{path}: expected {expected}, received {shown}; {remedy}", rows)
