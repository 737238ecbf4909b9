"""Optimizers: update rules for parameters, given their gradient.

Use them in `bpfast.Network.fit`, or call ``optimizer.step(params, gradient)`` in your own loop, on
any NumPy arrays. A step is one pass over the numbers, in place, with the same bits at any number of
threads. In the formulas g is the gradient, η the learning rate of the step and t its number, from
1; all operations are elementwise.
"""

from bpfast.optimizers._adagrad import Adagrad
from bpfast.optimizers._adam import Adam, AdamW
from bpfast.optimizers._optimizer import Optimizer
from bpfast.optimizers._registry import from_config
from bpfast.optimizers._rmsprop import RMSprop
from bpfast.optimizers._sgd import SGD

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "from_config"]

# The modules where they are public.
Optimizer.__module__ = __name__
for _optimizer in (SGD, Adagrad, Adam, AdamW, RMSprop):
    _optimizer.__module__ = "bpfast"
