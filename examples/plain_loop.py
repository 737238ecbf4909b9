"""Train on MNIST in a loop of your own: net.backprop gives the gradient, the step is yours.

The network, its training and the options are those of mnist.py, which leaves the loop to net.fit.
"""

import math
from argparse import ArgumentParser
from pathlib import Path

import numpy as np

import bpfast
import options
from digits import FOLDER


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--data", type=Path, default=FOLDER, metavar="DIR", help="the folder of the digits")
    add("--epochs", type=int, default=30, help="times through the digits (30)")
    add("--batch-size", type=int, default=10, help="digits in a mini-batch (10)")
    add("--eta", type=float, default=3.0, help="learning rate (3.0)")
    add("--seed", type=int, default=0, help="for start and shuffling (0)")
    args = parser.parse_args()
    options.check_whole(parser, args, epochs=1, batch_size=1)
    options.check_seed(parser, args.seed)
    if not 0 < args.eta < math.inf:
        parser.error("--eta: expected a positive number")
    digits = options.read_digits(parser, args.data)

    rng = np.random.default_rng(args.seed)
    net = bpfast.Network([784, 30, 10], dtype="float32", init="nielsen_large", seed=rng)
    g = bpfast.Gradient(net)
    for epoch in range(1, args.epochs + 1):
        order = rng.permutation(len(digits.x))
        x, y, cost = digits.x[order], digits.y[order], 0.0
        for i in range(0, len(x), args.batch_size):
            batch = slice(i, i + args.batch_size)
            net.backprop(x[batch], y[batch], out=g)  # into the same place: no new array is made
            net.params -= args.eta * g.flat  # or any other step
            cost += g.cost * len(x[batch])
        right = np.mean(net(digits.test_x).argmax(axis=1) == digits.test_labels)
        print(f"epoch {epoch:2d}: cost {cost / len(x):.4f}, test {right:.2%}", flush=True)


if __name__ == "__main__":
    main()
