"""scikit-learn: its regressor has squared error over an identity output, and no gradient call."""

from typing import Any

from sklearn.neural_network import MLPRegressor

from benches.cases.cases import Problem
from benches.peers.protocol import Array, Parts, Peer

NAMES = {"sigmoid": "logistic", "tanh": "tanh", "relu": "relu"}
STILL = 1e-9  # a step that leaves the parameters where they are
FAR = 1024.0  # a step so long that the parameters' own rounding does not show in it


class SklearnPeer(Peer):
    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        # One output is a vector here: a column of y makes scikit-learn warn.
        one = problem.case.sizes[-1] == 1
        self.x, self.y = problem.x, problem.y[:, 0] if one else problem.y
        self.model = self.make(STILL)

    def make(self, eta: float) -> Any:
        """Make a model of learning rate eta, and give it the parameters."""
        case = self.problem.case
        model = MLPRegressor(
            hidden_layer_sizes=case.sizes[1:-1],
            activation=NAMES[case.activation],
            solver="sgd",
            alpha=0.0,
            batch_size=case.batch,
            learning_rate="constant",
            learning_rate_init=eta,
            momentum=0.0,
            nesterovs_momentum=False,
            shuffle=False,
            random_state=0,
        )
        model.partial_fit(self.x, self.y)  # makes the arrays
        for kept, w in zip(model.coefs_, self.problem.weights, strict=True):
            kept[...] = w.T
        for kept, b in zip(model.intercepts_, self.problem.biases, strict=True):
            kept[...] = b
        return model

    def gradient(self) -> object:
        return self.model.partial_fit(self.x, self.y)

    def forward(self) -> object:
        return self.model.predict(self.x)

    def read_gradient(self) -> Parts:
        model, problem = self.make(FAR), self.problem
        model.partial_fit(self.x, self.y)
        weights = zip(problem.weights, model.coefs_, strict=True)
        biases = zip(problem.biases, model.intercepts_, strict=True)
        return [(w - c.T) / FAR for w, c in weights], [(b - i) / FAR for b, i in biases]

    def read_forward(self) -> Array:
        a: Array = self.model.predict(self.x)
        return a.reshape(self.x.shape[0], -1)
