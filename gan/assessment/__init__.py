"""How good a refiner is, without labels of real images: figures during training, marks to reach, and the best step.

`two_sample` and `kernel_distance` measure how far two sets of images are apart, `assessor` puts all figures together,
`figures` says what they mean and which are wanted, `choice` keeps the best weights.
"""
