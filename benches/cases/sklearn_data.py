"""The data of sklearn_estimators: digits, a table of numbers and texts. Nothing is downloaded."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import train_test_split

from examples.shared.digits import FOLDER, load

WORDS, TOPICS, DOCUMENTS, LENGTH = 20_000, 8, 5_000, 120


@dataclass(frozen=True)
class Case:
    """Data, the kind of estimator, its parameters, and the epochs of a timed fit."""

    title: str
    kind: str  # MLPClassifier or MLPRegressor
    parameters: dict[str, Any]
    x: Any
    y: Any

    def parts(self) -> list[Any]:
        """Training and test examples: x, x, y, y."""
        parts: list[Any] = train_test_split(self.x, self.y, test_size=0.2, random_state=0)
        return parts


def digits_8x8(dtype: str, epochs: int = 60) -> Case:
    """scikit-learn's digits."""
    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype(dtype)
    return Case(f"digits, 1,797 × 64, {dtype}", "MLPClassifier", {"max_iter": epochs}, x, y)


def mnist(dtype: str) -> Case:
    """The 10,000 digits that ship with examples/mnist.py."""
    x, y = load(FOLDER, ["train-10k"], dtype)
    return Case(f"MNIST, 10,000 × 784, {dtype}", "MLPClassifier", {"max_iter": 8}, x, y)


def table(dtype: str) -> Case:
    """A table of the size of California housing, with interactions and heavy tails."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((20_640, 8))
    y = np.exp(0.4 * x[:, 0]) + np.sin(2 * x[:, 1]) * x[:, 2] + 0.5 * np.abs(x[:, 3] + x[:, 4])
    y += 0.3 * rng.standard_normal(len(x))
    title = f"table, 20,640 × 8, {dtype}"
    x, y = x.astype(dtype), y.astype(dtype)
    return Case(title, "MLPRegressor", {"max_iter": 15, "learning_rate_init": 0.003}, x, y)


def text(dtype: str, max_features: int | None) -> Case:
    """Documents of Zipf-distributed words, in which each topic prefers some words; TF-IDF."""
    rng = np.random.default_rng(0)
    base = 1 / np.arange(1, WORDS + 1)
    labels = rng.integers(0, TOPICS, DOCUMENTS)
    preferred = [rng.choice(WORDS // 4, 400, replace=False) for _ in range(TOPICS)]
    documents = []
    for label in labels:
        weights = base.copy()
        weights[preferred[label]] *= 3
        words = rng.choice(WORDS, LENGTH, p=weights / weights.sum())
        documents.append(" ".join(f"w{word}" for word in words))
    vectorizer = TfidfVectorizer(dtype=np.dtype(dtype), max_features=max_features)
    x = sparse.csr_matrix(vectorizer.fit_transform(documents))
    density = x.nnz / (x.shape[0] * x.shape[1])
    title = f"TF-IDF, {x.shape[0]:,} × {x.shape[1]:,}, {density:.1%} nonzero, {dtype}"
    return Case(title, "MLPClassifier", {"max_iter": 5}, x, labels)


CASES = {
    "digits_quick": lambda: digits_8x8("float64", 20),
    "digits": lambda: digits_8x8("float64"),
    "digits_float32": lambda: digits_8x8("float32"),
    "mnist": lambda: mnist("float64"),
    "mnist_float32": lambda: mnist("float32"),
    "table": lambda: table("float64"),
    "table_float32": lambda: table("float32"),
    "text": lambda: text("float64", 5_000),
    "text_float32": lambda: text("float32", 5_000),
    "text_all": lambda: text("float64", None),
    "text_all_float32": lambda: text("float32", None),
}
