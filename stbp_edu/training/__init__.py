"""Train networks: data, encoders, optimizers, the loop, its records and its commands."""

__all__ = [
    "datasets",
    "diagnosis",
    "encoders",
    "evaluation",
    "optimizers",
    "parallel",
    "records",
    "runs",
    "settings",
    "sources",
    "state",
    "stepper",
    "trainer",
]
