"""Trainings in files: when they are written, how, and how they go on."""
