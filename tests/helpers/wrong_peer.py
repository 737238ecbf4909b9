"""A peer whose gradient is too long by a thousandth: the benchmark has to notice."""

from benches.peers.bpfast_peer import BpfastPeer


class WrongPeer(BpfastPeer):
    def read_gradient(self):
        weights, biases = super().read_gradient()
        return [1.001 * w for w in weights], [1.001 * b for b in biases]
