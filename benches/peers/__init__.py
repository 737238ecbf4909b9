"""The peers: what each of them is called, needs and does."""

from benches.peers.registry import PEERS, Entry, installed

__all__ = ["PEERS", "Entry", "installed"]
