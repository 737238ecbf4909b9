"""`cost`, errors and gradients of networks that are lists of weights and biases."""
