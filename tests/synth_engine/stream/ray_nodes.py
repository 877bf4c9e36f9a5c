"""Run by test_stream_ray_nodes.py in a process of its own: a cluster of several raylets that nodes leave and join.

    python ray_nodes.py RECIPE.toml OTHER_PACKAGE

OTHER_PACKAGE is a folder with another version of the package, for the last node. Writes one JSON line a step.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Callable
from hashlib import sha256
from itertools import islice
from pathlib import Path

from synth_engine import Recipe
from synth_engine.errors import StreamError
from synth_engine.stream import open_stream
from synth_engine.stream.ray.cluster import import_ray

BATCH_SIZE = 2048
MIB = 2**20
KNOWN_S = 3.0  # until every raylet has heard of a new one
USED_S = 60.0  # in which a lost node must have been replaced


def main(recipe_file: str, other_package: str) -> None:
    import_ray()
    from ray.cluster_utils import Cluster

    recipe = Recipe.load(recipe_file)
    quick = {"health_check_initial_delay_ms": 1000, "health_check_period_ms": 500, "health_check_failure_threshold": 3}
    head = {"num_cpus": 0, "object_store_memory": 80 * MIB, "include_dashboard": False, "_system_config": quick}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        refuse_too_large(recipe, cluster)
        lose_and_add(recipe, cluster)
        refuse_versions(recipe, cluster, other_package)
    finally:
        cluster.shutdown()


def refuse_too_large(recipe: Recipe, cluster: object) -> None:
    try:
        open_stream(recipe, 7, batch_size=200_000, workers=1, ray_address=cluster.address)
    except StreamError as error:
        tell("too large", error=str(error))


def lose_and_add(recipe: Recipe, cluster: object) -> None:
    nodes = [cluster.add_node(num_cpus=1, object_store_memory=80 * MIB) for _ in range(2)]
    cluster.wait_for_nodes()
    with open_stream(recipe, 7, batch_size=BATCH_SIZE, workers=4, ray_address=cluster.address) as stream:
        tell("begun", digest=digest(stream, 10), nodes=used(stream))
        cluster.remove_node(nodes[0], allow_graceful=False)
        before, hashed = read_until(stream, lambda: stream.stats.remade)
        tell("removed", digest=hashed, batches=before, nodes=used(stream), remade=stream.stats.remade)
        added = cluster.add_node(num_cpus=2, object_store_memory=80 * MIB)
        cluster.wait_for_nodes()
        time.sleep(KNOWN_S)
        cluster.remove_node(nodes[1], allow_graceful=False)
        batches, hashed = read_until(stream, lambda: added.node_id in used(stream))
        tell("added", digest=hashed, batches=batches, first=10 + before, nodes=used(stream), added=added.node_id)
    import ray

    tell("closed", connected=ray.is_initialized())
    cluster.remove_node(added)


def refuse_versions(recipe: Recipe, cluster: object, other_package: str) -> None:
    os.environ["PYTHONPATH"] = other_package
    node = cluster.add_node(num_cpus=4, object_store_memory=80 * MIB)
    cluster.wait_for_nodes()
    try:
        open_stream(recipe, 7, batch_size=64, workers=4, ray_address=cluster.address)
    except StreamError as error:
        tell("versions", error=str(error))
    cluster.remove_node(node)


def digest(stream: object, batches: int) -> str:
    total = sha256()
    for batch in islice(stream, batches):
        total.update(content(batch))
    return total.hexdigest()


def read_until(stream: object, seen: Callable[[], object]) -> tuple[int, str]:
    """Read 60 batches and on until it is ``seen``: the lost node's actors may run for a while, and render quickly."""
    total, deadline = sha256(), time.monotonic() + USED_S
    for batches, batch in enumerate(stream, 1):
        total.update(content(batch))
        if batches >= 60 and (seen() or time.monotonic() > deadline):
            return batches, total.hexdigest()
    raise AssertionError("the stream has no end")


def content(batch: object) -> bytes:
    return batch.images.tobytes() + batch.labels.tobytes() + batch.boxes.tobytes()


def used(stream: object) -> list[str]:
    return sorted({worker.process.node for worker in stream._producer._crew.workers})


def tell(step: str, **what: object) -> None:
    sys.stdout.write(json.dumps({"step": step, **what}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    sys.path[0] = str(Path(__file__).parent / "nowhere")  # or the workers would be handed this folder
    main(*sys.argv[1:])
