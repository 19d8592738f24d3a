"""Models for other tools: ONNX graphs, PyTorch state dicts, and the proof that they are the same model."""
