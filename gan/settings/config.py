"""Config: every setting of a SimGAN run as one frozen value, with its presets."""

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
    """Settings; their defaults are the preset `modern`.

    The preset `paper` is there as the reference: networks, losses and schedule of Shrivastava et al. 2017, for a GPU.
    Pixel values lie in [-1, 1], so that the largest change of a pixel is 2.
    """

    architecture: Architecture = "modern"
    features: Count = 32  # with 3 blocks at half resolution a step takes 0.3 CPU-seconds, at full resolution twice that
    blocks: Count = 3
    batch_size: Annotated[int, msgspec.Meta(ge=2, multiple_of=2)] = 32  # half of the refined ones are from the history
    precision: Precision = "float32"  # of the refiner in training; the command chooses the fastest on the machine
    steps: Count = 1_000  # five minutes on two cores that multiply bfloat16
    refiner_pretrain_steps: Steps = 0  # the refiner starts as the identity: nothing to learn from itself
    discriminator_pretrain_steps: Steps = 20  # with more it gets too far ahead of the refiner
    refiner_updates: Count = 1  # the paper's K_g; 50 made another implementation collapse
    discriminator_updates: Count = 1  # the paper's K_d
    discriminator_features: Count = 16  # of `modern`, twice as many from its second layer on
    spectral_normalisation: bool = True  # of the discriminator, its last layer apart
    r1_weight: NotNegative = 0.3  # gamma of R1, a penalty on the discriminator's gradient at real images
    r1_steps: Count = 16  # updates of the discriminator between two of R1, which counts so many times there
    label_weight: NotNegative = 10.0  # the largest weight of the label loss, with a reader: see `LabelWeights`
    self_reg_weight: NotNegative = 6.0  # the smallest weight of self-regularisation, the paper's lambda
    optimizer: Literal["adam", "sgd"] = "adam"
    refiner_rate: Positive = 3e-4
    discriminator_rate: Positive = 1e-3  # the two-time-scale rule
    rate_falls: bool = True  # both rates, as a cosine: late small steps average out what chance added to the refiner
    beta_1: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.5  # Adam's momentum
    ema_decay: Annotated[float, msgspec.Meta(ge=0, lt=1)] = 0.99  # averages over the last hundred steps
    history_batches: Count = 64  # 2,048 images, full after 128 steps; 10 MB in each checkpoint
    noise_stddev: NotNegative = 0.3  # at first: smooths the discriminator between the two values of real images
    noise_until_share: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.8  # of the steps, over which it falls to 0
    cutout_px: Annotated[int, msgspec.Meta(ge=0, le=64)] = 0  # side of a square hidden from the discriminator
    report_steps: Count = 25
    assess_steps: Count = 200  # five times a run, half of its time with a reader: any step may be the best
    assessed_images: Annotated[int, msgspec.Meta(ge=4)] = 1_024  # of each domain, held out; at most a quarter of real
    # synthetic ones for a reader: with 455 characters a class, the worst of 36 classes would miss its target by chance
    read_images: Annotated[int, msgspec.Meta(ge=4)] = 16_384
    two_sample_steps: Count = 400  # updates of a fresh classifier; after 100 its initial weights decide the accuracy
    two_sample_repeats: Count = 3  # fresh classifiers to average over: one alone is off by up to three points
    sheet_steps: Count = 100
    checkpoint_steps: Count = 100  # at most two minutes of work are lost
    seed: Annotated[int, msgspec.Meta(ge=0, lt=2**31)] = 0

    @classmethod
    def preset(cls, name: str, **changes: Any) -> Config:
        """The preset ``name`` with the ``changes`` that are not None; raises RunError if one does not fit."""
        if name not in PRESETS:
            raise RunError(f"no preset is called {name!r}: choose one of {', '.join(PRESETS)}", name)
        return _PRESETS[name].replace(**changes)

    def replace(self, **changes: Any) -> Config:
        """A copy with the ``changes`` that are not None, checked again; raises RunError naming what does not fit."""
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
    self_reg_weight=0.5,  # others weight the sum over an image by 1e-4: 0.5 times the mean over 50x100 px
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
