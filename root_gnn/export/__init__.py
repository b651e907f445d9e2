"""Trained networks out of PyTorch: ONNX and `torch.export` programs, checked before they are kept, and a model card."""
