"""SimGAN: networks, losses and the training step of a refiner."""
