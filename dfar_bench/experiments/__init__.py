"""Experiments: what one would type for many trainings and their scores, and what follows from them."""
