"""Every JSON file that the project writes: one object, with the kind of file and the version of its format.

    {
      "expected_right": 0.981,
      "format_version": 1,
      "kind": "scores"
    }

A program that expects another version refuses the file instead of misunderstanding it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from synth_engine.atomic import write_bytes
from synth_engine.errors import SynthError

FORMAT_VERSION = 1
HEADER = frozenset({"format_version", "kind"})


def write_json(path: Path, kind: str, value: Mapping[str, Any]) -> None:
    """Write the JSON values of ``value`` to ``path``, whole or not at all, as a file of that ``kind``.

    Keys are sorted. Raises ValueError if ``value`` has a key of the header, OSError as the file system does.
    """
    if taken := HEADER & value.keys():
        raise ValueError(f"{', '.join(sorted(taken))} are written to every file; rename the keys in {kind}")
    content = {"format_version": FORMAT_VERSION, "kind": kind, **value}
    write_bytes(path, (json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode())


def read_json(path: Path, kind: str, *, remedy: str, error: type[SynthError] = SynthError) -> dict[str, Any]:
    """The values that `write_json` wrote to ``path``, without the header.

    Raises ``error``, whose message ends in ``remedy`` (an imperative: "train it again"), if the file is missing or
    damaged, of another kind, or of a version that this program does not know; its value is ``path``.
    """
    try:
        content = json.loads(path.read_bytes())
    except OSError as problem:
        raise error(f"{path} cannot be read ({problem.strerror}); {remedy}", path) from problem
    except (ValueError, RecursionError) as problem:
        raise error(f"{path} is damaged: expected JSON, received {problem}; {remedy}", path) from problem
    if refused := _refusal(content, kind):
        raise error(f"{path} {refused}; {remedy}", path)
    return {name: value for name, value in content.items() if name not in HEADER}


def _refusal(content: Any, kind: str) -> str | None:
    """Why the decoded file is no ``kind`` of this version; None if it is one."""
    if not isinstance(content, dict):
        return f"is damaged: expected an object, received a {type(content).__name__}"
    version = content.get("format_version")
    if version is None:
        return f"has no `format_version`: expected {FORMAT_VERSION}; another version of this program wrote it"
    if version != FORMAT_VERSION:
        return f"has `format_version` {version!r}: expected {FORMAT_VERSION}; another version of this program wrote it"
    if content.get("kind") != kind:
        return f"is of kind {content.get('kind')!r}: expected {kind!r}"
    return None
