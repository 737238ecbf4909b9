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
        "`net.fit` with ten epochs per call, the time divided by ten.",
    ),
    "bpfast-sparse": Entry(
        "bpfast, sparse",
        "benches.trainers.bpfast_trainer:BpfastSparseTrainer",
        "bpfast",
        "the same with `sparse=True`; four fifths of the pixels are 0.",
    ),
    "bpfast-csr": Entry(
        "bpfast, CSR",
        "benches.trainers.bpfast_trainer:BpfastCsrTrainer",
        "bpfast",
        "the same with a SciPy matrix as x, so that `fit` does not search for zeros.",
    ),
    "bpfast-loop": Entry(
        "bpfast, own loop",
        "benches.trainers.bpfast_loop_trainer:BpfastLoopTrainer",
        "bpfast",
        "the loop of examples/plain_loop.py: `net.backprop(..., out=g)`, "
        "`net.params -= eta * g.flat`.",
    ),
    "book": Entry(
        "the book's loop",
        "benches.trainers.book_trainer:BookTrainer",
        "numpy",
        "`network.py` of Nielsen's book: NumPy, one example at a time as column vectors, whose "
        "gradients are added.",
    ),
    "numpy": Entry(
        "NumPy",
        "benches.trainers.numpy_trainer:NumpyTrainer",
        "numpy",
        "the code for gradients in NumPy, on mini-batches, with an update in place.",
    ),
    "sklearn": Entry(
        "scikit-learn",
        "benches.trainers.sklearn_trainer:SklearnTrainer",
        "sklearn",
        "`MLPClassifier.partial_fit` on all digits, which is one epoch. It has no quadratic cost "
        "for sigmoid outputs, so the cost is cross-entropy with η = 0.5. It shuffles in its own "
        "order.",
        same=False,
    ),
    "jax": Entry(
        "JAX",
        "benches.trainers.jax_trainer:JaxTrainer",
        "jax",
        "an epoch is one `lax.scan` under `jit`, which gathers the digits.",
    ),
    "torch": Entry(
        "PyTorch",
        "benches.trainers.torch_trainer:TorchTrainer",
        "torch",
        "`nn.Sequential`, `mse_loss`, `backward()` and `optim.SGD.step()` for each mini-batch.",
    ),
    "tensorflow": Entry(
        "TensorFlow",
        "benches.trainers.tensorflow_trainer:TensorflowTrainer",
        "tensorflow",
        "a step in a `tf.function`, called for each mini-batch.",
    ),
}
