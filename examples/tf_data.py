"""A stream of batches as a `tf.data` dataset, into a compiled training step.

    python examples/tf_data.py --recipe hackmit-target --batches 500

A linear reader of the first character learns from images that are made while it trains; no image is stored. Needs
the extra `train`.
"""

from __future__ import annotations

from typing import Any

import click
import numpy as np

from synth_engine import Recipe
from synth_engine.stream import open_stream, surfacing, tf_dataset
from synth_engine.tensorflow_setup import prepare_tensorflow


def training_step(tf: Any, recipe: Recipe) -> Any:
    """A compiled step over images (N, H, W) uint8 and labels (N, L) uint8; returns the batch's mean loss."""
    reader = tf.keras.Sequential([tf.keras.layers.Flatten(), tf.keras.layers.Dense(len(recipe.alphabet))])
    reader.build((None, *recipe.image_shape))
    optimizer = tf.keras.optimizers.Adam(1e-3)
    loss_of = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    @tf.function
    def step(images: Any, labels: Any) -> Any:
        pixels = tf.cast(images, tf.float32) / (1.0 if recipe.color == "binary" else 255.0)
        with tf.GradientTape() as tape:
            loss = loss_of(labels[:, 0], reader(pixels))
        optimizer.apply(tape.gradient(loss, reader.trainable_variables), reader.trainable_variables)
        return loss

    return step


@click.command()
@click.option("--recipe", default="hackmit-target", show_default=True, help="Built-in recipe or a TOML file.")
@click.option("--batches", default=100, show_default=True, type=click.IntRange(1), help="Training steps.")
@click.option("--batch-size", default=256, show_default=True, type=click.IntRange(1), help="Images a step.")
def main(recipe: str, batches: int, batch_size: int) -> None:
    tf = prepare_tensorflow(seed=0)
    source = Recipe.resolve(recipe)
    step = training_step(tf, source)
    with open_stream(source, 7, batch_size=batch_size, batches=batches) as stream, surfacing(stream):
        losses = [float(step(images, labels)) for images, labels, _ in tf_dataset(stream)]
    first, last = np.mean(losses[:10]), np.mean(losses[-10:])
    click.echo(f"{len(losses)} steps of {batch_size} images, loss {first:.3f} to {last:.3f} (means of ten steps)")


if __name__ == "__main__":
    main()
