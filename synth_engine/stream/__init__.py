"""Streams of batches: those of (recipe, seed) in order, with the same bytes from every producer, and into tf.data.

A producer is the calling thread, a pool of threads (the default), or Ray actors on this machine or on others.

Importing this package loads neither Ray nor TensorFlow; `open_stream` with workers and `tf_dataset` do.
"""

from __future__ import annotations

from synth_engine.errors import StreamError
from synth_engine.recipe import Recipe
from synth_engine.stream.core.plan import StreamPlan
from synth_engine.stream.core.stats import StreamStats, WorkerStats
from synth_engine.stream.core.stream import Producer, Stream
from synth_engine.stream.inline import InlineProducer
from synth_engine.stream.ray.producer import RayProducer
from synth_engine.stream.tf_data import surfacing, tf_dataset
from synth_engine.stream.threads import ThreadProducer

__all__ = ["Stream", "StreamPlan", "StreamStats", "WorkerStats", "open_stream", "surfacing", "tf_dataset"]


def open_stream(
    recipe: Recipe,
    seed: int,
    *,
    batch_size: int,
    start_batch: int = 0,
    batches: int | None = None,
    workers: int = 0,
    ray_address: str | None = None,
    threads: int | None = None,
    prefetch: int = 8,
) -> Stream:
    """Start producing batches ``start_batch``, … (``batches`` of them, None: without end), and return their stream.

    Without ``workers``, ``threads`` threads of this process render (None: two, where there are two processors), at
    most max(prefetch, threads) batches ahead. With ``threads`` = 0 the thread that asks for a batch renders it.

    With ``workers``, as many Ray actors render, on the cluster at ``ray_address``: ``host:port``, ``auto`` or
    ``local``; None: ``$RAY_ADDRESS``, else a private Ray on this machine. ``threads`` and ``prefetch`` do not apply:
    memory bounds what is ahead (`docs/scale.md`). The bytes are the same in every case.

    Raises FontError for unusable fonts, and StreamError for numbers out of range or where Ray cannot be reached;
    RejectionError comes from the iterator. Close the stream, or use it in a ``with`` statement.
    """
    plan = StreamPlan(recipe=recipe, seed=seed, batch_size=batch_size, start_batch=start_batch, batches=batches)
    for name, value, least in (("workers", workers, 0), ("threads", threads or 0, 0), ("prefetch", prefetch, 1)):
        if value < least:
            raise StreamError(f"`{name}` is {value}; expected an integer of at least {least}", value)
    return Stream(plan, _producer(plan, workers, ray_address, threads, prefetch))


def _producer(plan: StreamPlan, workers: int, ray_address: str | None, threads: int | None, prefetch: int) -> Producer:
    if workers:
        return RayProducer(plan, workers=workers, address=ray_address)
    if threads == 0:
        return InlineProducer(plan)
    return ThreadProducer(plan, threads=threads, prefetch=prefetch)
