"""SimGAN: refine synthetic images against unlabelled real ones until a discriminator cannot tell them apart.

After Shrivastava et al., "Learning from Simulated and Unsupervised Images through Adversarial Training" (2017,
arXiv 1612.07828). No label of a real image is read. The product is `refiner.keras` in a run folder.
"""
