"""Models of other libraries as networks, and networks as models of other libraries.

- `from_sklearn`, `to_sklearn`: ``MLPClassifier`` and ``MLPRegressor`` of scikit-learn.
- `from_torch`, `to_torch`: PyTorch modules, state_dicts, ``.pt`` and ``.safetensors`` files.
- `from_keras`, `to_keras`: Keras 3 models, ``.keras`` and ``.h5`` files, lists of weights.
- `from_onnx`, `to_onnx`: ONNX models and files.

Each function needs its library, which is an extra: ``pip install "bpfast[onnx]"``, ``[torch]``,
``[keras]`` or ``[sklearn]``. ``import bpfast`` imports none of them.

Parameters keep their bits. What a network does not have, such as another layer or an unknown
activation, raises an error with the name of the layer; nothing is dropped or approximated in
silence.
"""

from bpfast.formats._keras import from_keras, to_keras
from bpfast.formats._onnx.read import from_onnx
from bpfast.formats._onnx.write import to_onnx
from bpfast.formats._sklearn import from_sklearn, to_sklearn
from bpfast.formats._torch import from_torch, to_torch

__all__ = [
    "from_keras",
    "from_onnx",
    "from_sklearn",
    "from_torch",
    "to_keras",
    "to_onnx",
    "to_sklearn",
    "to_torch",
]


def __dir__() -> list[str]:
    return __all__
