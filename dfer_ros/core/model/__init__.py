"""A model folder: its description, its ONNX sessions, encoder and temporal head."""
