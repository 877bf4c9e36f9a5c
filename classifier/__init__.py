"""A reader trained on the engine's stream, adapted to unlabelled real images, and scored.

`train` learns from synthetic images and adapts; `predict` reads; `evaluate`, the only part that opens a label file,
scores. Importing this package loads no TensorFlow.
"""
