"""A linear model of whether an argument supports its verdict and is about the statement."""
