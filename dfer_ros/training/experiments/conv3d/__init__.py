"""The clip-wise baseline: a 3D CNN over windows of crops."""
