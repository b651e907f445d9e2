"""The Lightning module, the data module, optimisers and finetuning."""
