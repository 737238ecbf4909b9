"""The trainers by name, told without importing any of them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """A trainer: where its class is, the peer whose packages it needs, and what its code does."""

    title: str
    place: str  # module:class
    peer: str
    about: str
    same: bool = True  # ends with the parameters that bpfast ends with


TRAINERS = {
    "bpfast": Entry(
        "bpfast",
        "benches.trainers.bpfast_trainer:BpfastTrainer",
        "bpfast",
        "`net.fit`; ten epochs a call, the time divided by ten.",
    ),
    "bpfast-sparse": Entry(
        "bpfast, sparse",
        "benches.trainers.bpfast_trainer:BpfastSparseTrainer",
        "bpfast",
        "the same with `sparse=True`: four fifths of the numbers in the digits are 0.",
    ),
    "bpfast-csr": Entry(
        "bpfast, CSR",
        "benches.trainers.bpfast_trainer:BpfastCsrTrainer",
        "bpfast",
        "the same with a matrix of SciPy's for x, so that `fit` need not look for the zeros.",
    ),
    "bpfast-loop": Entry(
        "bpfast, own loop",
        "benches.trainers.bpfast_loop_trainer:BpfastLoopTrainer",
        "bpfast",
        "examples/plain_loop.py's: `net.backprop(..., out=g)`, `net.params -= eta * g.flat`.",
    ),
    "book": Entry(
        "the book's loop",
        "benches.trainers.book_trainer:BookTrainer",
        "numpy",
        "Nielsen's `network.py`: backprop example by example on column vectors, in NumPy, its "
        "gradients added up.",
    ),
    "numpy": Entry(
        "NumPy",
        "benches.trainers.numpy_trainer:NumpyTrainer",
        "numpy",
        "the NumPy peer's code, by the mini-batch, with a step in place.",
    ),
    "sklearn": Entry(
        "scikit-learn",
        "benches.trainers.sklearn_trainer:SklearnTrainer",
        "sklearn",
        "`MLPClassifier.partial_fit` on all digits, which is an epoch. It has no quadratic cost "
        "for sigmoid outputs: its cost is cross-entropy, with η = 0.5, and it shuffles by itself.",
        same=False,
    ),
    "jax": Entry(
        "JAX",
        "benches.trainers.jax_trainer:JaxTrainer",
        "jax",
        "the whole epoch in one `lax.scan` under `jit`, digits gathered inside it.",
    ),
    "torch": Entry(
        "PyTorch",
        "benches.trainers.torch_trainer:TorchTrainer",
        "torch",
        "`nn.Sequential`, `mse_loss`, `backward()` and `optim.SGD.step()` by the mini-batch.",
    ),
    "tensorflow": Entry(
        "TensorFlow",
        "benches.trainers.tensorflow_trainer:TensorflowTrainer",
        "tensorflow",
        "a step in a `tf.function`, called by the mini-batch.",
    ),
}
