"""Histories for tests."""

from bpfast import History

ROW = {"cost": 0.5, "seconds": 2.0, "learning_rate": 0.1}


COSTS = [0.9, 0.4, 0.2]


VALIDATION = [0.8, 0.5, 0.6]


ACCURACY = [0.6, 0.9, 0.9]


def example(seed=3):
    """Three epochs with a validation cost and a metric of both kinds of example."""
    history = History(seed=seed)
    for cost, validation, accuracy in zip(COSTS, VALIDATION, ACCURACY, strict=True):
        more = {"accuracy": 1.0, "validation_cost": validation, "validation_accuracy": accuracy}
        history.append(ROW | {"cost": cost} | more)
    return history


def one_column(values, name="validation_cost"):
    history = History()
    for value in values:
        history.append(ROW | {name: value})
    return history
