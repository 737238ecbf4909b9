"""What a function says whose library is not installed."""

import subprocess
import sys

import pytest

# What needs a library, its name, and what pip installs.
PLAIN = {
    "scipy_minimize": ("bpfast.scipy_minimize(net, [[1, 2]], [[0, 1]])", "scipy"),
    "linear_operator": ("net.curvature([[1, 2]], [[0, 1]]).linear_operator()", "scipy"),
    "eigenvalues": ("wide.curvature([[1]], [[0] * 600]).eigenvalues(1)", "scipy"),
    "to_pandas": ("bpfast.History().to_pandas()", "pandas"),
}
EXTRAS = {
    "from_sklearn": ("bpfast.formats.from_sklearn(3)", "sklearn", "sklearn"),
    "to_sklearn": ("bpfast.formats.to_sklearn(net)", "sklearn", "sklearn"),
    "from_torch": ("bpfast.formats.from_torch(Model())", "torch", "torch"),
    "from_torch('model.pt')": ("bpfast.formats.from_torch('model.pt')", "torch", "torch"),
    "to_torch": ("bpfast.formats.to_torch(net)", "torch", "torch"),
    "as_function": ("bpfast.torch.as_function(net)", "torch", "torch"),
    "from_keras": ("bpfast.formats.from_keras(Model())", "keras", "keras"),
    "from_keras('model.pt')": ("bpfast.formats.from_keras('model.pt')", "keras", "keras"),
    "to_keras": ("bpfast.formats.to_keras(net)", "keras", "keras"),
    "from_onnx": ("bpfast.formats.from_onnx('model.pt')", "onnx", "onnx"),
    "to_onnx": ("bpfast.formats.to_onnx(net)", "onnx", "onnx"),
    "as_callable": ("bpfast.jax.as_callable(net)", "jax", "jax"),
}
PROGRAM = """
import sys
for name in ("sklearn", "torch", "keras", "onnx", "jax", "scipy", "pandas"):
    sys.modules[name] = None  # as if it were not installed
import bpfast

class Model:
    layers = get_weights = state_dict = None

net = bpfast.Network([2, 2])
wide = bpfast.Network([1, 600])
for call in {calls}:
    try:
        eval(call)
    except ImportError as error:
        print(error)
"""


def test_the_library_and_its_installation_are_named(tmp_path):
    (tmp_path / "model.pt").write_bytes(b"PK\3\4")
    program = PROGRAM.format(calls=[call for call, *_ in [*PLAIN.values(), *EXTRAS.values()]])
    command = [sys.executable, "-P", "-c", program]
    run = subprocess.run(
        command, check=True, timeout=60, capture_output=True, text=True, cwd=tmp_path
    )
    expected = [
        *(f"{name} needs {library}: pip install {library}" for name, (_, library) in PLAIN.items()),
        *(
            f'{name} needs {library}: pip install "bpfast[{extra}]"'
            for name, (_, library, extra) in EXTRAS.items()
        ),
    ]
    assert run.stdout.splitlines() == expected


@pytest.mark.parametrize("library", ["keras", "torch"])
def test_older_versions_do_not_read_files(library, tmp_path, monkeypatch):
    """They may run code of a crafted file."""
    from bpfast.formats import from_keras, from_torch

    path = tmp_path / "model"
    path.write_bytes(b"PK\3\4")
    old = type(sys)(library)
    old.__version__ = {"keras": "3.11.3", "torch": "2.5.1+cpu"}[library]
    monkeypatch.setitem(sys.modules, library, old)
    function = {"keras": from_keras, "torch": from_torch}[library]
    with pytest.raises(ImportError, match=r"expected (Keras 3.12|PyTorch 2.6) or later, got "):
        function(path)
