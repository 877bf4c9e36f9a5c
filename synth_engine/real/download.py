"""Fetching challenge files over HTTP from an address that the user gives: the original's downloader, as the reference.

Each answer of the server is saved as ``challenge-<k>`` if it is a challenge file. Files are whole or absent, so that
the same download again fetches only what is missing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from synth_engine.atomic import write_bytes
from synth_engine.errors import RealImagesError
from synth_engine.real.challenge import parse_challenge
from synth_engine.real.files import CHALLENGE_BYTES_MAX, read_limited

if TYPE_CHECKING:
    from requests import Response

CHUNK_BYTES = 64 * 1024
BACKOFF_S = 0.5


@dataclass(frozen=True, slots=True)
class Downloaded:
    """What became of the files: numbers of those fetched and of those already there, (number, reason) of failures."""

    fetched: tuple[int, ...]
    present: tuple[int, ...]
    failed: tuple[tuple[int, str], ...]


class _RefusedError(Exception):
    """An answer that another attempt will not change."""


@dataclass(frozen=True, slots=True)
class _Job:
    """The settings that all files of one download share; see `download`."""

    url: str
    folder: Path
    timeout_s: float
    retries: int
    max_bytes: int
    backoff_s: float
    stop: threading.Event

    def path(self, k: int) -> Path:
        return self.folder / f"challenge-{k}"


def download(
    url: str,
    folder: str | Path,
    count: int,
    *,
    threads: int = 4,
    timeout_s: float = 30.0,
    retries: int = 3,
    max_bytes: int = 64 * 2**20,
    backoff_s: float = BACKOFF_S,
    progress: Callable[[int, int | None], object] | None = None,
) -> Downloaded:
    """Fetch challenge files 0 … ``count - 1`` from ``url`` into ``folder/challenge-<k>``, ``threads`` at a time.

    ``{k}`` in the address is replaced by the file's number. Without it every request has the same address: the
    contest's server answered with new images each time. ``timeout_s`` bounds connecting, each wait for data and the
    whole answer; ``max_bytes`` bounds its size. A failed attempt is repeated up to ``retries`` times after
    ``backoff_s``·2ⁿ seconds, unless the server refuses (4xx other than 408 and 429) or sends too much. Complete files
    already there are kept. ``progress`` is called with the number of files tried and of those to fetch.

    Raises RealImagesError for an address that is not http(s), and at the end if files failed, naming them; the
    error's ``value`` is the `Downloaded` so far.
    """
    _check(url, count, threads)
    job = _Job(url, Path(folder), timeout_s, retries, max_bytes, backoff_s, threading.Event())
    present = tuple(k for k in range(count) if _is_complete(job.path(k)))
    wanted = [k for k in range(count) if k not in set(present)]
    failed = sorted((k, reason) for k, reason in _run(job, wanted, threads, progress) if reason)
    missing = {k for k, _ in failed}
    done = Downloaded(tuple(k for k in wanted if k not in missing), present, tuple(failed))
    if failed:
        raise RealImagesError(_failure(done, count), done)
    return done


def _check(url: str, count: int, threads: int) -> None:
    if not _is_http(url):
        raise RealImagesError(f"expected an address that starts with http:// or https://, received {url!r}", url)
    if count < 1 or threads < 1:
        raise RealImagesError(
            f"expected at least 1 file and 1 thread, received {count} and {threads}", (count, threads)
        )


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets that hold no IPv6 address
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def _is_complete(path: Path) -> bool:
    try:
        parse_challenge(read_limited(path, CHALLENGE_BYTES_MAX), path.name)
    except RealImagesError:
        return False
    return True


def _run(
    job: _Job, wanted: list[int], threads: int, progress: Callable[[int, int | None], object] | None
) -> Iterator[tuple[int, str | None]]:
    """(k, None or why it failed) as files end; leaving early (Ctrl-C) stops waiting files and retries."""
    pool = ThreadPoolExecutor(threads, thread_name_prefix="download")
    try:
        files: dict[Future[str | None], int] = {pool.submit(_fetch, job, k): k for k in wanted}
        for done, future in enumerate(as_completed(files), 1):
            yield files[future], future.result()
            if progress is not None:
                progress(done, len(files))
    finally:
        job.stop.set()
        pool.shutdown(cancel_futures=True)


def _fetch(job: _Job, k: int) -> str | None:
    """Fetch file ``k`` with retries; None if it succeeds, else the last attempt's reason."""
    import requests
    import urllib3

    reason = "stopped"
    for attempt in range(job.retries + 1):
        if job.stop.wait(job.backoff_s * 2 ** (attempt - 1) if attempt else 0):
            break
        try:
            write_bytes(job.path(k), _attempt(job, k))
            return None
        except _RefusedError as error:
            return str(error)
        except (requests.RequestException, urllib3.exceptions.HTTPError, RealImagesError, TimeoutError) as error:
            reason = str(error)
        except OSError as error:
            return f"{job.path(k)} cannot be written: {error.strerror}"
    return reason


def _attempt(job: _Job, k: int) -> bytes:
    import requests

    ends = time.monotonic() + job.timeout_s
    # no compression, so that an answer's size is what is received and nothing can expand beyond the limit
    headers = {"Accept-Encoding": "identity"}
    url = job.url.replace("{k}", str(k))
    with closing(requests.get(url, timeout=job.timeout_s, stream=True, headers=headers)) as response:
        _check_status(response)
        content = _body(job, response, ends)
    parse_challenge(content, f"challenge-{k}")
    return content


def _check_status(response: Response) -> None:
    status = response.status_code
    if 400 <= status < 500 and status not in (408, 429):
        raise _RefusedError(f"the server answered {status} {response.reason}")
    response.raise_for_status()


def _body(job: _Job, response: Response, ends: float) -> bytes:
    """The answer's body; raises _RefusedError past ``max_bytes``, TimeoutError past ``ends``."""
    chunks, size = [], 0
    while chunk := response.raw.read1(CHUNK_BYTES, decode_content=True):
        chunks.append(chunk)
        size += len(chunk)
        if size > job.max_bytes:
            raise _RefusedError(
                f"expected at most {job.max_bytes:,} bytes, received more; raise max_bytes if that is right"
            )
        if job.stop.is_set() or time.monotonic() > ends:
            raise TimeoutError(f"the answer did not end within {job.timeout_s:g} s; {size:,} bytes had come")
    return b"".join(chunks)


def _failure(done: Downloaded, count: int) -> str:
    named = "; ".join(f"challenge-{k}: {reason}" for k, reason in done.failed[:5])
    more = f"; … and {len(done.failed) - 5} more" if len(done.failed) > 5 else ""
    return (
        f"expected {count} challenge files, {len(done.failed)} could not be fetched ({named}{more}); "
        f"{len(done.fetched) + len(done.present)} are whole: run the same again to fetch the rest"
    )
