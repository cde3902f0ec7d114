"""The texts that a model is given, one file per node that uses a model."""
