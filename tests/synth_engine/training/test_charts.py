"""Charts of reports: pictures that lie in the page, whose legend hides no line."""

from __future__ import annotations

import base64
import io
import re

from PIL import Image

from synth_engine.training.charts import DPI, SIZE_IN, bar_chart, chart_png, line_chart, series

ROWS = [{"step": "1", "loss": "2.5", "kept": ""}, {"step": "2", "loss": "1.5", "kept": "0.5"}]


def test_a_column_without_values_has_no_series() -> None:
    assert series(ROWS, ("loss", "kept", "gone")) == {"loss": [(1.0, 2.5), (2.0, 1.5)], "kept": [(2.0, 0.5)]}
    assert line_chart("Loss", series(ROWS, ("gone",))) == ""


def test_a_chart_is_a_picture_in_the_page_that_says_what_it_shows() -> None:
    html = line_chart("Loss <train>", series(ROWS, ("loss", "kept")))
    assert 'alt="Loss &lt;train&gt;: loss, kept by step"' in html
    (data,) = re.findall(r'src="data:image/png;base64,([^"]+)"', html)
    picture = Image.open(io.BytesIO(base64.b64decode(data)))
    assert picture.size == tuple(round(side * DPI) for side in SIZE_IN)


def test_equal_numbers_give_equal_pictures() -> None:
    lines = series(ROWS, ("loss", "kept"))
    assert chart_png("Loss", lines) == chart_png("Loss", lines)


def test_bars_say_their_values() -> None:
    assert bar_chart("Share", {}, level=1.0) == ""
    assert 'alt="Share: a 0.50, b 1.25"' in bar_chart("Share", {"a": 0.5, "b": 1.25}, level=1.0)
