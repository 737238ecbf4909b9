"""Checkpoints: when they are written, their contents, and how a training continues from one."""
