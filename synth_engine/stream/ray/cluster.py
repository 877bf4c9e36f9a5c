"""Starting a private Ray on this machine or joining a running cluster, and leaving either as it was found.

Importing this module does not import Ray.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import synth_engine
from synth_engine.errors import StreamError

LOCAL_STORE_BYTES = 512 * 2**20  # Ray's own default is 30% of the machine's memory
REACH_TIMEOUT_S = 5.0  # for a socket at the address
CONNECT_TIMEOUT_S = 30.0  # for a cluster to accept a driver; Ray itself tries for minutes

SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "token",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_IGNORE_UNHANDLED_ERRORS": "1",  # calls still in flight when a stream is closed
}

_PROBE = "import sys, ray; ray.init(address=sys.argv[1], logging_level='ERROR', log_to_driver=False)"

_lock = threading.Lock()
_holders = 0
_connected_here = False  # whether this module called ray.init, and so may call ray.shutdown
_started_here = False  # whether that started a private Ray


class Cluster:
    """A hold on this process's Ray: the one that it is connected to already, else one joined or started.

    ``address`` is ``host:port``, ``ray://host:port``, ``auto`` or ``local``; None: ``$RAY_ADDRESS``, else ``local``.
    When the last holder releases it, a private Ray shuts down; a joined cluster is disconnected from and keeps running.
    A Ray that the caller connected to is left alone. Raises StreamError if no Ray can be reached or started.
    """

    def __init__(self, address: str | None = None) -> None:
        global _holders, _connected_here, _started_here
        chosen = address or os.environ.get("RAY_ADDRESS") or "local"
        if chosen == "local":
            _listen_on_loopback()
        with _lock:
            if import_ray().is_initialized():
                _check_same(address)
            else:
                _initialize(chosen)
                _holders, _connected_here, _started_here = 0, True, chosen == "local"
            _holders += 1
            self.started_here = _started_here
        self._held = True

    def release(self) -> None:
        """Release the hold; safe to call twice."""
        global _holders, _connected_here, _started_here
        with _lock:
            if not self._held:
                return
            self._held = False
            _holders -= 1
            if _holders == 0 and _connected_here:
                _connected_here = _started_here = False
                import_ray().shutdown()

    def cpus_per_actor(self, actors: int) -> float:
        """CPUs that an actor reserves: none of a private Ray, else an even share of the cluster's, at most one."""
        if self.started_here:
            return 0.0
        share = import_ray().cluster_resources().get("CPU", 0.0) / actors
        return min(1.0, int(share * 1000) / 1000)

    def cpus(self) -> float:
        """Processors of all nodes."""
        return float(import_ray().cluster_resources().get("CPU", 1.0))

    def store_bytes(self) -> int:
        """Size of the smallest object store among the nodes."""
        nodes = [node["Resources"] for node in import_ray().nodes() if node["Alive"]]
        return int(min((node.get("object_store_memory", 0) for node in nodes), default=0))


def import_ray() -> Any:
    """The ray module, imported with its telemetry off; raises StreamError when it is not installed."""
    if "ray" not in sys.modules:  # Ray reads its settings when it is imported
        for name, value in SETTINGS.items():
            os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError as error:
        raise StreamError("Ray is not installed; install the extra `train`, or use `workers=0` (threads)") from error
    return ray


def _initialize(address: str) -> None:
    local = address == "local"
    if not local:
        _check_reachable(address)
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
    private = {"include_dashboard": False, "object_store_memory": LOCAL_STORE_BYTES} if local else {}
    try:
        with _workers_find_this_package():
            import_ray().init(address=address, **quiet, **private)
    except Exception as error:
        raise StreamError(
            f"Ray at {address!r} expected to start, received {type(error).__name__}: {error}; {_remedy(local)}", address
        ) from error


def _listen_on_loopback() -> None:
    """Keep a private Ray off the network: all its sockets bind to loopback when this is set before Ray's import."""
    if "ray" not in sys.modules:
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")


@contextmanager
def _workers_find_this_package() -> Iterator[None]:
    """Put the folder of this package on PYTHONPATH: Ray passes on the script's and the working directory alone."""
    before = os.environ.get("PYTHONPATH")
    source = str(Path(synth_engine.__file__).resolve().parents[1])
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [source, before]))
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


def _check_reachable(address: str) -> None:
    """Raise StreamError if no cluster accepts a driver. Ray's own attempt takes minutes and cannot be interrupted."""
    if address != "auto":
        _reachable_port(address)
    try:
        subprocess.run(
            [sys.executable, "-c", _PROBE, address], check=True, capture_output=True, timeout=CONNECT_TIMEOUT_S
        )
    except subprocess.TimeoutExpired as error:
        raise StreamError(
            f"Ray at {address!r}: no cluster accepted a driver within {CONNECT_TIMEOUT_S:g} s; {_remedy(False)}",
            address,
        ) from error
    except subprocess.CalledProcessError as error:
        reason = error.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise StreamError(f"Ray at {address!r} refused a driver: {reason}; {_remedy(False)}", address) from error


def _reachable_port(address: str) -> str:
    """The port of the address; raises StreamError if no socket can be opened there."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not host or not port.isdigit():
        raise StreamError(f"Ray address expected as HOST:PORT, auto or local, received {address!r}", address)
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=REACH_TIMEOUT_S):
            return port
    except (OSError, OverflowError) as error:
        raise StreamError(f"Ray at {address!r}: nobody answers there ({error}); {_remedy(False)}", address) from error


def _check_same(address: str | None) -> None:
    """Raise StreamError if this process is connected to another cluster: a process has one Ray at a time."""
    if address in (None, "auto", "local"):
        return
    here = str(import_ray().get_runtime_context().gcs_address)
    if _reachable_port(str(address)) != here.rpartition(":")[2]:
        raise StreamError(
            f"Ray at {address!r} expected, this process is connected to {here}; close what uses that first", address
        )


def _remedy(local: bool) -> str:
    if local:
        return "use `workers=0` (threads), or join a running cluster by its address"
    return "check that `ray start --head` runs there, the port, and RAY_AUTH_TOKEN; without an address Ray starts here"
