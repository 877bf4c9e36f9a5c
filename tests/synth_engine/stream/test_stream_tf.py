"""Streams inside tf.data and Keras: the same bytes, held uncorrupted, and the stream's own errors."""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from itertools import islice
from typing import Any

import numpy as np
import pytest

from synth_engine import Recipe, Synthesizer
from synth_engine.errors import RejectionError, StreamError, SynthError
from synth_engine.fast.renderer import BinaryRenderer
from synth_engine.recipe import Filter
from synth_engine.samples import Outputs
from synth_engine.stream import open_stream, surfacing, tf_dataset
from synth_engine.tensorflow_setup import prepare_tensorflow, tune_malloc


@pytest.fixture(scope="module")
def tf() -> Any:
    return prepare_tensorflow(seed=0)


@pytest.mark.usefixtures("tf")
def test_tensors_hold_the_synthesizers_bytes_while_hundreds_follow(tiny: Recipe) -> None:
    with open_stream(tiny, 7, batch_size=4) as stream:
        held = list(islice(tf_dataset(stream), 200))[::9]
        for k, (images, labels, boxes) in enumerate(held):
            expected = Synthesizer(tiny, 7).batch(36 * k, 4)
            np.testing.assert_array_equal(images, expected.images)
            np.testing.assert_array_equal(labels, expected.labels)
            np.testing.assert_array_equal(boxes, expected.boxes)


@pytest.mark.usefixtures("tf")
def test_images_are_not_copied_on_their_way_in(tiny: Recipe) -> None:
    addresses: list[int] = []
    with open_stream(tiny, 7, batch_size=4, batches=8) as stream:
        take = stream._producer.take

        def noting() -> Any:
            batch = take()
            addresses.extend([batch.images.ctypes.data] if batch else [])
            return batch

        stream._producer.take = noting  # type: ignore[method-assign]
        found = [np.frombuffer(memoryview(images), "u1").ctypes.data for images, _, _ in tf_dataset(stream)]
    assert found == addresses


@pytest.mark.usefixtures("tf")
def test_shapes_are_known_before_the_first_batch(hackmit: Recipe) -> None:
    with open_stream(hackmit, 7, batch_size=4, batches=1) as stream:
        specs = tf_dataset(stream).element_spec
    assert [(spec.shape.as_list(), spec.dtype.name) for spec in specs] == [
        ([4, 50, 100], "uint8"),
        ([4, 4], "uint8"),
        ([4, 4, 4], "int16"),
    ]


@pytest.mark.usefixtures("tf")
@pytest.mark.parametrize("batches", [0, 3, 4, 9])
def test_a_dataset_ends_with_its_stream(tiny: Recipe, batches: int) -> None:
    with open_stream(tiny, 7, batch_size=4, batches=batches) as stream:
        images = [images.numpy() for images, _, _ in tf_dataset(stream)]
    assert len(images) == batches
    np.testing.assert_array_equal(np.reshape(images, (-1, 24, 40)), Synthesizer(tiny, 7).batch(0, 4 * batches).images)


@pytest.mark.usefixtures("tf")
def test_a_dataset_ends_when_its_stream_is_closed(tiny: Recipe) -> None:
    with open_stream(tiny, 7, batch_size=4) as endless:
        batches = iter(tf_dataset(endless))
        next(batches)
        endless.close()
        assert list(batches) == []


@pytest.mark.usefixtures("tf")
def test_an_iterator_left_early_loses_no_batch(tiny: Recipe) -> None:
    with open_stream(tiny, 7, batch_size=4, batches=30) as stream:
        dataset = tf_dataset(stream)
        for _ in range(5):
            for _ in dataset.take(1):
                pass
        assert len(list(dataset)) == 30 - 5


