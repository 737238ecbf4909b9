"""Optimizers, schedules, trainings and histories that several tests use."""
