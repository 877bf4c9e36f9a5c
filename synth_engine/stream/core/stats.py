"""What a stream counts: batches and images delivered, time waited, and what each worker did."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class WorkerStats:
    """What one worker (a thread, an actor) has done: batches rendered, delivered or not, and seconds spent on them."""

    name: str
    batches: int = 0
    busy_s: float = 0.0

    def since(self, before: WorkerStats) -> WorkerStats:
        """The difference to ``before``, an earlier reading."""
        return WorkerStats(name=self.name, batches=self.batches - before.batches, busy_s=self.busy_s - before.busy_s)


@dataclass(frozen=True, kw_only=True)
class StreamStats:
    """What a stream has delivered so far.

    - candidates: images rendered for the delivered ones, rejected ones included;
    - waited_s: seconds that the consumer waited for batches;
    - open_s: seconds since the stream was opened;
    - remade: workers lost and replaced; their unfinished batches were rendered again, with the same bytes;
    - in_flight: batches begun and not delivered;
    - workers: each worker's share.
    """

    batches: int = 0
    images: int = 0
    candidates: int = 0
    waited_s: float = 0.0
    open_s: float = 0.0
    remade: int = 0
    in_flight: int = 0
    workers: tuple[WorkerStats, ...] = ()

    @property
    def images_per_s(self) -> float:
        """Images delivered a second."""
        return self.images / self.open_s if self.open_s else 0.0

    @property
    def waited_share(self) -> float:
        """Share of the time that the consumer waited, 0 to 1."""
        return self.waited_s / self.open_s if self.open_s else 0.0

    @property
    def rejected_share(self) -> float:
        """Share of the candidates that the filter rejected, 0 to 1."""
        return 1 - self.images / self.candidates if self.candidates else 0.0

    def since(self, before: StreamStats) -> StreamStats:
        """The difference to ``before``, an earlier reading of the same stream; in_flight is as of now."""
        earlier = {worker.name: worker for worker in before.workers}
        return StreamStats(
            batches=self.batches - before.batches,
            images=self.images - before.images,
            candidates=self.candidates - before.candidates,
            waited_s=self.waited_s - before.waited_s,
            open_s=self.open_s - before.open_s,
            remade=self.remade - before.remade,
            in_flight=self.in_flight,
            workers=tuple(
                worker.since(earlier.get(worker.name, WorkerStats(name=worker.name))) for worker in self.workers
            ),
        )
