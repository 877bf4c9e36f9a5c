"""Downloading from a server on this machine that answers well, badly, slowly or too much."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from synth_engine.errors import RealImagesError
from synth_engine.real import Downloaded, download
from tests.synth_engine.real.image_files import challenge, speckled

WHOLE = challenge(a=speckled(1))
Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Answers by the server's ``answers``: path ► calls, the last one again and again."""

    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        with server.lock:
            answers = server.answers[self.path]
            server.asked.append(self.path)
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        answer(self)

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


class Server(ThreadingHTTPServer):
    """A server with its script and a record of what was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, list[Answer]] = {}
        self.asked: list[str] = []
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/{{k}}"

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is part of the tests."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def good(content: bytes = WHOLE, status: int = 200, claimed: int | None = None) -> Answer:
    def answer(handler: Handler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(claimed or len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def dripping(handler: Handler) -> None:
    """A byte at a time: no single wait is long, the whole never ends."""
    handler.send_response(200)
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.02)


def silent(_: Handler) -> None:
    time.sleep(0.5)


def fetch(server: Server, folder: Path, count: int = 1, **settings: float) -> Downloaded:
    return download(server.url, folder, count, backoff_s=0.001, **settings)  # type: ignore[arg-type]


def test_each_answer_becomes_a_file(server: Server, tmp_path: Path) -> None:
    contents = [challenge(**{f"n{k}": speckled(k)}) for k in range(3)]
    server.answers = {f"/{k}": [good(content)] for k, content in enumerate(contents)}
    assert fetch(server, tmp_path, 3) == Downloaded((0, 1, 2), (), ())
    assert [(tmp_path / f"challenge-{k}").read_bytes() for k in range(3)] == contents


def test_a_server_in_trouble_is_asked_again(server: Server, tmp_path: Path) -> None:
    server.answers = {"/0": [good(b"", 503), good(WHOLE[:50], claimed=len(WHOLE)), good(b"<html>"), good()]}
    assert fetch(server, tmp_path).fetched == (0,)
    assert len(server.asked) == 4
    assert (tmp_path / "challenge-0").read_bytes() == WHOLE


def test_failures_are_named_and_the_rest_is_kept(server: Server, tmp_path: Path) -> None:
    server.answers = {"/0": [good()], "/1": [good(b"", 500)], "/2": [good(b"[]")]}
    with pytest.raises(
        RealImagesError, match=r"challenge-1: 500.*challenge-2: .*damaged.*1 are whole: run the same"
    ) as error:
        fetch(server, tmp_path, 3, retries=1)
    assert [k for k, _ in error.value.value.failed] == [1, 2]  # type: ignore[attr-defined]
    assert [file.name for file in tmp_path.iterdir()] == ["challenge-0"]


def test_a_second_run_fetches_what_is_missing(server: Server, tmp_path: Path) -> None:
    server.answers = {f"/{k}": [good()] for k in range(3)}
    (tmp_path / "challenge-1").write_bytes(challenge(kept=speckled(9)))
    (tmp_path / "challenge-2").write_bytes(WHOLE[:40])
    assert fetch(server, tmp_path, 3) == Downloaded((0, 2), (1,), ())
    assert sorted(server.asked) == ["/0", "/2"]
    assert fetch(server, tmp_path, 3).present == (0, 1, 2)


def test_a_refusal_is_not_asked_again(server: Server, tmp_path: Path) -> None:
    server.answers = {"/0": [good(b"", 404)]}
    with pytest.raises(RealImagesError, match="answered 404"):
        fetch(server, tmp_path)
    assert len(server.asked) == 1


def test_an_answer_past_the_limit_is_dropped(server: Server, tmp_path: Path) -> None:
    server.answers = {"/0": [good(WHOLE + b" " * 100_000)]}
    with pytest.raises(RealImagesError, match="at most 70,000 bytes"):
        fetch(server, tmp_path, max_bytes=70_000)
    assert len(server.asked) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("answer", "reason"), [(silent, "timed out"), (dripping, "did not end within 0.1 s")])
def test_every_wait_ends(server: Server, tmp_path: Path, answer: Answer, reason: str) -> None:
    server.answers = {"/0": [answer]}
    with pytest.raises(RealImagesError, match=reason):
        fetch(server, tmp_path, timeout_s=0.1, retries=1)
    assert len(server.asked) == 2


def test_nobody_listening_is_an_error(tmp_path: Path) -> None:
    with Server() as closed:
        url = closed.url
    with pytest.raises(RealImagesError, match=r"challenge-0: .*refused"):
        download(url, tmp_path, 1, retries=0)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host/x", "host/x", "", "http://", "http://[x"])
def test_only_http_addresses_are_taken(tmp_path: Path, url: str) -> None:
    with pytest.raises(RealImagesError, match=r"starts with http:// or https://"):
        download(url, tmp_path, 1)


@pytest.mark.parametrize("settings", [{"count": 0}, {"count": 1, "threads": 0}])
def test_nothing_to_do_is_refused(tmp_path: Path, settings: dict[str, int]) -> None:
    with pytest.raises(RealImagesError, match="at least 1 file and 1 thread"):
        download("http://127.0.0.1/", tmp_path, **settings)
