"""Train networks: data, encoders, optimizers, the loop, its records and its commands."""
