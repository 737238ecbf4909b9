"""Networks, data, optimizers and schedules that several tests use."""
