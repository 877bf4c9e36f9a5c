"""JSON files of the project: what is written comes back, and anything else is refused with the remedy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_engine.errors import ModelError
from synth_engine.json_files import HEADER, read_json, write_json

NAMES = st.text(max_size=8).filter(lambda name: name not in HEADER)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def read(path: Path) -> dict[str, Any]:
    return read_json(path, "scores", error=ModelError, remedy="train it again")


@given(value=st.dictionaries(NAMES, VALUES, max_size=4))
def test_what_is_written_comes_back(tmp_path_factory: pytest.TempPathFactory, value: dict[str, Any]) -> None:
    path = tmp_path_factory.mktemp("json") / "scores.json"
    write_json(path, "scores", value)
    assert read(path) == value


def test_the_header_stands_beside_the_values_and_keys_are_sorted(tmp_path: Path) -> None:
    write_json(tmp_path / "scores.json", "scores", {"b": 1, "a": "ü"})
    text = (tmp_path / "scores.json").read_text(encoding="utf-8")
    assert list(json.loads(text).items()) == [("a", "ü"), ("b", 1), ("format_version", 1), ("kind", "scores")]
    assert text.count("\n") == 6


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"scores\.json cannot be read \(No such file.*\); train it again"),
        (b"", r"is damaged: expected JSON, received .*; train it again"),
        (b'{"format_version": 1, "kind": "sc', "is damaged: expected JSON"),
        (b"[" * 100_000, "is damaged"),
        (b"\xff\xfe", "is damaged"),
        (b"[1]", "expected an object, received a list"),
        (b'{"seed": 3}', r"has no `format_version`: expected 1; another version .*; train it again"),
        (b'{"format_version": 2, "kind": "scores"}', "has `format_version` 2: expected 1"),
        (b'{"format_version": 1, "kind": "config"}', "is of kind 'config': expected 'scores'"),
    ],
)
def test_other_content_is_refused_with_the_remedy(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "scores.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=message) as caught:
        read(path)
    assert caught.value.value == path
    assert str(caught.value).endswith("; train it again")


def test_a_file_that_cannot_be_written_leaves_the_former_one(tmp_path: Path) -> None:
    path = tmp_path / "scores.json"
    write_json(path, "scores", {"seed": 3})
    with pytest.raises(TypeError):
        write_json(path, "scores", {"seed": object()})
    with pytest.raises(ValueError, match="rename the keys in scores"):
        write_json(path, "scores", {"kind": "other"})
    assert read(path) == {"seed": 3}
    assert list(tmp_path.iterdir()) == [path]
