"""A Flatten of Keras before the first layer."""

import pytest

from bpfast.formats import from_keras
from tests.helpers import optional  # noqa: F401, before Keras is imported
from tests.helpers.cases.models import agree, inputs
from tests.helpers.refuses import refuses

keras = pytest.importorskip("keras")
pytest.importorskip("jax")

# Of Keras itself, with its backend JAX and NumPy 2.4.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
X = inputs("float32")


def model(*axes, data_format):
    keras.utils.set_random_seed(0)
    flatten = keras.layers.Flatten(data_format=data_format)
    return keras.Sequential([keras.Input(axes), flatten, keras.layers.Dense(3)])


@pytest.mark.parametrize(
    ("axes", "data_format"), [((2, 2), "channels_last"), ((4,), "channels_first")]
)
def test_one_that_keeps_the_order(axes, data_format):
    flattened = model(*axes, data_format=data_format)
    outputs = keras.ops.convert_to_numpy(flattened(X.reshape(-1, *axes)))
    assert agree(outputs, from_keras(flattened)(X), "float32")


def test_one_that_changes_the_order():
    """Keras moves the channels to the end before it flattens."""
    message = "expected a Flatten that keeps the order of the inputs, got Flatten.data_format="
    with refuses(ValueError, message):
        from_keras(model(2, 2, data_format="channels_first"))
