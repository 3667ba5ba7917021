"""Declares the tables of mails: `mail_message`, `mailbox_position` (the last UID read of a mailbox), `mail_acknowledgement`."""

from sqlalchemy import BigInteger, Column, DateTime, Identity, Index, LargeBinary, MetaData, Table, Text, func


def add_mail_tables(metadata: MetaData) -> None:
    """Add the tables to intake's schema."""
    message = Table(
        "mail_message",
        metadata,
        Column("id", BigInteger, Identity(), primary_key=True),
        *(Column(name, Text, nullable=False) for name in ("mailbox", "source")),
        Column("digest", LargeBinary, nullable=False),
        *(Column(name, Text, nullable=False) for name in ("message_id", "outcome", "reason", "notes", "case_id")),
        *(Column(name, DateTime(timezone=True)) for name in ("received_at", "claimed_at")),
        *(Column(name, BigInteger) for name in ("uid_validity", "uid")),
        Column("quoted", Text, nullable=False),
        Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    )
    Index("mail_message_digest", message.c.source, message.c.digest, unique=True, postgresql_where=message.c.outcome != "duplicate")
    Index("mail_message_uid", message.c.mailbox, message.c.uid_validity, message.c.uid, postgresql_where=message.c.uid.is_not(None))
    Index("mail_message_case", message.c.case_id, postgresql_where=message.c.case_id != "")
    Table(
        "mailbox_position",
        metadata,
        Column("mailbox", Text, primary_key=True),
        *(Column(name, BigInteger, nullable=False) for name in ("uid_validity", "last_uid")),
    )
    acknowledgement = Table(
        "mail_acknowledgement",
        metadata,
        Column("address_key", Text, primary_key=True),
        Column("sent_at", DateTime(timezone=True), nullable=False),
    )
    Index("mail_acknowledgement_sent", acknowledgement.c.sent_at)
