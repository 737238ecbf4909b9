"""TensorFlow: a step in a tf.function, by the mini-batch."""

import os
from typing import Any

import tensorflow as tf

from benches.cases.digits import BATCH, ETA, Digits
from benches.trainers.protocol import Parts, Trainer

threads = int(os.environ.get("OMP_NUM_THREADS", "0"))  # 0: as many as TensorFlow wants
tf.config.threading.set_intra_op_parallelism_threads(threads)


class TensorflowTrainer(Trainer):
    def __init__(self, digits: Digits) -> None:
        self.x, self.y, self.orders = tf.constant(digits.x), tf.constant(digits.y), digits.orders()
        w = self.w = [tf.Variable(w.T) for w in digits.weights]
        b = self.b = [tf.Variable(b) for b in digits.biases]

        def step(x: Any, y: Any) -> None:
            with tf.GradientTape() as tape:
                for v, c in zip(w, b, strict=True):
                    x = tf.sigmoid(tf.matmul(x, v) + c)
                cost = tf.reduce_sum(tf.square(x - y)) * (0.5 / BATCH)
            for kept, g in zip(w + b, tape.gradient(cost, w + b), strict=True):
                kept.assign_sub(ETA * g)

        self.step = tf.function(step)

    def epoch(self) -> None:
        order = next(self.orders)
        x, y = tf.gather(self.x, order), tf.gather(self.y, order)
        for i in range(0, len(order), BATCH):
            self.step(x[i : i + BATCH], y[i : i + BATCH])
        self.b[-1].numpy()

    def parameters(self) -> Parts:
        return [w.numpy().T for w in self.w], [b.numpy() for b in self.b]
