"""Frame encoders: aligned crops in, embeddings and logits out."""
