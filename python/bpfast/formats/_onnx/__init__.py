"""ONNX models: `read`, `write`, and the activations as expressions of ONNX operators."""
