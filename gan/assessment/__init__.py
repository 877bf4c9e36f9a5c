"""How good a refiner is, without labels of real images: the metrics that are compared with `gan.settings.targets`."""
