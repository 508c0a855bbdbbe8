"""Frame encoders that are compared and not shipped."""
