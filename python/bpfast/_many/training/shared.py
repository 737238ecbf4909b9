"""x and y of several networks, converted and loaded once for all networks of a kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from bpfast._training.arguments.training_data import new_trainer
from bpfast._training.data.examples import Examples
from bpfast._training.data.sources import FEW_NEURONS, LARGEST_DENSITY, LARGEST_DENSITY_OF_FEW

if TYPE_CHECKING:
    from bpfast._core import Trainer
    from bpfast._network import Network
    from bpfast._training.arguments.settings import Settings
    from bpfast.optimizers import Optimizer


class Group(NamedTuple):
    """Examples, and a trainer that has loaded them."""

    examples: Examples
    # None if the steps cannot use the arrays in place, and for a callable cost.
    trainer: Trainer | None


class SharedData:
    """The same x and y for networks of all kinds.

    Networks of one dtype, width and cost share a conversion of x and y.
    """

    def __init__(self, x: Any, y: Any, sample_weight: Any = None, *, dense: bool = False) -> None:
        self.x, self.y, self._weight, self._dense = x, y, sample_weight, dense
        self._groups: dict[Any, Group] = {}
        self._seen: set[tuple[int, str]] = set()

    def group(self, net: Network, settings: Settings, optimizer: Optimizer) -> Group:
        """The examples for a network like `net`.

        Raises
        ------
        ValueError, TypeError
            They do not fit the network.
        """
        config, few = net.config, net.sizes[1] < FEW_NEURONS
        cost = config["cost"] if isinstance(config["cost"], str) else None
        key = (net.dtype.str, net.sizes[0], net.sizes[-1], cost, config["output"], few)
        if key not in self._groups:
            examples = Examples(net, self.x, self.y, self._weight, signed=not self._dense)
            examples.check_targets()
            arrays = examples.arrays()
            trainer = None
            if arrays is not None and cost is not None:
                density = LARGEST_DENSITY_OF_FEW if few else LARGEST_DENSITY
                if settings.sparse is not None:
                    density = float(settings.sparse)
                trainer = new_trainer(net, settings, optimizer, settings.batch_size)
                weight = examples.sample_weight if self._dense else None
                trainer.load(*arrays, weight, 0.0 if self._dense else density)
            self._groups[key] = Group(examples, trainer)
        return self._groups[key]

    def is_new(self, group: Group, net: Network) -> bool:
        """Whether no network with this output has had these examples before."""
        key = (id(group.examples), net.config["output"])
        is_new = key not in self._seen
        self._seen.add(key)
        return is_new
