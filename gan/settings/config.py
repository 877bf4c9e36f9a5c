"""Config: every choice of a SimGAN run as one frozen value, with its presets. It builds and trains nothing."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

import msgspec

from synth_engine.errors import RunError
from synth_engine.training.precision import Precision

Count = Annotated[int, msgspec.Meta(ge=1)]
Steps = Annotated[int, msgspec.Meta(ge=0)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
NotNegative = Annotated[float, msgspec.Meta(ge=0)]
Architecture = Literal["modern", "paper"]
Preset = Literal["modern", "paper"]
PRESETS: tuple[Preset, ...] = get_args(Preset)


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `modern` preset; `Config.preset` gives both. Pixel values are in [-1, 1], so a full change of one is 2."""

    architecture: Architecture = "modern"
    features: Count = 32  # with 3 blocks at half resolution a step costs 0.3 CPU-seconds; at full resolution twice that
    blocks: Count = 3
    batch_size: Annotated[int, msgspec.Meta(ge=2, multiple_of=2)] = 32  # even: half comes from the history
    precision: Precision = "float32"  # of the refiner in training; the command takes the fastest that the machine has
    steps: Count = 1_000  # five minutes on two cores that multiply bfloat16
    refiner_pretrain_steps: Steps = 0  # the refiner starts as the identity: nothing to learn from itself
    discriminator_pretrain_steps: Steps = 20  # enough to leave its random start; more and it runs away
    refiner_updates: Count = 1  # the paper's K_g; 50 collapsed a port
    discriminator_updates: Count = 1  # the paper's K_d
    adversarial_loss: Literal["cross-entropy", "hinge"] = (
        "cross-entropy"  # hinge leaves the logits' level free to drift, and accuracies lose their meaning
    )
    discriminator_features: Count = 16  # of `modern`, twice as many from its second layer on
    spectral_normalisation: bool = True  # of the discriminator, its last layer apart
    r1_weight: NotNegative = 0.3  # gamma of R1, the penalty on the slope of the discriminator at real images
    r1_steps: Count = 16  # R1 is paid at every so many-th update of the discriminator, so many times over
    label_weight: NotNegative = 10.0  # of what a frozen reader reads worse than raw images, at most: see `LabelWeights`
    self_reg_weight: NotNegative = 6.0  # the paper's lambda
    optimizer: Literal["adam", "sgd"] = "adam"
    refiner_rate: Positive = 3e-4
    discriminator_rate: Positive = 1e-3  # the two-time-scale rule
    rate_falls: bool = True  # both rates, as a cosine: what chance added to the refiner it takes away again
    beta_1: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.5  # Adam's momentum
    ema_decay: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.99  # averages the last hundred steps' swings away
    history_batches: Count = 64  # 2,048 images, full after 128 steps; 10 MB in each checkpoint
    noise_stddev: NotNegative = 0.3  # at first: a discriminator's slopes between ink and ground mean more with it
    noise_until_share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.8  # by when it has faded, linearly
    shift_px: Annotated[int, msgspec.Meta(ge=0, le=16)] = 0  # keeps the discriminator from learning few images by heart
    cutout_px: Annotated[int, msgspec.Meta(ge=0, le=64)] = 0  # side of a square hidden from the discriminator
    report_steps: Count = 25
    assess_steps: Count = 200  # five times a run, half of its time with a reader: the best step may be any
    assessed_images: Annotated[int, msgspec.Meta(ge=4)] = 1_024  # of each domain, held out; at most a quarter of real
    # synthetic ones where a reader is asked: with 455 characters a class the worst of 36 misses its mark by chance
    read_images: Annotated[int, msgspec.Meta(ge=4)] = 16_384
    two_sample_steps: Count = 400  # updates of the fresh classifier; after 100 its accuracy hangs on its first weights
    two_sample_repeats: Count = 3  # fresh classifiers, whose mean it is: one alone is off by up to three points
    sheet_steps: Count = 100
    checkpoint_steps: Count = 100  # at most two minutes are lost
    seed: Annotated[int, msgspec.Meta(ge=0, lt=2**31)] = 0

    @classmethod
    def preset(cls, name: str, **changes: Any) -> Config:
        """The preset of that name with the ``changes`` that are not None; raises RunError if they make no sense."""
        if name not in PRESETS:
            raise RunError(f"no preset is called {name!r}: choose one of {', '.join(PRESETS)}", name)
        return _PRESETS[name].replace(**changes)

    def replace(self, **changes: Any) -> Config:
        """A copy with the ``changes`` that are not None, checked anew; raises RunError naming what does not fit."""
        wanted = {name: value for name, value in changes.items() if value is not None}
        try:
            return msgspec.convert({**self.as_dict(), **wanted}, Config)
        except msgspec.ValidationError as error:
            raise RunError(f"the options do not make a run: {error}; see --help for the ranges", wanted) from error

    def as_dict(self) -> dict[str, Any]:
        """Its fields, in order, as JSON values."""
        return msgspec.structs.asdict(self)


_PAPER = Config(
    architecture="paper",
    r1_weight=0.0,
    label_weight=0.0,
    noise_stddev=0.0,
    rate_falls=False,
    features=64,
    blocks=4,
    spectral_normalisation=False,
    batch_size=512,
    steps=10_000,
    refiner_pretrain_steps=1_000,
    discriminator_pretrain_steps=200,
    refiner_updates=2,
    self_reg_weight=0.5,  # ports weigh an image's sum of differences by 1e-4; that is 0.5 a mean over 50x100 px
    optimizer="sgd",
    refiner_rate=1e-3,
    discriminator_rate=1e-3,
    ema_decay=0.0,
    history_batches=100,
    sheet_steps=500,
    assess_steps=1_000,
    checkpoint_steps=500,
)
_PRESETS: dict[str, Config] = {"modern": Config(), "paper": _PAPER}
