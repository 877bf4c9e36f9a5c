"""How good a refiner is, without labels of real images: figures during training, marks to reach, and the best step.

`kernel_distance` measures how far two sets of images are apart, `assessor` puts all figures together,
`figures` says what they mean and which are wanted, `choice` keeps the best weights.
"""
