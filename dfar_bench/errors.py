"""The one exception that users are meant to read."""


class InputError(Exception):
    """Something given to us cannot be used; the message says what, where and what to do, in one sentence.

    The command line prints it without a traceback and exits with status 2.
    """


def on_one_line(error: Exception) -> str:
    """What another library has to say, to be quoted inside a sentence of ours."""
    return " ".join(str(error).split())
