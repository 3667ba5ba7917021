"""`python -m services.desk.sign_in.hash_password`: the Argon2id hash of a password for the file of local accounts."""

import getpass
import sys

from services.desk.sign_in.local_accounts import hash_password


def main() -> None:
    """Ask for the password, without showing it, and print its hash."""
    sys.stdout.write(f"{hash_password(getpass.getpass())}\n")


if __name__ == "__main__":
    main()
