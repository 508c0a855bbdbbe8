"""Smaller and faster encoders from a trained one: INT8, FP16, quantisation-aware fine-tuning, pruning."""
