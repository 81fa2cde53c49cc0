"""Training: optimizers, schedules, averages, savers and the sessions that run them."""
