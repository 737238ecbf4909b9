"""The examples run as their users run them, tell figures, draw, and refuse bad options."""

import gzip
import json
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from tests.helpers.child import finish, run
from tests.helpers.paths import ROOT
from tests.helpers.processes.simd_levels import FUSED

EXAMPLES = ROOT / "examples"
# The first heads of the tables that each experiment prints.
EXPERIMENTS = {
    "hidden_neurons": ["trained as in"],
    "slowdown": ["neuron", "cost"],
    "initial_weights": ["hidden neurons"],
    "l2": ["l2"],
    "dropout": ["dropout"],
    "early_stopping": ["training"],
    "learning_rates": ["schedule"],
    "depth": ["hidden layers"],
    "vanishing_gradient": ["hidden layers"],
}
# Differential equations, and iterations after which the largest error is below a tenth.
EQUATIONS = {"oscillator": 700, "burgers": 300}
# Enough to run every line; nothing is learned.
TINY = ["--digits", "20", "--epochs", "2", "--runs", "2"]


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """A folder with 600 training digits and 100 test digits, so that reading takes no time."""
    folder = tmp_path_factory.mktemp("digits")
    for name, kind, count in (("train-10k", "train", 600), ("t10k", "t10k", 100)):
        for part, header in (("images-idx3", 16), ("labels-idx1", 8)):
            path = EXAMPLES / "mnist" / f"{name}-{part}-ubyte.gz"
            data = gzip.decompress(path.read_bytes())
            shape = np.frombuffer(data[4:header], ">u4").copy()
            shape[0] = count
            body = data[header : header + int(np.prod(shape))]
            (folder / f"{kind}-{part}-ubyte").write_bytes(data[:4] + shape.tobytes() + body)
    return folder