@pytest.mark.usefixtures("tf")
def test_batches_before_a_fault_arrive_and_then_its_traceback(tiny: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    render = BinaryRenderer.render

    def break_at_22(renderer: BinaryRenderer, out: Outputs, start: int) -> Any:
        return render(renderer, out, start) if not start <= 22 < start + len(out.labels) else 1 // 0

    monkeypatch.setattr(BinaryRenderer, "render", break_at_22)
    taken: list[Any] = []
    with open_stream(tiny, 7, batch_size=4) as stream:
        with pytest.raises(StreamError, match="recipe tiny: rendering sample 22 ") as caught, surfacing(stream):
            taken.extend(tf_dataset(stream))
        assert stream.failure is caught.value
    assert len(taken) == 5
    assert "in break_at_22" in "".join(traceback.format_exception(caught.value))


@pytest.mark.usefixtures("tf")
def test_the_streams_error_surfaces_from_keras(tiny: Recipe) -> None:
    import keras

    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    recipe = tiny.replace(filter=Filter(gap_px=30, tries_max=20))
    with open_stream(recipe, 7, batch_size=4) as stream:
        pairs = tf_dataset(stream).map(lambda images, labels, _: (images, labels[:, :1]))
        with pytest.raises(RejectionError, match="rejected all 20 candidates for sample 0"), surfacing(stream):
            model.fit(pairs, steps_per_epoch=2, shuffle=False, verbose=0)


def test_an_error_that_is_not_the_streams_stays_what_it_is(tiny: Recipe) -> None:
    with open_stream(tiny, 7, batch_size=4) as stream, pytest.raises(ZeroDivisionError), surfacing(stream):
        raise ZeroDivisionError


def run_python(code: str, **environment: str) -> list[str]:
    environ = os.environ | environment
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environ)
    return done.stdout.split()


def test_tensorflow_is_set_up_before_its_import_and_seeded() -> None:
    code = (
        "import os; from synth_engine.tensorflow_setup import prepare_tensorflow\n"
        "tf = prepare_tensorflow(3, threads=1, deterministic=True); first = tf.random.uniform([]).numpy()\n"
        "again = prepare_tensorflow(3, threads=1).random.uniform([]).numpy()\n"
        "threads = tf.config.threading.get_intra_op_parallelism_threads()\n"
        "print(os.environ['TF_ENABLE_ONEDNN_OPTS'], threads, first == again)"
    )
    assert run_python(code) == ["1", "1", "True"]


def test_a_process_that_leaves_its_stream_open_ends_quietly() -> None:
    code = (
        "from synth_engine import Recipe; from synth_engine.tensorflow_setup import prepare_tensorflow\n"
        "from synth_engine.stream import open_stream, tf_dataset\n"
        "prepare_tensorflow(None); stream = open_stream(Recipe.named('hackmit'), 7, batch_size=64)\n"
        "batches = iter(tf_dataset(stream)); print(next(batches)[0].shape)"
    )
    environ = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, env=environ)
    assert done.stdout == "(64, 50, 100)\n"
    assert "cuda" not in done.stderr.lower()


def test_threads_cannot_change_once_tensorflow_runs(tf: Any) -> None:
    tf.constant(1)
    with pytest.raises(SynthError, match="17 threads cannot be set once TensorFlow runs"):
        prepare_tensorflow(None, threads=17)
    with pytest.raises(SynthError, match="`threads` is 0; expected"):
        prepare_tensorflow(None, threads=0)


def test_freed_memory_stays_with_the_process_after_tuning() -> None:
    code = (
        "import resource, numpy as np; from synth_engine.tensorflow_setup import tune_malloc\n"
        "faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt\n"
        "def cost():\n"
        "    before = faults()\n"
        "    for _ in range(50): np.ones(4_000_000, 'u1')\n"
        "    return faults() - before\n"
        "plain = cost(); tuned = tune_malloc(); print(not tuned or cost() < plain / 5)"
    )
    assert run_python(code) == ["True"]
    assert isinstance(tune_malloc(), bool)
