"""`bpfast.sklearn` is imported at its first use, and says what to install."""

from tests.helpers.child import run

PROGRAM = """
import json, sys
import bpfast
before = "sklearn" in sys.modules

class NotInstalled:
    @staticmethod
    def find_spec(name, path, target=None):
        if name == "sklearn":
            raise ModuleNotFoundError("No module named 'sklearn'", name=name)

sys.meta_path.insert(0, NotInstalled)
try:
    bpfast.sklearn
except ImportError as error:
    print(json.dumps([before, str(error)]))
"""


def test_without_scikit_learn():
    before, message = run(PROGRAM)
    assert not before
    assert message == 'bpfast.sklearn needs scikit-learn: pip install "bpfast[sklearn]"'
