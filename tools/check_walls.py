"""Check the walls of the house (docs/architecture.md): `python -m tools.check_walls [ROOT]`.

Prints a line for each breach and exits 1 if there is one.
"""

import sys
from pathlib import Path

from tools.walls import files, python, rust


def main(root: Path) -> int:
    """Print every breach under `root`."""
    checks = (
        rust.check_modules(root / "src"),
        rust.check_circles(root / "src"),
        python.check_imports(root / "python/bpfast"),
        python.check_arguments(root / "python/bpfast"),
        python.check_tests(root / "tests"),
        files.check_length(root),
        files.check_folders(root),
    )
    breaches = [breach for check in checks for breach in check]
    for path, line, text in breaches:
        print(f"{path.relative_to(root).as_posix()}:{line}: {text}")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1]).resolve()))