def start(name, *arguments, cwd):
    """Run an example in a process of its own, in a folder that is not the tree's."""
    started = [sys.executable, EXAMPLES / f"{name}.py", *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(started, cwd=cwd, encoding="utf-8", **pipes) as process:
        out, err = finish(process)  # waits longer on a busy machine
    return subprocess.CompletedProcess(started, process.returncode, out, err)


def start_all(runs, without=()):
    """Run (name, cwd, arguments) in one process: the exit code, output and messages of each.

    `without`: packages that are not installed.
    """
    runs = [[name, str(cwd), list(map(str, arguments))] for name, cwd, arguments in runs]
    return run("run_examples", *without, stdin=json.dumps(runs))


def output(name, *arguments, cwd):
    done = start(name, *arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def is_png(path):
    return path.read_bytes().startswith(b"\x89PNG")


def test_every_example_is_here():
    found = {path.stem for path in EXAMPLES.glob("*.py")}
    assert found == {
        "get_started", "from_scikit_learn", "mnist", "plain_loop", "plots_gallery", "chapter2",
        "restarts", "uncertainty", "on_dask", "on_mpi", *EXPERIMENTS, *EQUATIONS,
    }  # fmt: skip


@pytest.fixture(scope="module")
def experiments(few, tmp_path_factory):
    """The folder of each experiment, its exit code, output and messages."""
    folders = {name: tmp_path_factory.mktemp(name) for name in EXPERIMENTS}
    arguments = ["--data", few, *TINY, "--plot", "a.png"]
    done = start_all([(name, folder, arguments) for name, folder in folders.items()])
    return {
        name: (folder, *found) for (name, folder), found in zip(folders.items(), done, strict=True)
    }


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_experiment(name, experiments):
    folder, code, said, messages = experiments[name]
    assert (code, messages) == (0, "")
    tables = re.findall(r"^\| (.*?) *\|.*\n\| -", said, re.MULTILINE)
    assert tables == EXPERIMENTS[name]
    assert "nan" not in said
    assert is_png(folder / "a.png")
    assert [path.name for path in folder.iterdir()] == ["a.png"]


@pytest.mark.parametrize("name", EQUATIONS)
def test_an_equation_is_solved(name, tmp_path):
    arguments = ["--iterations", EQUATIONS[name], "--plot", "a.png"]
    said = output(name, *arguments, cwd=tmp_path)
    (error,) = re.findall(r"^\d+ iterations: .* largest (?:error )?(\S+) of 1$", said, re.MULTILINE)
    # It is near 1 for a network that has learned nothing. 300 iterations of burgers leave 0.10,
    # whose digits depend on how SciPy's products of vectors round.
    assert float(error) < 0.2
    assert is_png(tmp_path / "a.png")


def test_restarts(few, tmp_path):
    options = ["--data", few, "--digits", "300", "--networks", "4", "--epochs", "4"]
    said = output("restarts", *options, "--plot", "a.png", cwd=tmp_path)
    rows = re.findall(r"^\| (.*?) +\| (\d+) ", said, re.MULTILINE)
    assert rows == [("all to the end", "16"), ("the better half", "8")]
    assert is_png(tmp_path / "a.png")


def test_uncertainty(tmp_path):
    """The band is wide where no patient is near."""
    said = output("uncertainty", "--networks", "20", "--plot", "a.png", cwd=tmp_path)
    bands = re.findall(r"^\| (\d+) +\| (\d+) .* (\d+) to (\d+) +\|$", said, re.MULTILINE)
    assert [int(index) for index, *_ in bands] == [20, 25, 30, 40, 50]
    width = [int(high) - int(low) for *_, low, high in bands]
    assert int(bands[-1][1]) == 0
    assert width[-1] > 2 * width[1]
    assert is_png(tmp_path / "a.png")


def test_clusters_give_the_same_bits(tmp_path):
    """Dask's workers as threads, and MPI without mpirun: a single rank."""
    for name, wheres, arguments in (
        ("on_dask", ["this process", "2 workers"], ["--rows", 3000, "--workers", 2, "--threads"]),
        ("on_mpi", ["1 ranks", "this process"], ["--shards", 3]),
    ):
        pytest.importorskip({"on_dask": "distributed", "on_mpi": "mpi4py"}[name])
        if name == "on_mpi" and shutil.which("mpirun") is None:
            continue  # mpi4py needs the library
        done = start(name, *arguments, "--epochs", 2, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        rows = re.findall(r"^\| (.*?) *\| .* (\w{16}) +\|$", done.stdout, re.MULTILINE)
        assert [where for where, _ in rows] == wheres
        assert len({digest for _, digest in rows}) == 1


def test_the_gallery_draws_the_pictures_of_its_page(few, tmp_path):
    arguments = ["--data", few, "--digits", "100", "--epochs", "2", "--plots", tmp_path]
    assert start_all([("plots_gallery", tmp_path, arguments)])[0][::2] == [0, ""]
    drawn = {path.name for path in tmp_path.iterdir()}
    assert all(map(is_png, tmp_path.iterdir()))
    page = (ROOT / "docs" / "plots.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\(plots/(\w+\.png)\)", page)) == drawn
    assert {path.name for path in (ROOT / "docs" / "plots").iterdir()} == drawn


def test_a_seed_gives_the_same_figures_again(few, tmp_path):
    arguments = ["--data", few, *TINY, "--plot", "a.png", "--seed"]
    first = output("l2", *arguments, 3, cwd=tmp_path)
    again, other = start_all([("l2", tmp_path, [*arguments, seed]) for seed in (3, 4)])
    assert again == [0, first, ""]
    assert other[0] == 0
    assert other[1] != first


@pytest.mark.slow
@pytest.mark.skipif(not FUSED, reason="without fused multiply-add the bits may differ")
def test_the_page_has_the_figures_of_this_build(tmp_path):
    """At η = 1 a changed bit soon moves the last digits: `make examples` mends the page."""
    said = output("learning_rates", "--plot", "a.png", cwd=tmp_path)
    rows = [line for line in said.splitlines() if line.startswith("|")]
    assert len(rows) == 7
    assert "\n".join(rows) in (ROOT / "docs" / "examples.md").read_text(encoding="utf-8")


def test_the_demo_learns(tmp_path):
    said = output("mnist", "--epochs", "2", cwd=tmp_path)
    epochs = re.findall(
        r"^epoch  (\d)/2   cost (\d\.\d{4})   test (\d\d\.\d\d)%   \d\.\d{3} s$", said, re.MULTILINE
    )
    assert [epoch for epoch, _, _ in epochs] == ["1", "2"]
    costs = [float(cost) for _, cost, _ in epochs]
    assert costs[1] < costs[0]
    (right,) = re.findall(r"^test accuracy   (\d\d\.\d\d)% of 10,000 digits$", said, re.MULTILINE)
    assert right == epochs[1][2]
    assert float(right) > 80  # 87.50 with the default seed
    time = r"^time per epoch  \d\.\d{3} s \(median, test digits included\)$"
    assert re.search(time, said, re.MULTILINE)
    assert is_png(tmp_path / "mnist.png")


def test_the_plain_loop_learns(tmp_path):
    said = output("plain_loop", "--epochs", "2", cwd=tmp_path)
    (right,) = re.findall(r"^epoch  2: cost \d\.\d{4}, test (\d\d\.\d\d)%$", said, re.MULTILINE)
    assert float(right) > 80


BAD_OPTIONS = [
    ("mnist", ["--epochs", "0"], "--epochs: expected 1 or more"),
    ("mnist", ["--batch-size", "0"], "--batch-size: expected 1 or more"),
    ("mnist", ["--eta", "nan"], "--eta: expected a positive number"),
    ("mnist", ["--eta", "-3"], "--eta: expected a positive number"),
    ("mnist", ["--eta", "1e300", "--epochs", "1"], "--eta: epoch 1, step 0: the cost or"),
    ("mnist", ["--dtype", "float16"], "--dtype: invalid choice"),
    ("mnist", ["--picture", "none/a.png"], "--picture: cannot write a file none/a.png"),
    ("mnist", ["--data", "none"], "--data: none: no train-images"),
    ("plain_loop", ["--seed", "-1"], "--seed: expected 0 or more"),
    ("plain_loop", ["--eta", "inf"], "--eta: expected a positive number"),
    ("l2", ["--epochs", "1.5"], "--epochs: invalid int value"),
    ("l2", ["--runs", "0"], "--runs: expected 1 or more"),
    ("l2", ["--digits", "9"], "--digits: expected 10 or more"),
    ("l2", ["--digits", "601"], "--digits: expected 600 or fewer"),
    ("l2", ["--seed", str(2**63 - 1)], "--seed: expected less than 2^63"),
    ("l2", ["--plot", "."], "--plot: cannot write a file ."),
    (
        "plots_gallery",
        ["--digits", "99", "--plots", "none/a"],
        "--plots: cannot make the folder none/a: ",
    ),
    ("plots_gallery", ["--digits", "601"], "--digits: expected 600 or fewer"),
    ("chapter2", ["--plots", "none/a"], "--plots: cannot make the folder none/a: "),
    ("chapter2", ["--quick", "--data", "none"], "--data: none: no train-images"),
]


@pytest.fixture(scope="module")
def refused(few, tmp_path_factory):
    """The code, output and messages of each run of BAD_OPTIONS, and the files that they left."""
    folder = tmp_path_factory.mktemp("refused")
    runs = [
        (name, folder, [*([] if "--data" in arguments else ["--data", few]), *arguments])
        for name, arguments, _ in BAD_OPTIONS
    ]
    return start_all(runs), list(folder.iterdir())


@pytest.mark.parametrize("index", range(len(BAD_OPTIONS)))
def test_bad_options(index, refused):
    done, files = refused
    code, _, messages = done[index]
    assert code == 2
    assert BAD_OPTIONS[index][2] in messages.replace("\\", "/")
    assert "Traceback" not in messages
    assert files == []


def test_a_missing_package_is_named(tmp_path):
    programs = {path.stem for path in EXAMPLES.glob("*.py")} - {"get_started", "plain_loop"}
    programs |= {f"gallery/{path.stem}" for path in (EXAMPLES / "gallery").glob("*.py")}
    without = ["matplotlib", "scipy", "sklearn", "dask", "mpi4py"]
    runs = [(name, tmp_path, []) for name in sorted(programs)]
    for (name, *_), (code, said, messages) in zip(runs, start_all(runs, without), strict=True):
        assert code != 0, name
        assert said == "", name
        assert re.search(
            r"needs (matplotlib|scipy|sklearn|dask|mpi4py)[\w.]*: pip install ", messages
        )
        assert "Traceback" not in messages
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data[:-1], "truncated or damaged: expected 600 bytes, got 599"),
        (lambda data: b"\1" + data[1:], "not an IDX file of bytes"),
        (lambda data: data[:8] + b"\12" * 600, "expected digits, labelled 0 to 9"),
    ],
)
def test_bad_digits(change, message, few, tmp_path):
    for path in few.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    path = tmp_path / "train-labels-idx1-ubyte"
    path.write_bytes(change(path.read_bytes()))
    done = start("mnist", "--data", tmp_path, cwd=tmp_path)
    assert done.returncode == 2
    assert "--data: " in done.stderr
    assert message in done.stderr
