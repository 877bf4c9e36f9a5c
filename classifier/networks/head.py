"""Head: what a network's kind decides, which is how it is built, what it learns from its scores, and how they are read.

There are three kinds: grid, four-head (in the module `position`) and ctc. `heads` finds the one of a network.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from synth_engine.errors import ModelError

if TYPE_CHECKING:
    from classifier.networks.readings import Floats, Readings
    from synth_engine.recipe import Recipe

NetworkName = Literal["grid", "four-head", "ctc"]
ScoresKind = Literal["grid", "positions", "columns"]

STRIDE = 4  # px: side of a cell of the grid, width of a column of ctc
PRESENCE_MIN = 0.5  # beyond the fewest characters, a peak counts when it is likelier a character than none


class CharacterTargets(NamedTuple):
    """What a batch teaches, as tensors, before a head turns it into what its scores should be.

    labels: (N, L) uint8, 255 for no character; points: (N, L, 2) float32 middles x, y in px; weights: (N, L) float32,
    0 for a character that must neither be learnt nor be taken for blank.
    """

    labels: Any
    points: Any
    weights: Any


class Head(ABC):
    """One kind of network. It has no state; a network of its kind is passed in where it is needed.

    All networks take images (N, H, W, 1) float32 in [-1, 1] and give float32 scores before softmax.
    """

    name: ClassVar[NetworkName]
    scores_kind: ClassVar[ScoresKind]  # what a second axis of scores stands for, as `reader.json` calls it
    has_places: ClassVar[bool]  # whether scores tell where a character is
    extra_classes: ClassVar[int]  # beside the alphabet: 1 for "no character here", the last class

    @abstractmethod
    def build(self, recipe: Recipe, *, width: int, depth: int) -> Any:
        """A new Keras model for images of ``recipe``, from built-in layers, so that it loads without this package.

        width: channels; depth: convolutions. Raises ModelError for a recipe whose texts it cannot read.
        """

    @abstractmethod
    def loss(
        self, scores: Any, targets: CharacterTargets, shape: tuple[int, int], blank_weight: float
    ) -> tuple[Any, Any]:
        """The mean error, and the share of characters or texts that are scored right; two float32 scalars.

        scores: of images of ``shape`` H, W; blank_weight: of a blank cell's error beside a character's, on a grid.
        """

    @abstractmethod
    def decode(self, scores: Floats, recipe: Recipe, *, presence_min: float = PRESENCE_MIN) -> Readings:
        """Read the scores of N images of ``recipe``. NumPy alone.

        presence_min: probability above which a cell holds a character beyond the fewest of a text, on a grid.
        """

    def information_loss(
        self,
        scores: Any,  # noqa: ARG002
        targets: CharacterTargets,  # noqa: ARG002
        costs: Any,  # noqa: ARG002
        shape: tuple[int, int],  # noqa: ARG002
    ) -> Any:
        """See `classifier.networks.grid_targets.information_loss`; ModelError where scores tell no places."""
        raise ModelError(
            f"expected a network that knows characters' places, received a {self.name} network; use --network grid",
            self.name,
        )

    def can_judge(self, network: Any, recipe: Recipe) -> bool:  # noqa: ARG002
        """Whether training a refiner can ask ``network`` how it reads the nth character, or the one at a place."""
        return self.has_places

    def characters(self, network: Any) -> int:
        """How many characters ``network`` tells from each other."""
        return int(network.output_shape[-1]) - self.extra_classes
