"""Philox4x32-10 (Salmon et al., 2011) in plain Python, and the dropout masks drawn from it."""

import numpy as np

WORD = 2**32


def philox(key, counter):
    """Four words for each key and counter."""
    low, high = key % WORD, key // WORD
    a, b, c, d = counter
    for _ in range(10):
        first, second = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b, c, d = second // WORD ^ b ^ low, second % WORD, first // WORD ^ d ^ high, first % WORD
        low, high = (low + 0x9E3779B9) % WORD, (high + 0xBB67AE85) % WORD
    return a, b, c, d


def mask(seed, step, layer, rate, shape):
    """m of a hidden layer, counted from 0: 0 where a neuron is dropped, else 1 / (1 - p)."""
    found = np.empty(shape)
    for row in range(shape[0]):
        for neuron in range(shape[1]):
            counter = neuron // 4, row, step % WORD, layer * 256 + 1
            word = philox(seed, counter)[neuron % 4]
            found[row, neuron] = 0 if word < int(rate * WORD) else 1 / (1 - rate)
    return found
