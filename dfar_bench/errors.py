"""The exception whose message is meant for users."""


class InputError(Exception):
    """Unusable input; the message says what is wrong, where, and what to do, in one sentence.

    The command line prints it without a traceback and exits with status 2.
    """


def one_line(error: Exception) -> str:
    """Return an exception's message on one line, to be quoted inside a sentence."""
    return " ".join(str(error).split())
