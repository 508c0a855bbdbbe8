"""What is compared and not shipped: other encoders and heads, a 3D CNN, peers, the comparison of all."""
