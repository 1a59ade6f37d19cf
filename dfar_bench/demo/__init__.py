"""The whole story in one command: train, score, submit, verify, publish."""
