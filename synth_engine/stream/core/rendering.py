"""Rendering one batch of a plan, and what is said of an error in it."""

from __future__ import annotations

from synth_engine.errors import StreamError, SynthError
from synth_engine.samples import Batch, Outputs
from synth_engine.stream.core.buffers import BufferPool
from synth_engine.stream.core.plan import StreamPlan
from synth_engine.synthesizer import Synthesizer


def render_batch(synth: Synthesizer, plan: StreamPlan, index: int, pool: BufferPool) -> Batch:
    """Batch ``index`` of the plan, in memory of the pool.

    Raises RejectionError where the filter rejects all candidates, StreamError (`rendering_error`) for other failures.
    """
    shapes, start = plan.shapes, index * plan.batch_size
    images, labels = pool.empty(shapes[0], "u1"), pool.empty(shapes[1], "u1")
    boxes = pool.empty(shapes[2], "i2")
    try:
        candidates, relabelled = synth.fill_unchecked(Outputs(images, labels, boxes), start)
    except SynthError:
        raise
    except Exception as error:
        raise rendering_error(synth, start, plan.batch_size, error) from error
    return Batch(
        images=images,
        labels=labels,
        boxes=boxes,
        alphabet=plan.recipe.alphabet,
        start=start,
        candidates=candidates,
        relabelled=relabelled,
    )


def rendering_error(synth: Synthesizer, start: int, count: int, error: Exception) -> StreamError:
    """A StreamError for an ``error`` that is not the project's own: it names the recipe and the failing sample.

    Renders samples ``start`` … ``start + count - 1`` again, one by one, to find that sample; ``value`` is its index.
    Raise it from ``error``, whose traceback says where.
    """
    failing = _first_failing(synth, start, count)
    where = f"sample {failing}" if failing is not None else f"one of the samples {start} to {start + count - 1}"
    return StreamError(
        f"recipe {synth.recipe.name}: rendering {where} (seed {synth.seed}) failed with {type(error).__name__}: "
        f"{error}; leave the failing stage out of the recipe, and please report this error",
        failing,
    )


def _first_failing(synth: Synthesizer, start: int, count: int) -> int | None:
    for index in range(start, start + count):
        try:
            synth.batch(index, 1)
        except Exception:
            return index
    return None
