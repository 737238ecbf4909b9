"""Train the network of mnist.py in your own loop: net.backprop computes the gradient of a batch.

The network, the settings and the options are those of mnist.py, in which net.fit runs the loop.
"""

import numpy as np

import bpfast
from shared import options


def main() -> None:
    parser = options.parser(__doc__)
    options.add_training(parser)
    args = parser.parse_args()
    options.check_training(parser, args)
    digits = options.read_digits(parser, args.data)

    rng = np.random.default_rng(args.seed)
    net = bpfast.Network([784, 30, 10], dtype="float32", init="nielsen_large", seed=rng)
    g = bpfast.Gradient(net)
    for epoch in range(1, args.epochs + 1):
        order = rng.permutation(len(digits.x))
        x, y, cost = digits.x[order], digits.y[order], 0.0
        for i in range(0, len(x), args.batch_size):
            batch = slice(i, i + args.batch_size)
            net.backprop(x[batch], y[batch], out=g)  # overwrites g: no new array
            net.params -= args.eta * g.flat  # a step of gradient descent
            cost += g.cost * len(x[batch])
        right = np.mean(net(digits.test_x).argmax(axis=1) == digits.test_labels)
        print(f"epoch {epoch:2d}: cost {cost / len(x):.4f}, test {right:.2%}", flush=True)


if __name__ == "__main__":
    main()
