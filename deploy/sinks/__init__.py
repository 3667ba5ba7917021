"""A local mail server and SMS gateway: they accept messages by SMTP and HTTP, store them in files and forward none."""

from deploy.sinks.mail import MailSink
from deploy.sinks.sms import SmsSink

__all__ = ["MailSink", "SmsSink"]
