"""Learning: data sets, training, evaluation. Only the modules that train import torch."""
