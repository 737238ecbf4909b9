"""Sparse X: the same as the dense array that `toarray` makes of it."""

import numpy as np
import pytest

from tests.helpers.tolerance import close

sparse = pytest.importorskip("scipy.sparse")
bpsk = pytest.importorskip("bpfast.sklearn")


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize("form", ["csr", "csc", "coo"])
@pytest.mark.parametrize("dtype", ["?", "i1", "u1", "i4", "f8"])
def test_duplicates(form, dtype):
    """scikit-learn converts X first: True + True would be 2, and 100 + 100 in int8 not -56."""
    data = np.array([1, 1, 1, 100, 100, 1], dtype)
    rows, columns = np.array([0, 0, 0, 1, 1, 1]), np.array([0, 0, 1, 2, 2, 0])
    x = sparse.coo_matrix((data, (rows, columns)), (2, 3))
    if form != "coo":  # tocsr() would sum them
        indices, order = (columns, rows) if form == "csr" else (rows, columns)
        at = np.argsort(order, kind="stable")
        starts = np.searchsorted(order[at], np.arange(x.shape[form == "csc"] + 1))
        x = getattr(sparse, f"{form}_matrix")((data[at], indices[at], starts), (2, 3))
    dense, y = x.toarray(), np.array([0.0, 1.0])
    assert x.nnz > np.count_nonzero(dense)
    assert dense[1, 2] == {"?": 1, "i1": -56}.get(dtype, 200)

    def model():
        return bpsk.MLPRegressor(hidden_layer_sizes=(4,), max_iter=3, random_state=0)

    ours, expected = model().fit(x, y), model().fit(dense, y)
    assert close(ours.network_.params, expected.network_.params, "float64")
    assert close(ours.predict(x), expected.predict(dense), "float64")


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize("call", ["fit", "predict"])
@pytest.mark.parametrize("name", ["data", "indices", "indptr"])
def test_what_is_not_an_array_is_named(name, call):
    x = sparse.csr_array(np.eye(4))
    model = bpsk.MLPRegressor(hidden_layer_sizes=(4,), max_iter=3, random_state=0)
    model.fit(x, np.ones(4))
    x.__dict__[name] = None
    with pytest.raises(TypeError, match=r"^x: expected .*, got NoneType$"):
        model.fit(x, np.ones(4)) if call == "fit" else model.predict(x)


def test_partial_fit_with_sparse_labels_predicts_a_sparse_matrix():
    x, y = np.eye(3), sparse.csr_matrix(np.eye(3, dtype=int))
    for labels in (y, y.toarray()):
        clf = bpsk.MLPClassifier((5,), random_state=0).partial_fit(x, labels, classes=[0, 1, 2])
        assert sparse.issparse(clf.predict(x)) == sparse.issparse(labels)
