"""ONNX Runtime: a session over a graph of Gemm and activations; it has no gradient."""

import os
import timeit
from typing import Any

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from benches.cases.cases import Problem
from benches.peers.protocol import Array, Parts, Peer

ACTIVATIONS = {"sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "Relu"}
TYPES = {"float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE}
OPSET = 17
IR = 8  # the format of files that came with this opset
TRIALS = 5


def model(problem: Problem) -> bytes:
    """The network as an ONNX file: a Gemm a layer, weights (n_in, n_out)."""
    case, nodes, parameters = problem.case, [], []
    last = len(problem.weights) - 1
    a = "x"
    for k, (w, b) in enumerate(zip(problem.weights, problem.biases, strict=True)):
        parameters += [
            numpy_helper.from_array(np.ascontiguousarray(w.T), f"w{k}"),
            numpy_helper.from_array(b, f"b{k}"),
        ]
        z = "output" if k == last else f"z{k}"
        nodes.append(helper.make_node("Gemm", [a, f"w{k}", f"b{k}"], [z]))
        a = f"a{k}"
        if k < last:
            nodes.append(helper.make_node(ACTIVATIONS[case.activation], [z], [a]))
    kind, n = TYPES[case.dtype], case.batch
    x = helper.make_tensor_value_info("x", kind, [n, case.sizes[0]])
    output = helper.make_tensor_value_info("output", kind, [n, case.sizes[-1]])
    graph = helper.make_graph(nodes, "network", [x], [output], parameters)
    opset = helper.make_opsetid("", OPSET)
    made = helper.make_model(graph, opset_imports=[opset], ir_version=IR)
    file: bytes = made.SerializeToString()
    return file


class OnnxPeer(Peer):
    def __init__(self, problem: Problem) -> None:
        case = problem.case
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", "0"))  # 0: all
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            model(problem), options, providers=["CPUExecutionProvider"]
        )
        self.feed = {"x": problem.x}
        self.a = np.empty((case.batch, case.sizes[-1]), case.dtype)
        self.binding = self.session.io_binding()
        for bind, name, array in (
            (self.binding.bind_input, "x", problem.x),
            (self.binding.bind_output, "output", self.a),
        ):
            bind(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)
        self.quicker: Any = None  # the method that is

    def run(self) -> Any:
        return self.session.run(None, self.feed)

    def run_bound(self) -> Any:
        return self.session.run_with_iobinding(self.binding)

    def forward(self) -> object:
        if self.quicker is None:  # the first call, which is not timed, decides
            ways = (self.run, self.run_bound)
            self.quicker = min(
                ways, key=lambda way: min(timeit.repeat(way, number=3, repeat=TRIALS))
            )
        return self.quicker()

    def read_forward(self) -> Array:
        self.run_bound()
        (a,) = self.run()
        assert np.array_equal(a, self.a), "run and run_with_iobinding differ"
        output: Array = a
        return output

    def gradient(self) -> object:
        raise NotImplementedError

    def read_gradient(self) -> Parts:
        raise NotImplementedError
