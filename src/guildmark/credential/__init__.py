"""What is proven: Open Badges and CLR documents, proofs, keys and DIDs, status lists, verification."""
