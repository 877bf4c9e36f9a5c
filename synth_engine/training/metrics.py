"""MetricsTable: a run's `metrics.csv`, read when a run is resumed and written whole for each new row."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from synth_engine.atomic import write_bytes

Row = dict[str, str]


class MetricsTable:
    """The table in ``path`` with ``columns``. Rows found there that ``keep`` refuses are dropped."""

    def __init__(self, path: Path, columns: Sequence[str], keep: Callable[[Row], bool]) -> None:
        self.path, self.columns = path, columns
        self.rows = [row for row in read_rows(path) if keep(row)]

    def add(self, values: Mapping[str, str | float]) -> None:
        """Append a row, numbers with six digits, and write the table, whole or not at all; raises OSError."""
        texts = {name: value if isinstance(value, str) else f"{float(value):.6g}" for name, value in values.items()}
        self.rows.append(texts)
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, self.columns, restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows)
        write_bytes(self.path, text.getvalue().encode())


def read_rows(path: Path) -> list[Row]:
    """The rows of a table; none where there is no file."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
