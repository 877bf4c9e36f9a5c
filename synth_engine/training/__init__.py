"""What both trainers share: run folders, checkpoints, interrupts, tables of metrics, reports, networks in files.

Importing `synth_engine` does not import this package. Importing this package does not import TensorFlow; some of its
modules do, such as `checkpoints` and `interrupt`.
"""
