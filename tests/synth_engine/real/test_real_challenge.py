"""Challenge files: one damaged entry costs no other, and no name leads out of a folder."""

from __future__ import annotations

import json

import pytest

from synth_engine.errors import RealImagesError
from synth_engine.real import name_problem, parse_challenge
from tests.synth_engine.real.image_files import challenge


def test_entries_keep_their_order_names_and_bytes() -> None:
    entries = list(parse_challenge(challenge(**{"b.jpg": b"one", "a": b"two"}), "challenge-0"))
    assert [(entry.name, entry.content) for entry in entries] == [("b", b"one"), ("a", b"two")]


def test_the_contests_escaped_slashes_are_read() -> None:
    content = rb'{"images":[{"name":"x","jpg_base64":"\/\/8="}], "more": 1}'
    assert next(parse_challenge(content, "challenge-0")).content == b"\xff\xff"


def test_a_damaged_entry_is_named_by_its_place_and_the_rest_is_read() -> None:
    entries = list(parse_challenge(challenge(a=b"one", b="!!!", c=b"three"), "challenge-7"))
    assert [entry.name for entry in entries] == ["a", "challenge-7[1]", "c"]
    assert "base64" in str(entries[1].problem)
    assert entries[1].content is None


@pytest.mark.parametrize("entry", [{"name": "x"}, {"jpg_base64": "eA=="}, {"name": 3, "jpg_base64": "eA=="}, [], None])
def test_an_entry_without_its_keys_is_damaged(entry: object) -> None:
    found = list(parse_challenge(json.dumps({"images": [entry]}).encode(), "f"))
    assert [(e.name, e.content) for e in found] == [("f[0]", None)]
    assert "damaged entry" in str(found[0].problem)


BROKEN = [b"", b"{", b'{"images": 3}', b'{"other": []}', b"[1]", challenge(a=b"x")[:-9], b"\xff"]
BROKEN += [b'{"images": ' + b"[" * 100_000]


@pytest.mark.parametrize("content", BROKEN, ids=range(len(BROKEN)))
def test_what_is_no_challenge_file_is_an_error_at_once(content: bytes) -> None:
    with pytest.raises(RealImagesError, match=r"damaged or other data .*fetch the file again"):
        parse_challenge(content, "challenge-0")


def test_a_challenge_file_without_entries_is_an_error() -> None:
    with pytest.raises(RealImagesError, match="at least one entry under `images`"):
        parse_challenge(b'{"images": []}', "challenge-0")


EVIL = ["../../x", "/abs", "a/b", "a\\b", "..", ".", ".hidden", "C:x", "nul", "COM1.png.x", "a\0b", "a\nb", "end."]
EVIL += ["", "n" * 201]


@pytest.mark.parametrize("name", EVIL)
def test_a_name_that_could_leave_the_folder_is_refused(name: str) -> None:
    assert name_problem(name)
    (entry,) = parse_challenge(challenge(**{name: b"x"}), "f")
    assert entry.name == "f[0]"
    assert entry.content is None


@pytest.mark.parametrize("name", ["4736d0aa69e9", "a.b", "größe 1", "console", "x" * 200])
def test_an_ordinary_name_is_accepted(name: str) -> None:
    assert name_problem(name) is None
