"""What is remembered: the Merkle tree, the transparency log, its checkpoints, receipts and anchors."""
