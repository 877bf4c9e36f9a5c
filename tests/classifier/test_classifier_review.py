"""The page for corrections: whole in itself, what it holds comes back out, and nothing in it becomes markup."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from classifier.reading.predictions import Prediction
from classifier.reading.review_page import SCRIPT, embed
from classifier.review import page, review
from synth_engine.errors import RealImagesError

NASTY = '</script><script>alert("x")</script><!-- &amp; \u2028'


class Scripts(HTMLParser):
    """Collects the content of every script element, and every tag."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.tags.append(tag)
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self.tags.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] == ["script"]:
            self.scripts[-1] += data


def parsed(html: str) -> Scripts:
    parser = Scripts()
    parser.feed(html)
    return parser


def run(*arguments: object) -> object:
    return CliRunner().invoke(review, [str(argument) for argument in arguments], catch_exceptions=False)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for k in range(4):
        Image.fromarray(np.full((5, 9), 10 * k, np.uint8)).save(folder / f"image{k}.png")
    return folder


def test_the_page_shows_the_least_sure_with_their_pictures(images: Path, tmp_path: Path) -> None:
    (tmp_path / "read.csv").write_text("name,text,confidence\nimage1,ab,0.9\nimage3,cd,0.2\nimage0,ef,0.5\n")
    options = ["--predictions", tmp_path / "read.csv", "--images", images, "--out", tmp_path / "page.html"]
    result = run(*options, "--limit", "2")
    html = (tmp_path / "page.html").read_text()
    content = json.loads(parsed(html).scripts[0])
    assert [(item["name"], item["text"]) for item in content["items"]] == [("image3", "cd"), ("image0", "ef")]
    pictures = [base64.b64decode(item["image"].removeprefix("data:image/png;base64,")) for item in content["items"]]
    assert [int(np.asarray(Image.open(io.BytesIO(one)))[0, 0]) for one in pictures] == [30, 0]
    assert "2 images" in result.output
    assert not re.search(r"(?:src|href)=|https?:", html.replace(json.dumps(content), ""))


@given(st.text(max_size=20), st.text(max_size=8))
def test_what_is_embedded_comes_back(name: str, text: str) -> None:
    rows = [(Prediction(name + NASTY, text + NASTY, 0.5, [0.5], "x"), "data:,")]
    found = parsed(page(Path("a.csv"), rows, NASTY))
    assert found.tags.count("script") == 2
    content = json.loads(found.scripts[0])
    assert (content["items"][0]["name"], content["items"][0]["text"]) == (name + NASTY, text + NASTY)
    assert content["alphabet"] == NASTY


def test_titles_are_escaped_and_data_cannot_end_its_element() -> None:
    assert "<b>" not in page(Path("<b>.csv"), [], None).split("<script")[0]
    assert not set("<>&\u2028") & set(embed([NASTY]))


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node.js to run the page's script")
def test_the_pages_csv_is_read_back_as_it_was() -> None:
    rows = [["a,b", 'say "x"', "1"], ["line\nbreak", "plain", "0"], ["ü", "", "1"]]
    code = SCRIPT + f"process.stdout.write(toCsv({json.dumps(rows)}));"
    written = subprocess.run(["node", "-e", code], capture_output=True, check=True).stdout.decode()
    assert list(csv.reader(io.StringIO(written, newline=""))) == [["name", "text", "checked"], *rows]


def test_json_lines_bring_second_choices(images: Path, tmp_path: Path) -> None:
    row = {"name": "image2", "text": "ab", "confidence": 0.4, "confidences": [0.9, 0.5], "seconds": "xy", "boxes": None}
    (tmp_path / "read.jsonl").write_text(json.dumps(row) + "\n")
    run("--predictions", tmp_path / "read.jsonl", "--images", images, "--out", tmp_path / "page.html")
    (item,) = json.loads(parsed((tmp_path / "page.html").read_text()).scripts[0])["items"]
    assert (item["confidences"], item["seconds"]) == ([0.9, 0.5], "xy")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name,text,confidence\nimage9,ab,0.9\n", "1 are not there or damaged, such as image9"),
        ("name,label\nimage1,ab\n", "expected predictions .columns name,text,confidence"),
        ("name,text,confidence\nimage1,ab,sure\n", "expected predictions"),
        ('{"name": 1}\n', "expected predictions"),
    ],
)
def test_files_that_do_not_fit_are_refused(images: Path, tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "read.csv").write_text(content)
    with pytest.raises(RealImagesError, match=message):
        run("--predictions", tmp_path / "read.csv", "--images", images, "--out", tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()
