"""Threads, signals, forks and memory of processes."""
