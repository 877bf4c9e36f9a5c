"""StopOnInterrupt: Ctrl-C ends training after the current step, with a checkpoint."""

from __future__ import annotations

import signal
import threading
from types import TracebackType

import keras

from synth_engine.training.checkpoints import Checkpoints


class StopOnInterrupt(keras.callbacks.Callback):
    """A context in which the first Ctrl-C stops ``model`` after the current step; the second one acts at once.

    Pass it as a callback to each ``fit`` inside the context, and call `leave_if_requested` after each.
    """

    def __init__(self, model: keras.Model) -> None:
        super().__init__()
        self.set_model(model)
        self.requested = False

    def __enter__(self) -> StopOnInterrupt:
        self.former = signal.getsignal(signal.SIGINT)
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self._request)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self.former)

    def on_train_batch_end(self, *_: object, **__: object) -> None:
        if self.requested:
            self.model.stop_training = True

    def leave_if_requested(self, checkpoints: Checkpoints) -> None:
        """After Ctrl-C: save a checkpoint and raise KeyboardInterrupt, which says how to go on from it."""
        if self.requested:
            saved = checkpoints.save()
            raise KeyboardInterrupt(f"stopped at step {checkpoints.step}; saved {saved}; go on with --resume")

    def _request(self, *_: object) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = self.model.stop_training = True
