"""TensorFlow: a tf.function over variables."""

import os
from typing import Any

import tensorflow as tf

from benches.cases.cases import Problem
from benches.peers.protocol import Array, Parts, Peer

ACTIVATIONS = {"sigmoid": tf.sigmoid, "tanh": tf.tanh, "relu": tf.nn.relu}

threads = int(os.environ.get("OMP_NUM_THREADS", "0"))  # 0: as many as TensorFlow wants
tf.config.threading.set_intra_op_parallelism_threads(threads)


class TensorflowPeer(Peer):
    def __init__(self, problem: Problem) -> None:
        sigma = ACTIVATIONS[problem.case.activation]
        w = [tf.Variable(w.T) for w in problem.weights]
        b = [tf.Variable(b) for b in problem.biases]
        scale = 0.5 / problem.case.batch

        def forward(x: Any) -> Any:
            for v, c in zip(w[:-1], b[:-1], strict=True):
                x = sigma(tf.matmul(x, v) + c)
            return tf.matmul(x, w[-1]) + b[-1]

        def gradient(x: Any, y: Any) -> Any:
            with tf.GradientTape() as tape:
                cost = tf.reduce_sum(tf.square(forward(x) - y)) * scale
            return cost, tape.gradient(cost, (w, b))

        self.run_forward = tf.function(forward)
        self.run_gradient = tf.function(gradient)
        self.x, self.y = tf.constant(problem.x), tf.constant(problem.y)

    def gradient(self) -> Any:
        cost, parts = self.run_gradient(self.x, self.y)
        cost.numpy()
        return parts

    def forward(self) -> Any:
        return self.run_forward(self.x).numpy()

    def read_gradient(self) -> Parts:
        w, b = self.gradient()
        return [part.numpy().T for part in w], [part.numpy() for part in b]

    def read_forward(self) -> Array:
        a: Array = self.forward()
        return a
