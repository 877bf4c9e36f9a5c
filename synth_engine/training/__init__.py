"""What every training of the project needs: checkpoints, interrupts, the table of metrics, networks in files.

Importing `synth_engine` does not import this package, and importing this package does not import TensorFlow; its
modules `checkpoints` and `interrupt` do. What is learnt, and from what, is left to those who train.
"""
