"""Temporal heads: windows of frame embeddings in, one answer per person out; and the clip-wise baseline, a 3D CNN."""
