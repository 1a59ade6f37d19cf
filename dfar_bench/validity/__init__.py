"""How far to trust a judge: responses of known truth, and the error rates that a judge has on them.

``kinds`` builds responses from rows and their human reasons in ways that fix whether they are aligned; ``natural``
reads responses that were written and labelled by hand; ``suite`` runs a judge on both and reports.
"""
