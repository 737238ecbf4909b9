"""scikit-learn: one partial_fit over all digits is an epoch."""

from sklearn.neural_network import MLPClassifier

from benches.cases.digits import BATCH, SIZES, Digits
from benches.trainers.protocol import Parts, Trainer

ETA = 0.5  # the book's 3 is for the quadratic cost


class SklearnTrainer(Trainer):
    def __init__(self, digits: Digits) -> None:
        self.x, self.y = digits.x, digits.y.astype(int)  # ten yes-or-no labels: sigmoid outputs
        self.model = MLPClassifier(
            hidden_layer_sizes=SIZES[1:-1],
            activation="logistic",
            solver="sgd",
            alpha=0.0,
            batch_size=BATCH,
            learning_rate="constant",
            learning_rate_init=ETA,
            momentum=0.0,
            nesterovs_momentum=False,
            shuffle=True,
            random_state=0,
        )
        self.classes = list(range(SIZES[-1]))
        self.model.partial_fit(self.x[:BATCH], self.y[:BATCH], classes=self.classes)
        for kept, w in zip(self.model.coefs_, digits.weights, strict=True):
            kept[...] = w.T
        for kept, b in zip(self.model.intercepts_, digits.biases, strict=True):
            kept[...] = b

    def epoch(self) -> object:
        return self.model.partial_fit(self.x, self.y)

    def parameters(self) -> Parts:
        return [w.T for w in self.model.coefs_], self.model.intercepts_
