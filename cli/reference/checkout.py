"""Generated files are kept in the repository, so the commands that write and check them need a checkout."""

from pathlib import Path

from click import ClickException

from deploy.checkout import CHECKOUT


def require_checkout() -> Path:
    """The folder of the checkout; raises `ClickException` where the code was installed from a wheel."""
    if CHECKOUT is None:
        raise ClickException("this command works in a checkout of the source only: clone the repository and run it there")
    return CHECKOUT
